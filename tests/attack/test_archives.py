"""Archives and banks of strangers, changed anywhere: refused with one clear error, or harmless."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Heads
from crossmedia.retrieval.archive import Archive, bring, export
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import settings
from tests.attack.mutate import MUTATIONS
from tests.attack.scale import count, draw, keep, share, summary
from tests.retrieval.makers import write_archive
from tests.retrieval.test_archive_hostile import LINES, tamper

pytestmark = pytest.mark.slow

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 10_000,
    "\x00",
    "\u202e",
    "../../x",
    "/etc/passwd",
    "0" * 64,
    "'; DROP TABLE asset; --",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"a": {}}},
    "2024-01-01",
    "9999-99-99",
    ["a"] * 1000,
    "\ud800",
)


def changed(rng: random.Random, value: Any) -> Any:
    """A JSON value with something in it in the place of something else."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        kind = rng.random()
        if kind < 0.1:
            return {k: v for k, v in value.items() if k != name}
        if kind < 0.15:
            return {**value, rng.choice(("", "x", "../x", "__proto__", name + " ")): rng.choice(ODD)}
        return {**value, name: changed(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.2:
            return [*value, value[at]] if rng.random() < 0.5 else value[:at] + value[at + 1 :]
        return [*value[:at], changed(rng, value[at]), *value[at + 1 :]]
    return rng.choice(ODD)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("original"))


def test_archives(tmp_path: Path, original: Path) -> None:
    """Bytes as disks change them, and values as people do: what is imported can be read, searched and exported."""
    rng, findings, imported = draw("archives"), list[str](), 0
    times = share(3000, 40)
    others = [path.read_bytes() for path in original.iterdir()]
    for number in range(times):
        folder = Path(shutil.copytree(original, tmp_path / str(number) / "archive"))
        name = rng.choice(sorted(path.name for path in original.iterdir()))
        data = (original / name).read_bytes()
        if name == "manifest.json" and rng.random() < 0.8:
            data = json.dumps(changed(rng, json.loads(data))).encode()
        elif name == LINES and rng.random() < 0.8:
            lines = data.split(b"\n")[:-1]
            at = rng.randrange(len(lines))
            lines[at] = json.dumps(changed(rng, json.loads(lines[at])), separators=(",", ":")).encode()
            data = b"\n".join(lines) + b"\n"
        else:
            data = bytes(rng.choice(MUTATIONS)(rng, bytearray(data), others))
        if name == "manifest.json":
            (folder / name).write_bytes(data)
        else:
            tamper(folder, name, data)
        store = LocalStore(folder.parent / "store")
        try:
            bring(Archive(folder), store, Heads(folder.parent / "heads"))
            assert store.verify(deep=True) == []
            assert len(store.stored_assets(list(store.asset_ids()))) == len(list(store.asset_ids()))
            export(store, folder.parent / "again", Heads(folder.parent / "heads"))
            imported += 1
        except CrossmediaError as error:
            assert list(store.asset_ids()) == []
            if not error.hint or len(error.message) > 2000:
                findings.append(keep("archives", f"{number}-{name}", data, error))
        except Exception as error:
            findings.append(keep("archives", f"{number}-{name}", data, repr(error)))
        store.close()
        shutil.rmtree(folder.parent)
    count("archives", tried=times, imported=imported, crashes=len(findings))
    assert not findings, summary(findings)


TABLE = (
    "signal_type,signal_str,collab,category,tags,quality\n"
    + "".join(f"pdq,{n:064x},mine,POSITIVE_CLASS,a;b,{n % 100}\n" for n in range(20))
    + f"video_md5,{'ab' * 16},mine,NEGATIVE_CLASS,,\nvideo_sha256,{'cd' * 32},mine,,,\n"
).encode()
LIST = "\n".join(
    f"{kind} {value}" for kind, value in (("sha256", "0" * 64), ("md5", "f" * 32), ("pdq", "0f" * 32))
).encode()


def test_banks(tmp_path: Path) -> None:
    """Tables of hashes: read, or refused with the lines that cannot be."""
    rng, findings = draw("banks"), list[str]()
    times = share(6000, 60)
    with TestClient(create_app(settings(tmp_path, reserve_bytes=0)), raise_server_exceptions=False) as http:
        for number in range(times):
            if number % 50 == 0:
                assert http.post("/v1/banks", json={"name": f"bank{number}"}).status_code == 201
            data = bytearray(rng.choice((TABLE, LIST)))
            for _ in range(rng.choice((1, 1, 2, 4))):
                data = rng.choice(MUTATIONS)(rng, data or bytearray(1), [TABLE, LIST])[:200_000]
            bank, skip = number - number % 50, rng.choice(("true", "false"))
            answer = http.post(
                f"/v1/banks/bank{bank}/table", params={"skip_bad": skip}, files=[("file", ("table.csv", bytes(data)))]
            )
            if answer.status_code not in (200, 413, 422):
                findings.append(keep("banks", f"{number}.csv", bytes(data), answer.text))
            if number % 50 == 49:
                matches = http.get(f"/v1/banks/bank{bank}/matches")
                assert matches.status_code == 200, matches.text
                assert http.post("/v1/lookup", json={"hash": f"pdq:{number:064x}"}).status_code == 200
    count("banks", tried=times, crashes=len(findings))
    assert not findings, summary(findings)
