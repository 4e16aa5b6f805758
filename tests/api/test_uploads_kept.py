"""Uploads are people's only copies: one goes only when somebody deletes it, wherever the data folder and its store
come from."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import crossmedia
from crossmedia.api.remains import StoreMissing
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.uploads import UploadedPart
from crossmedia.indexer.queue import QueueFull
from crossmedia.retrieval.store import StoreUnusable
from tests.api.helpers import Run, finished, kept, png, settings, upload

pytestmark = pytest.mark.slow  # all of them together; each opens services of its own

COLOURS = ("red", "blue", "green", "white", "yellow")


def fill(tmp_path: Path, *colours: str) -> dict[str, str]:
    """Upload pictures to a service of its own; asset ids by name."""
    with TestClient(create_app(settings(tmp_path))) as http:
        report = upload(http, **{f"{colour}_png": png(colour) for colour in colours})["report"]
    assets: dict[str, str] = report["assets"]
    return assets


def test_a_moved_data_folder_serves_its_uploads(tmp_path: Path, run: Run) -> None:
    assets = fill(tmp_path, *COLOURS)
    (tmp_path / "there").mkdir()
    (tmp_path / "data").rename(tmp_path / "there" / "data")
    with TestClient(create_app(settings(tmp_path / "there"))) as http:
        for colour in COLOURS:
            content = http.get(f"/v1/assets/{assets[f'{colour}.png']}/content")
            assert (content.status_code, content.content) == (200, png(colour))
        again = upload(http, red_png=png("red"))["report"]
        assert (again["unchanged"], again["failed"]) == (1, 0)
        assert len(http.get(f"/v1/assets/{assets['red.png']}").json()["sources"]) == 1
        http.delete(f"/v1/assets/{assets['red.png']}")
    assert kept(tmp_path / "there") == ["blue.png", "green.png", "white.png", "yellow.png"]


def test_a_moved_folder_is_followed_without_a_service(tmp_path: Path) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    (tmp_path / "data").rename(tmp_path / "moved")
    with crossmedia.open_library(tmp_path / "moved", profile="toy") as library:
        [source] = library._service.runtime.store.sources(asset)
    assert Path(source.location) == tmp_path / "moved" / "uploads" / asset / "red.png"


def test_a_job_that_waited_while_the_folder_moved_is_done(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        http.app.state.crossmedia.worker.stop()  # type: ignore[attr-defined]
        waiting = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
    (tmp_path / "there").mkdir()
    (tmp_path / "data").rename(tmp_path / "there" / "data")
    with TestClient(create_app(settings(tmp_path / "there"))) as http:
        assert finished(http, waiting)["report"]["added"] == 1


def test_an_older_store_loses_no_upload(tmp_path: Path, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path, "red", "blue")
    shutil.copy(tmp_path / "data" / "store.sqlite", tmp_path / "older.sqlite")
    fill(tmp_path, "green", "white")
    (tmp_path / "older.sqlite").replace(tmp_path / "data" / "store.sqlite")
    with TestClient(create_app(settings(tmp_path))):
        assert "2 uploads are in no index" in caplog.text
    assert len(kept(tmp_path)) == 4
    assert "2 uploads are in no index" in run("doctor").stdout
    run("index", str(tmp_path / "data" / "uploads"))
    assert "in no index" not in run("doctor").stdout
    with TestClient(create_app(settings(tmp_path))) as http:
        listed = http.get("/v1/assets").json()["assets"]
        assert sorted(asset["sources"][0]["path"] for asset in listed) == [
            "blue.png",
            "green.png",
            "red.png",
            "white.png",
        ]


@pytest.mark.parametrize("loss", ["missing", "empty"])
def test_a_lost_store_is_told_and_no_new_one_is_made(tmp_path: Path, run: Run, loss: str) -> None:
    fill(tmp_path, "red")
    store = tmp_path / "data" / "store.sqlite"
    store.unlink() if loss == "missing" else store.write_bytes(b"")
    with pytest.raises(StoreMissing, match=f"{loss}.*uploads"), TestClient(create_app(settings(tmp_path))):
        pass
    for words in (("search", "red"), ("index", str(tmp_path / "data" / "uploads")), ("status",), ("serve",)):
        assert "store_missing" in run(*words, code=1).stderr
    assert "uploads and finished jobs" in run("doctor", code=1).stdout
    assert (store.exists(), kept(tmp_path)) == (loss == "empty", ["red.png"])
    assert not store.exists() or store.stat().st_size == 0


@pytest.mark.parametrize("remains", ["vectors", "log"])
def test_vectors_or_a_log_without_their_store_are_told(tmp_path: Path, run: Run, remains: str) -> None:
    name = "vectors/common-picture.3.0.0.faiss" if remains == "vectors" else "store.sqlite-wal"
    (tmp_path / "data" / "vectors").mkdir(parents=True)
    (tmp_path / "data" / name).write_bytes(b"something")
    assert "store_missing" in run("search", "red", code=1).stderr
    assert (tmp_path / "data" / name).exists()


def test_what_is_not_there_yet_is_no_loss(tmp_path: Path, media: Path, run: Run) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "jobs.sqlite").touch()
    (tmp_path / "data" / "store.sqlite").touch()
    run("index", str(media))


def test_a_store_that_fails_costs_no_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        service = http.app.state.crossmedia.service  # type: ignore[attr-defined]

        def fail(*_: object, **__: object) -> None:
            raise StoreUnusable("the store is away", "come back later")

        monkeypatch.setattr(service.indexing, "index_files", fail)
        job = upload(http, red_png=png("red"))
        assert (job["state"], job["error"]["code"]) == ("failed", "store_unusable")
    assert kept(tmp_path) == ["red.png"]


def test_a_refused_upload_stays_until_it_is_deleted(tmp_path: Path, run: Run) -> None:
    asset = hashlib.sha256(b"only words").hexdigest()
    with TestClient(create_app(settings(tmp_path))) as http:
        assert upload(http, text_jpg=b"only words")["report"]["failed"] == 1
        assert kept(tmp_path) == ["text.jpg"]
        assert http.delete(f"/v1/assets/{asset[:20]}").status_code == 404
        assert http.delete(f"/v1/assets/{asset}").json() == {"deleted": True, "asset": asset}
        assert http.delete(f"/v1/assets/{asset}").status_code == 404
        assert http.delete("/v1/assets/..").status_code in (404, 405)
        upload(http, text_jpg=b"only words")
    run("rm", asset)
    assert kept(tmp_path) == []


def test_a_deletion_is_recorded_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    with caplog.at_level("INFO"), TestClient(create_app(settings(tmp_path))) as http:
        http.delete(f"/v1/assets/{asset}")
    assert f"deleted upload {asset}/red.png" in caplog.text
    with sqlite3.connect(tmp_path / "data" / "uploads.sqlite") as connection:
        rows = connection.execute("SELECT asset, names, finished FROM deleted_upload").fetchall()
    assert rows == [(asset, '["red.png"]', 1)]


class Killed(BaseException):
    """Stands for the death of the process."""


@pytest.mark.parametrize("when", ["before the index forgets it", "before its file goes"])
def test_an_interrupted_deletion_is_whole_after_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    service = Service(settings(tmp_path))

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if when == "before the index forgets it":
            patch.setattr(service.runtime.store, "delete", die)
        else:
            patch.setattr(service.runtime.uploads, "remove", die)
        with pytest.raises(Killed):
            service.assets.delete([asset])
    service.close()
    assert kept(tmp_path) == ["red.png"]
    with TestClient(create_app(settings(tmp_path))) as http:
        served = http.get(f"/v1/assets/{asset}/content").status_code
    there = when == "before the index forgets it"
    assert (served, kept(tmp_path)) == ((200, ["red.png"]) if there else (404, []))


def test_an_upload_sent_again_while_it_is_deleted_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    service = Service(settings(tmp_path))
    delete = service.runtime.store.delete

    def delete_and_receive(assets: list[str]) -> list[str]:
        deleted = delete(assets)
        part = UploadedPart.of("red.png", None, io.BytesIO(png("red")))
        service.runtime.uploads.keep(
            [part],
            lambda files: service.runtime.jobs.submit("index", {"uploads": [{"location": str(files[0].location)}]}),
        )
        return deleted

    monkeypatch.setattr(service.runtime.store, "delete", delete_and_receive)
    service.assets.delete([asset])
    service.close()
    assert kept(tmp_path) == ["red.png"]


def test_a_job_does_not_bring_back_what_was_deleted_before_it_ran(tmp_path: Path) -> None:
    with TestClient(create_app(settings(tmp_path))) as http:
        http.app.state.crossmedia.worker.stop()  # type: ignore[attr-defined]
        parts = [("file", (f"{colour}.png", png(colour))) for colour in ("blue", "red")]
        waiting = http.post("/v1/assets", files=parts)
        asset = hashlib.sha256(png("blue")).hexdigest()
        assert http.delete(f"/v1/assets/{asset}").status_code == 200
    assert kept(tmp_path) == ["red.png"]
    with TestClient(create_app(settings(tmp_path))) as http:
        report = finished(http, waiting)["report"]
        assert report["uploaded"] == [None, hashlib.sha256(png("red")).hexdigest()]
        assert http.get(f"/v1/assets/{asset}").status_code == 404


def test_what_is_deleted_while_it_is_read_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = hashlib.sha256(png("blue")).hexdigest()
    with TestClient(create_app(settings(tmp_path))) as http:
        service = http.app.state.crossmedia.service  # type: ignore[attr-defined]
        put = service.runtime.store.put

        def delete_and_put(documents: Sequence[Any], **values: Any) -> None:
            service.assets.delete([asset])
            put(documents, **values)

        monkeypatch.setattr(service.runtime.store, "put", delete_and_put)
        answer = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
        assert finished(http, answer)["report"]["uploaded"] == [None]
        assert http.get(f"/v1/assets/{asset}").status_code == 404
    assert kept(tmp_path) == []


def test_a_failing_request_takes_nothing_from_another_with_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    service = Service(settings(tmp_path))
    part: Callable[[], UploadedPart] = lambda: UploadedPart.of("red.png", None, io.BytesIO(png("red")))  # noqa: E731

    def refuse(_: object) -> None:
        service.runtime.uploads.keep([part()], lambda files: files)  # meanwhile another is accepted
        raise QueueFull("full", "later")

    with pytest.raises(QueueFull):
        service.runtime.uploads.keep([part()], refuse)
    assert kept(tmp_path) == ["red.png"]
    service.close()


def test_a_failing_request_leaves_nothing_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    service = Service(settings(tmp_path))

    def refuse(_: object) -> None:
        raise QueueFull("full", "later")

    parts = [UploadedPart.of("red.png", None, io.BytesIO(png("red"))) for _ in range(2)]
    with pytest.raises(QueueFull):
        service.runtime.uploads.keep(parts, refuse)
    assert kept(tmp_path) == []
    service.close()


def test_an_upload_that_was_cut_off_is_whole_when_it_is_sent_again(tmp_path: Path) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    path = tmp_path / "data" / "uploads" / asset / "red.png"
    path.write_bytes(path.read_bytes()[:20])
    with TestClient(create_app(settings(tmp_path))) as http:
        upload(http, red_png=png("red"))
        assert http.get(f"/v1/assets/{asset}/content").content == png("red")


def test_a_copied_folder_is_on_its_own(tmp_path: Path) -> None:
    asset = fill(tmp_path, "red")["red.png"]
    (tmp_path / "there").mkdir()
    shutil.copytree(tmp_path / "data", tmp_path / "there" / "data")
    with TestClient(create_app(settings(tmp_path / "there"))) as http:
        http.delete(f"/v1/assets/{asset}")
    assert (kept(tmp_path), kept(tmp_path / "there")) == (["red.png"], [])


def test_half_received_uploads_go_at_the_start(tmp_path: Path) -> None:
    room = tmp_path / "data" / "uploads" / ".incoming-x"
    room.mkdir(parents=True)
    (room / "half.png").write_bytes(b"ha")
    with TestClient(create_app(settings(tmp_path))):
        assert not room.exists()


def test_half_received_uploads_of_others_stay_for_a_day(tmp_path: Path) -> None:
    service = Service(settings(tmp_path))
    room = tmp_path / "data" / "uploads" / ".incoming-x"
    room.mkdir(parents=True)
    service.runtime.uploads.sweep(3600)
    assert room.is_dir()
    os.utime(room, (1, 1))
    service.runtime.uploads.sweep(3600)
    assert not room.exists()
    service.close()


@pytest.mark.process
@pytest.mark.network
def test_a_service_that_is_told_to_stop_closes_its_files(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = ["serve", "--port", port, "--data", str(tmp_path / "data")]
    process = subprocess.Popen([sys.executable, "-m", "crossmedia.api.cli", *words], env=environment)
    while not (tmp_path / "data" / "jobs.sqlite").exists():
        assert process.poll() is None
        time.sleep(0.05)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=50)) as http:
        assert http.post("/v1/assets", files=[("file", ("red.png", png("red")))]).status_code == 202
    process.terminate()
    process.wait()
    assert list((tmp_path / "data").glob("*-wal")) == [], "else the next start looks through every file"
