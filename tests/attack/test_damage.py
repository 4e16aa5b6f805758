"""Databases whose bytes are not what was written, wherever: told as such, mended, and no upload is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.dependencies import models
from fastapi.testclient import TestClient

from crossmedia.api.databases import DATABASES
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.use_cases.repairing import mend
from crossmedia.embeddings.errors import CrossmediaError
from tests.api.helpers import Run, png, settings, upload
from tests.attack.scale import count, draw, share

pytestmark = pytest.mark.slow

PAGE = 4096
QUIET = ("bit", "bytes", "half page", "zeros", "random page")
"""Harm that may leave SQLite's structure as it is, which nobody sees (docs/reliability.md)."""
COLOURS = ("red", "blue", "green")
WHOLE = {f"{colour}.png": png(colour) for colour in COLOURS}
ASKED = (
    ("GET", "/v1/assets", None),
    ("POST", "/v1/search", {"text": "red", "k": 3}),
    ("GET", "/v1/labels", None),
    ("GET", "/v1/jobs", None),
    ("GET", "/v1/banks", None),
    ("GET", "/v1/banks/known/matches", None),
    ("GET", "/v1/review", None),
    ("GET", "/readyz", None),
    ("POST", "/v1/lookup", {"hash": "0" * 64}),
    ("GET", "/v1/voices", None),
    ("GET", "/metrics", None),
    ("POST", "/v1/banks", {"name": "more"}),
)


def service(folder: Path) -> TestClient:
    """Where there ever was a key, requests need one."""
    for cached in vars(models).values():  # FastAPI remembers functions, and through them thousands of applications
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    app = create_app(settings(folder, api_keys=("secret",)))
    return TestClient(app, raise_server_exceptions=False, headers={"X-API-Key": "secret"})


@pytest.fixture
def whole(tmp_path: Path, run: Run) -> Path:
    """A data directory with all its databases in use."""
    with TestClient(create_app(settings(tmp_path))) as http:
        report = upload(http, **{f"{colour}_png": png(colour) for colour in COLOURS})["report"]
        assert http.post("/v1/banks", json={"name": "known"}).status_code == 201
        assert http.post("/v1/banks/known/hashes", json={"what": report["uploaded"][:1]}).status_code == 200
        decided = http.post(f"/v1/review/{report['uploaded'][0]}", json={"action": "allow", "by": "me"})
        assert decided.status_code == 200, decided.text
        http.delete(f"/v1/assets/{upload(http, white_png=png('white'))['report']['uploaded'][0]}")
    run("key", "add", "ada")
    run("key", "rm", "ada")
    (tmp_path / "data").rename(tmp_path / "whole")
    return tmp_path / "whole"


def harm(rng: random.Random, path: Path) -> str:
    """Does to a file what disks and people do; says what."""
    data = bytearray(path.read_bytes())
    pages = max(1, len(data) // PAGE)
    at = rng.randrange(pages) * PAGE
    what = rng.choice(
        ("random page", "zeros", "bit", "half page", "swapped", "cut", "longer", "bytes", "another's page")
    )
    if what == "random page":
        data[at : at + PAGE] = rng.randbytes(PAGE)
    elif what == "zeros":
        data[at : at + PAGE] = bytes(PAGE)
    elif what == "bit":
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif what == "half page":  # a write that the power cut
        data[at : at + 512 * rng.randint(1, 7)] = rng.randbytes(512)
    elif what == "swapped":
        other = rng.randrange(pages) * PAGE
        data[at : at + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[at : at + PAGE]
    elif what == "cut":
        del data[rng.randrange(len(data)) :]
    elif what == "longer":
        data += rng.randbytes(rng.choice((1, 100, PAGE, 10 * PAGE)))
    elif what == "bytes":
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    else:
        data[at : at + PAGE] = data[:PAGE]
    path.write_bytes(data)
    return f"{what} of {path.name} at {at}"


@pytest.fixture
def copies(whole: Path, tmp_path: Path) -> Callable[[], Path]:
    """Puts a fresh copy in the place of the data directory."""

    def copy() -> Path:
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        return Path(shutil.copytree(whole, tmp_path / "data"))

    return copy


def uploads(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data / "uploads").rglob("*") if path.is_file()}


def test_a_service_over_damage(copies: Callable[[], Path], tmp_path: Path) -> None:
    """It answers, refuses, or does not start and says why; and it deletes nothing."""
    rng, tried, refused = draw("damage"), share(300, 8), 0
    for _ in range(tried):
        data = copies()
        names = sorted(name for name in DATABASES if (data / name).exists())
        what = "; ".join(harm(rng, data / rng.choice([*names, "store.sqlite"])) for _ in range(rng.choice((1, 1, 2))))
        try:
            with service(tmp_path) as http:
                for method, path, body in ASKED:
                    answer = http.request(method, path, json=body)
                    assert answer.status_code != 500, f"{what}: {method} {path}: {answer.text}"
        except CrossmediaError:
            refused += 1
        assert uploads(data) == WHOLE, what
    count("damage", tried=tried, refused_to_start=refused, lost=0)


def test_repair_of_damage(copies: Callable[[], Path], tmp_path: Path) -> None:
    """Whatever was damaged, every upload is served after a repair, and nothing is found wrong any more."""
    rng, tried = draw("repair"), share(300, 8)
    for _ in range(tried):
        data = copies()
        names = sorted(name for name in DATABASES if (data / name).exists())
        what = harm(rng, data / rng.choice([*names, "store.sqlite"]))
        mended = mend(data)
        with closing(Service(settings(tmp_path))) as opened:
            report = opened.repairing.read_again(mended)
            assert opened.runtime.store.verify(deep=True) == [], what
        with service(tmp_path) as http:
            listed = http.get("/v1/assets").json()["assets"]
            served = {a["sources"][0]["path"]: http.get(f"/v1/assets/{a['asset']}/content").content for a in listed}
        assert not set(report["lost"]) & served.keys(), what
        if report["files"] or not what.startswith(QUIET):
            assert served == WHOLE, what
        assert uploads(data) == WHOLE, what
    count("damage", tried=tried, lost=0)
