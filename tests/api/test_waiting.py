"""Nobody waits behind another's slow file: neither uploads nor searches by file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.runtime import EXAMPLES
from crossmedia.api.server import create_app
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.api.helpers import finished, png, settings


def stuck(path: Path, limits: Limits, progress: Progress) -> Decoded:
    """Decodes; but a text that names a folder waits until there is `go` in it, and says by `begun` that it does."""
    words = path.read_bytes()
    if words.startswith(b"wait "):
        folder = Path(words[5:].decode())
        (folder / "begun").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    return decode(path, limits, progress)


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    (tmp_path / "roots").mkdir()
    return tmp_path / "roots"


@pytest.fixture
def http(tmp_path: Path, roots: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings(tmp_path, roots=(str(roots),)))) as http:
        parts = http.app.state.crossmedia.service.runtime._parts  # type: ignore[attr-defined]
        parts.get("pool", lambda: DecodePool(1, read=stuck))
        parts.get("short pool", lambda: DecodePool(1, read=stuck))
        parts.get("example pool", lambda: DecodePool(EXAMPLES, read=stuck))
        try:
            yield http
        finally:
            (tmp_path / "go").touch()


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_small_upload_is_done_while_a_folder_is_read(http: TestClient, roots: Path, tmp_path: Path) -> None:
    (roots / "slow.txt").write_text(f"wait {tmp_path}")
    slow = http.post("/v1/assets", json={"path": str(roots)}).json()
    until((tmp_path / "begun").exists)
    for colour in ("red", "blue"):
        job = finished(http, http.post("/v1/assets", files=[("file", (f"{colour}.png", png(colour)))]))
        assert (job["state"], job["report"]["added"], job["report"]["enrich_failures"]) == ("done", 1, [])
    assert http.get(f"/v1/jobs/{slow['id']}").json()["state"] == "running"
    (tmp_path / "go").touch()
    until(lambda: http.get(f"/v1/jobs/{slow['id']}").json()["state"] == "done")


def test_passes_over_a_long_text_hold_up_no_small_upload(http: TestClient, roots: Path, tmp_path: Path) -> None:
    (roots / "slow.txt").write_text(f"wait {tmp_path}")
    slow = http.post("/v1/assets", json={"path": str(roots)}).json()
    until((tmp_path / "begun").exists)
    words = "kestrel " + "red boats come home. " * 10_000
    long = http.post("/v1/assets", files=[("file", ("long.txt", words.encode()))]).json()
    until(lambda: http.post("/v1/search", json={"text": "kestrel", "legs": ["words"]}).json()["hits"])
    until(lambda: http.get(f"/v1/jobs/{long['id']}").json()["state"] == "queued")
    finished(http, http.post("/v1/assets", files=[("file", ("red.png", png("red")))]))
    assert http.get(f"/v1/jobs/{slow['id']}").json()["state"] == "running"
    (tmp_path / "go").touch()
    until(lambda: http.get(f"/v1/jobs/{long['id']}").json()["state"] == "done")
    assert http.get(f"/v1/jobs/{long['id']}").json()["report"]["enriched"] >= 1


def test_a_small_file_that_takes_long_makes_way(
    http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.SHORT_SECONDS", 0.3)
    slow = http.post("/v1/assets", files=[("file", ("slow.txt", f"wait {tmp_path}".encode()))]).json()
    until((tmp_path / "begun").exists)
    monkeypatch.setattr("crossmedia.indexer.worker.SHORT_SECONDS", 60.0)
    job = finished(http, http.post("/v1/assets", files=[("file", ("red.png", png("red")))]))
    assert (job["state"], job["report"]["added"]) == ("done", 1)
    assert http.get(f"/v1/jobs/{slow['id']}").json()["state"] in ("queued", "running")
    (tmp_path / "go").touch()
    until(lambda: http.get(f"/v1/jobs/{slow['id']}").json()["state"] == "done")
    assert http.get(f"/v1/jobs/{slow['id']}").json()["report"]["added"] == 1


def test_an_example_that_is_stuck_leaves_another_answered(http: TestClient, tmp_path: Path) -> None:
    finished(http, http.post("/v1/assets", files=[("file", ("red.png", png("red")))]))
    answers: dict[str, int] = {}

    def search(name: str, content: bytes) -> None:
        answers[name] = http.post("/v1/search", files=[("file", (name, content))]).status_code

    slow = threading.Thread(target=search, args=("slow.txt", f"wait {tmp_path}".encode()))
    slow.start()
    until((tmp_path / "begun").exists)
    search("red.png", png("red", 50))
    assert answers == {"red.png": 200}
    (tmp_path / "go").touch()
    slow.join(60)
    assert answers == {"red.png": 200, "slow.txt": 200}
