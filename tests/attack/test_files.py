"""Files that are damaged or made to do harm: each is indexed or refused with one clear error, and no other suffers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crossmedia.api.server import create_app
from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing
from crossmedia.indexer.decode import errors as decode_errors
from crossmedia.indexer.decode.pool import DecodePool
from tests.api.helpers import finished, settings
from tests.attack.mutate import MAGIC, MUTATIONS, mutated
from tests.attack.scale import FILES_AN_HOUR, SEED, count, draw, keep, share, summary
from tests.attack.seeds import seeds

pytestmark = pytest.mark.slow

SHARDS = 10
BATCH = 100
BY_HYPOTHESIS = 0.1
"""The share of files that hypothesis makes."""
ALLOWED = {
    error.code
    for error in vars(decode_errors).values()
    if isinstance(error, type) and issubclass(error, CrossmediaError)
} - {decode_errors.DecodeCrashed.code} | {DependencyMissing.code}
"""What may be said of a file. A decoder that dies of one is a finding, also if nothing else suffers."""


def complaint(error: dict[str, Any]) -> str | None:
    """What is wrong with what is said of a file, None if nothing is."""
    if error["code"] not in ALLOWED:
        return f"{error['code']}: {error['message']}"
    if not error["hint"] or "Traceback" in error["message"] or len(error["message"]) > 2000:
        return f"no clear error: {error}"
    return None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_mutated_files(tmp_path: Path, shard: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    rng = draw(f"files {shard}")
    wanted = share(FILES_AN_HOUR * (1 - BY_HYPOTHESIS)) // SHARDS + 1
    findings: list[str] = []
    tried = added = over_time = 0
    roots = tmp_path / "roots"
    app = create_app(settings(tmp_path, roots=(str(roots),), decode_workers=1, reserve_bytes=0))
    with TestClient(app, raise_server_exceptions=False) as http:
        while tried < wanted:
            folder = roots / str(tried)
            folder.mkdir(parents=True)
            made: dict[str, bytes] = {}
            for number in range(min(BATCH, wanted - tried)):
                name, data = mutated(rng, seeds())
                made[f"{number:03}-{name}"] = data
                (folder / f"{number:03}-{name}").write_bytes(data)
            tried += len(made)
            job = finished(http, http.post("/v1/assets", json={"path": str(folder)}), wait=600)
            if job["state"] != "done":
                findings += [keep("files", f"{shard}-{tried}-{n}", d, job["error"]) for n, d in made.items()]
                continue
            report = job["report"]
            assert report["failed"] == len(report["failures"])
            for failure in report["failures"]:
                name = Path(failure["path"]).name
                over_time += failure["error"]["code"] == decode_errors.DecodeTimeout.code
                if wrong := complaint(failure["error"]):
                    findings.append(keep("files", f"{shard}-{tried}-{name}", made[name], wrong))
            names = {asset: Path(path).name for path, asset in report["assets"].items()}
            for failure in report["enrich_failures"]:
                if wrong := complaint(failure["error"]):
                    name = names[failure["asset"]]
                    findings.append(keep("files", f"{shard}-{tried}-{name}", made[name], f"enriching: {wrong}"))
            added += report["added"]
            for path, asset in report["assets"].items():
                answer = http.get(f"/v1/assets/{asset}")
                if answer.status_code != 200 or not answer.json()["moments"]:
                    name = Path(path).name
                    findings.append(keep("files", f"{shard}-{tried}-{name}", made[name], answer.text))
            assert report["added"] + report["copied"] + report["unchanged"] + report["moved"] + report["failed"] == len(
                made
            )
        problems = http.app.state.crossmedia.service.runtime.store.verify(deep=True)  # type: ignore[attr-defined]
    findings += [record.getMessage() + str(record.exc_info) for record in caplog.records if record.exc_info]
    count("files", tried=tried, indexed=added, crashes=len(findings), over_time=over_time)
    assert not findings, summary(findings)
    assert problems == []


def _edited(name: str, edits: list[tuple[int, int]], magic: bytes | None, tail: bytes) -> bytes:
    data = bytearray(seeds()[name])
    for which, number in edits:
        data = MUTATIONS[which](draw(str(number)), data or bytearray(1), list(seeds().values()))[:200_000]
    return bytes(data) + tail if magic is None else magic + bytes(data[len(magic) :]) + tail


def files() -> st.SearchStrategy[tuple[str, bytes]]:
    """A name and bytes: a seed with edits, which hypothesis takes away one by one where a file does harm; or a known
    beginning and anything behind it."""
    names = st.sampled_from(sorted(seeds()))
    edits = st.lists(st.tuples(st.integers(0, len(MUTATIONS) - 1), st.integers(0, 1 << 20)), max_size=4)
    grown = st.builds(
        lambda name, *rest: (name, _edited(name, *rest)),
        names,
        edits,
        st.none() | st.sampled_from(MAGIC),
        st.binary(max_size=64),
    )
    made = st.tuples(names, st.builds(bytes.__add__, st.sampled_from(MAGIC), st.binary(max_size=2000)))
    written = st.tuples(names, st.text(min_size=1, max_size=500).map(lambda text: text.encode(errors="surrogatepass")))
    return grown | grown | made | written


def test_files_that_hypothesis_makes(tmp_path: Path) -> None:
    tried = crashes = 0
    with DecodePool(1) as pool:

        @seed(SEED)
        @hypothesis_settings(
            max_examples=share(FILES_AN_HOUR * BY_HYPOTHESIS), database=None, suppress_health_check=list(HealthCheck)
        )
        @given(files())
        def run(drawn: tuple[str, bytes]) -> None:
            nonlocal tried, crashes
            tried += 1
            name, data = drawn
            (path := tmp_path / f"file{Path(name).suffix}").write_bytes(data)
            try:
                pool.submit(path).result(timeout=300)
            except CrossmediaError as error:
                if wrong := complaint(error.as_dict()):
                    crashes = 1  # what follows makes it smaller
                    pytest.fail(keep("files", "smallest", data, f"as {name}: {wrong}"))

        try:
            run()
        finally:
            count("files", tried=tried, crashes=crashes)
