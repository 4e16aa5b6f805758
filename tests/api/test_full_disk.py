"""A full disk, a data directory that is gone: refused with what to do, and never reported as done."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api import full_disk
from crossmedia.api.server import create_app
from crossmedia.embeddings.errors import CrossmediaError, DiskFull
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.database import Database
from tests.api.helpers import ended, kept, png, settings, upload
from tests.retrieval.makers import SPACES, document, unit

pytestmark = pytest.mark.slow  # all of them together; each opens services of its own


def ready(http: TestClient) -> Any:
    """The answer of /readyz once the models are loaded."""
    until = time.monotonic() + 30
    while (answer := http.get("/readyz")).json().get("error", {}).get("code") == "not_ready":
        assert time.monotonic() < until
        time.sleep(0.02)
    return answer


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file takes bytes any more."""

    class Full:
        def __init__(self, *_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkdtemp", Full)
    monkeypatch.setattr("tempfile.TemporaryFile", Full)


@pytest.mark.parametrize(
    "ask",
    [
        lambda http: http.post("/v1/assets", files=[("file", ("a.png", png("red")))]),
        lambda http: http.post("/v1/search", files=[("file", ("a.png", png("red")))]),
        lambda http: http.post("/v1/ask", files=[("image", ("a.png", png("red")))], data={"question": "what is it?"}),
    ],
    ids=["upload", "search", "ask"],
)
@pytest.mark.usefixtures("full")
def test_a_full_disk_is_507_with_a_hint(http: TestClient, tmp_path: Path, ask: Any) -> None:
    refused = ask(http)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
    assert "space" in refused.json()["error"]["hint"]
    assert kept(tmp_path) == []


@pytest.mark.usefixtures("full")
def test_a_full_disk_is_not_ready(http: TestClient) -> None:
    answer = ready(http)
    assert answer.status_code == 503
    assert "No space left" in answer.json()["error"]["message"]


def test_a_reserve_is_looked_at_before_anything_is_received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(settings(tmp_path, reserve_bytes=1 << 20))) as http:
        assert upload(http, red_png=png("red"))["state"] == "done"
        usage = shutil.disk_usage(tmp_path)._replace(free=(1 << 20) + 50)
        monkeypatch.setattr(full_disk.shutil, "disk_usage", lambda _: usage)
        refused = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
        assert http.post("/v1/search", json={"text": "red", "k": 1}).json()["hits"][0]["path"] == "red.png"


@pytest.mark.parametrize("restart", [False, True])
def test_a_job_that_finds_the_disk_full_waits_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.FULL_SECONDS", 0.05)
    with TestClient(create_app(settings(tmp_path, reserve_bytes=1 << 20))) as http:
        state = http.app.state.crossmedia  # type: ignore[attr-defined]
        state.worker.stop()
        job = http.post("/v1/assets", files=[("file", ("red.png", png("red")))]).json()
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    with monkeypatch.context() as full:
        full.setattr(full_disk.shutil, "disk_usage", lambda _: usage)
        with TestClient(create_app(settings(tmp_path, reserve_bytes=1 << 20))) as http:
            waiting = waiting_job(http, job["id"])
            assert (waiting["state"], waiting["error"]["code"]) == ("queued", "disk_full")
            assert "free some disk space" in waiting["error"]["hint"]
            assert kept(tmp_path) == ["red.png"]
            if not restart:
                full.undo()
                assert ended(http, job["id"])["state"] == "done"
    with TestClient(create_app(settings(tmp_path, reserve_bytes=1 << 20))) as http:
        done = ended(http, job["id"])
        assert (done["state"], done["error"], done["report"]["added"]) == ("done", None, 1)


def waiting_job(http: TestClient, job: str) -> Any:
    """The job once it says what it waits for."""
    until = time.monotonic() + 30
    while not (seen := http.get(f"/v1/jobs/{job}").json())["error"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    return seen


def test_passes_that_find_the_disk_full_keep_what_was_indexed(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.FULL_SECONDS", 0.05)
    indexing = http.app.state.crossmedia.service.indexing  # type: ignore[attr-defined]
    enrich, room = indexing.enrich, threading.Event()

    def full(**values: Any) -> Any:
        if not room.is_set():
            raise DiskFull("no room")
        return enrich(**values)

    monkeypatch.setattr(indexing, "enrich", full)
    job = http.post("/v1/assets", files=[("file", ("red.png", png("red")))]).json()["id"]
    waiting = waiting_job(http, job)
    assert (waiting["state"], waiting["error"]["code"], waiting["report"]["added"]) == ("queued", "disk_full", 1)
    assert http.post("/v1/search", json={"text": "red", "k": 1}).json()["hits"]
    room.set()
    done = ended(http, job)
    assert (done["state"], done["error"], done["report"]["added"]) == ("done", None, 1)


def test_a_data_directory_that_is_gone_takes_no_upload(http: TestClient, tmp_path: Path) -> None:
    upload(http, red_png=png("red"))
    assert ready(http).status_code == 200
    shutil.rmtree(tmp_path / "data")
    refused = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "data_missing")
    (tmp_path / "data").mkdir()  # somebody made it again, empty
    refused = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_replaced")
    assert kept(tmp_path) == []
    answer = http.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unusable")
    assert "removed or replaced" in answer.json()["error"]["message"]


def test_a_job_is_not_done_where_its_upload_went_meanwhile(
    http: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = http.app.state.crossmedia.service  # type: ignore[attr-defined]
    index = service.indexing.index_files

    def index_and_lose(*args: Any, **options: Any) -> Any:
        report = index(*args, **options)
        shutil.rmtree(tmp_path / "data" / "uploads")
        return report

    monkeypatch.setattr(service.indexing, "index_files", index_and_lose)
    job = upload(http, red_png=png("red"))
    assert (job["state"], job["error"]["code"]) == ("failed", "upload_lost")


def test_a_replaced_database_is_not_written_to(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.bind(SPACES)
    assert store.health().state == "green"
    (tmp_path / "store.sqlite").rename(tmp_path / "elsewhere.sqlite")
    assert store.health().state == "red"
    LocalStore(tmp_path / "other").close()
    (tmp_path / "other" / "store.sqlite").rename(tmp_path / "store.sqlite")
    with pytest.raises(CrossmediaError, match="replaced"):
        store.put([document("a", vector=unit(1))])
    store.close()


def test_a_full_database_is_told_as_such(tmp_path: Path) -> None:
    database = Database(tmp_path / "jobs.sqlite", "crossmedia.indexer")
    with database.write() as connection:
        connection.execute("PRAGMA max_page_count=20")
    columns = "id, kind, payload, state, created, updated"
    add = f"INSERT INTO job ({columns}) VALUES ('a', 'index', zeroblob(900000), 'queued', 0, 0)"
    with pytest.raises(DiskFull), database.write() as connection:
        connection.execute(add)
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM job").fetchone()[0] == 0
    database.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB; only who may mount one has it."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    """To the last byte."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while filler.write(bytes(size)):
                    pass
            except OSError:
                pass


@pytest.mark.process
def test_a_disk_that_fills_up_loses_nothing(small_disk: Path) -> None:
    with TestClient(create_app(settings(small_disk, reserve_bytes=0))) as http:
        before = upload(http, red_png=png("red"))["report"]["assets"]["red.png"]
        fill(small_disk)
        assert ready(http).status_code == 503
        for ask in ("/v1/assets", "/v1/search"):
            refused = http.post(ask, files=[("file", ("blue.png", png("blue")))])
            assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full"), ask
        assert http.get(f"/v1/assets/{before}/content").content == png("red")
        (small_disk / "filler").unlink()
        assert upload(http, blue_png=png("blue"))["state"] == "done"
        assert http.get("/readyz").status_code == 200
    store = LocalStore(small_disk / "data")
    assert store.verify(deep=True) == []
    store.close()


@pytest.mark.process
def test_a_job_on_a_disk_that_fills_up_is_done_when_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue lies on that disk as well, so what becomes of the job cannot be noted meanwhile."""
    monkeypatch.setattr("crossmedia.indexer.worker.FULL_SECONDS", 0.05)
    with TestClient(create_app(settings(small_disk, reserve_bytes=0))) as http:
        before = upload(http, red_png=png("red"))["report"]["assets"]["red.png"]
        indexing = http.app.state.crossmedia.service.indexing  # type: ignore[attr-defined]
        index, failures, filled = indexing.index_files, threading.Semaphore(0), threading.Event()

        def index_on_a_full_disk(*values: Any, **options: Any) -> Any:
            if not filled.is_set():
                fill(small_disk)
                filled.set()
            try:
                return index(*values, **options)
            except BaseException:
                failures.release()
                raise

        monkeypatch.setattr(indexing, "index_files", index_on_a_full_disk)
        job = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))]).json()["id"]
        assert failures.acquire(timeout=60)
        assert http.get(f"/v1/jobs/{job}").json()["state"] in ("running", "queued")
        assert http.get(f"/v1/assets/{before}/content").content == png("red")
        (small_disk / "filler").unlink()
        assert ended(http, job)["report"]["added"] == 1
    store = LocalStore(small_disk / "data")
    assert store.verify(deep=True) == []
    store.close()
