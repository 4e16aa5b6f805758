"""`backup`, `restore` and `repair`, interrupted anywhere: the old, or the new, and nothing lost."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from crossmedia.api import exchange
from crossmedia.api.keys.stored import StoredKeys
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.use_cases.backing_up import BackupUnreadable, DataThere, restore
from crossmedia.api.use_cases.indexing import Indexing
from crossmedia.api.use_cases.repairing import Repairing, mend
from crossmedia.retrieval.local.use_lock import InUse
from crossmedia.retrieval.query import Filters
from tests.api.helpers import Run, png, settings, upload
from tests.media_makers import write_picture

pytestmark = pytest.mark.slow  # all of them together; each opens services of its own

PAGE = 4096
COLOURS = ("red", "blue", "green")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with three uploads, a decision and a bank."""
    with TestClient(create_app(settings(tmp_path))) as http:
        report = upload(http, **{f"{colour}_png": png(colour) for colour in COLOURS})["report"]
        assert report["added"] == 3
        assert http.post("/v1/banks", json={"name": "known"}).status_code == 201
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, bytes]:
    """What the service gives out of the collection in `folder/data`, by path."""
    with TestClient(create_app(settings(folder))) as http:
        listed = http.get("/v1/assets").json()["assets"]
        assert http.post("/v1/search", json={"text": "red", "k": 1}).json()["hits"][0]["path"] == "red.png"
        assert [bank["name"] for bank in http.get("/v1/banks").json()["banks"]] == ["known"]
        return {a["sources"][0]["path"]: http.get(f"/v1/assets/{a['asset']}/content").content for a in listed}


WHOLE = {f"{colour}.png": png(colour) for colour in COLOURS}


def corrupt(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(np.random.default_rng(page).bytes(PAGE))


def pages_of(path: Path, table: str) -> list[int]:
    """Pages of a table or an index, the root first."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY path", (table,)).fetchall()
        except sqlite3.OperationalError:
            rows = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    return [row[0] - 1 for row in rows]


def test_a_backup_is_put_back_elsewhere(data: Path, tmp_path: Path, run: Run) -> None:
    backup = tmp_path / "backup"
    report = json.loads(run("backup", str(backup), "--json").stdout)
    assert report["files"] >= 6
    assert "is there already" in run("backup", str(backup), code=1).stderr
    shutil.rmtree(data)
    assert "files of" in run("restore", str(backup)).stdout
    assert contents(tmp_path) == WHOLE
    (tmp_path / "there").mkdir()
    restore(tmp_path / "there" / "data", backup)
    shutil.rmtree(data)
    assert contents(tmp_path / "there") == WHOLE


def test_restoring_moves_aside_what_is_there(data: Path, tmp_path: Path, run: Run) -> None:
    run("backup", str(tmp_path / "backup"))
    with TestClient(create_app(settings(tmp_path))) as http:
        upload(http, white_png=png("white"))
    with pytest.raises(DataThere, match="store.sqlite"):
        restore(data, tmp_path / "backup")
    run("restore", str(tmp_path / "backup"), "--replace")
    assert contents(tmp_path) == WHOLE
    [before] = data.glob("replaced-*")
    assert len(list((before / "uploads").glob("*/*"))) == 4
    assert (before / "store.sqlite").exists()


def test_keys_come_with_a_backup_and_are_never_put_back_over_others(data: Path, tmp_path: Path, run: Run) -> None:
    run("backup", str(tmp_path / "without"))
    key = run("key", "add", "ada").stdout.strip()
    run("backup", str(tmp_path / "with"))
    restore(tmp_path / "there" / "data", tmp_path / "with")
    with closing(StoredKeys(tmp_path / "there" / "data")) as keys:
        assert keys.holder(key) is not None
    run("key", "rm", "ada")
    for backup in ("with", "without"):
        run("restore", str(tmp_path / backup), "--replace")
        with closing(StoredKeys(data)) as keys:
            assert keys.holder(key) is None
        with TestClient(create_app(settings(tmp_path))) as http:
            assert http.get("/v1/assets").status_code == 401


def test_a_damaged_backup_changes_nothing(data: Path, tmp_path: Path, run: Run) -> None:
    backup = tmp_path / "backup"
    run("backup", str(backup))
    [red] = backup.glob("uploads/*/red.png")
    red.write_bytes(b"something else")
    with pytest.raises(BackupUnreadable, match="not what was written"):
        restore(data, backup, replace=True)
    red.unlink()
    with pytest.raises(BackupUnreadable, match="missing"):
        restore(data, backup, replace=True)
    (backup / "backup.json").unlink()
    with pytest.raises(BackupUnreadable, match="no whole backup"):
        restore(data, backup, replace=True)
    assert contents(tmp_path) == WHOLE


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "uploads/../../evil", "vectors/x.faiss", "uploads"])
def test_a_backup_names_only_parts_of_a_data_directory(data: Path, tmp_path: Path, run: Run, name: str) -> None:
    backup = tmp_path / "backup"
    run("backup", str(backup))
    manifest = json.loads((backup / "backup.json").read_text())
    manifest["files"][name] = {"size": 1, "sha256": "0" * 64}
    (backup / "backup.json").write_text(json.dumps(manifest))
    with pytest.raises(BackupUnreadable, match="no part"):
        restore(data, backup, replace=True)


def test_a_directory_in_use_is_neither_restored_nor_repaired(data: Path, tmp_path: Path, run: Run) -> None:
    run("backup", str(tmp_path / "backup"))
    service = Service(settings(tmp_path))
    service.runtime.store.statistics()
    with pytest.raises(InUse):
        restore(data, tmp_path / "backup", replace=True)
    with pytest.raises(InUse):
        mend(data)
    service.close()


def test_a_backup_of_what_is_being_written_is_whole(data: Path, tmp_path: Path) -> None:
    service = Service(settings(tmp_path))
    folder = tmp_path / "media"
    folder.mkdir()
    for i in range(60):
        write_picture(folder / f"p{i}.png", seed=i, width=16, height=16)
    stop = threading.Event()

    def index() -> None:
        for i in range(60):
            if not stop.is_set():
                service.indexing.index([folder / f"p{i}.png"])

    writer = threading.Thread(target=index)
    writer.start()
    for number in range(3):
        service.backing_up.back_up(tmp_path / f"backup{number}")
    stop.set()
    writer.join()
    service.close()
    for number in range(3):
        there = tmp_path / f"there{number}"
        restore(there / "data", tmp_path / f"backup{number}")
        opened = Service(settings(there))
        assert opened.runtime.store.verify(deep=True) == []
        opened.close()


class Killed(BaseException):
    """Stands for the death of the process."""


def test_a_restore_that_dies_anywhere_is_the_old_or_leads_to_the_new(
    data: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup"
    run("backup", str(backup))
    with TestClient(create_app(settings(tmp_path))) as http:
        upload(http, white_png=png("white"))
    shutil.copytree(data, tmp_path / "before")
    rename, finished, unfinished = Path.rename, False, 0
    for deadly in range(40):
        shutil.rmtree(data)
        shutil.copytree(tmp_path / "before", data)
        renamed = 0

        def rename_or_die(self: Path, target: Path) -> Path:
            nonlocal renamed
            renamed += 1
            if renamed > deadly:  # noqa: B023
                raise Killed
            return rename(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", rename_or_die)
            try:
                restore(data, backup, replace=True)
                finished = True
            except Killed:
                pass
        if list(data.glob(".prepared-*")):
            unfinished += 1
            assert "exchange_unfinished" in run("search", "red", code=1).stderr
            assert "finished" in run("repair").stdout
        expected = WHOLE if deadly else {**WHOLE, "white.png": png("white")}
        assert contents(tmp_path) == expected, f"killed at the {deadly}th step"
        assert finished or not deadly or [*data.glob("replaced-*/uploads/*/white.png")]
        if finished:
            break
    assert finished
    assert unfinished > 5


@pytest.mark.slow
@pytest.mark.process
def test_backups_and_restores_that_are_killed(
    data: Path, tmp_path: Path, run: Run, environment: dict[str, str]
) -> None:
    rng = random.Random(1)
    uploads = data / "uploads"
    for i in range(300):  # so that copying takes a while
        (uploads / f"{i:064x}").mkdir()
        (uploads / f"{i:064x}" / "more.bin").write_bytes(rng.randbytes(200_000))
    before = {path.relative_to(data): path.read_bytes() for path in uploads.rglob("*") if path.is_file()}
    hit = 0
    for number in range(6):
        backup = tmp_path / "backup"
        words = ["backup", str(backup)] if number % 2 == 0 else ["restore", str(backup), "--replace"]
        if number % 2 and not backup.exists():
            run("backup", str(backup))
        process = subprocess.Popen(
            [sys.executable, "-m", "crossmedia.api.cli", *words, "--data", str(data)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = tmp_path / "backup.partial" if number % 2 == 0 else data / ".preparing"
        while process.poll() is None and not wanted.exists():
            pass
        try:
            process.wait(rng.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hit += 1
        run("repair")
        after = {path.relative_to(data): path.read_bytes() for path in uploads.rglob("*") if path.is_file()}
        assert after == before, words
        shutil.rmtree(backup, ignore_errors=True)
        assert contents(tmp_path) == WHOLE
    assert hit >= 3
    run("backup", str(tmp_path / "backup"))


@pytest.mark.parametrize(
    "table", ["moment", "vector", "label", "source", "asset", "vector_moment", "moment_asset", "space"]
)
def test_a_damaged_store_is_repaired(data: Path, tmp_path: Path, run: Run, table: str) -> None:
    store = data / "store.sqlite"
    corrupt(store, *pages_of(store, table)[:1])
    for words in (("export", str(tmp_path / "out")), ("doctor",)):
        done = run(*words, code=1)
        assert "store_damaged" in done.stderr or "is damaged" in done.stdout or "malformed" in done.stdout
    run("repair")
    assert contents(tmp_path) == WHOLE
    assert "store and indexes agree" in run("doctor", "--deep").stdout
    [before] = data.glob("replaced-*")
    assert (before / "store.sqlite").exists()
    assert "Nothing is damaged" in run("repair").stdout


@pytest.mark.slow
def test_whatever_page_is_damaged_every_file_is_there_after_a_repair(tmp_path: Path, run: Run, media: Path) -> None:
    run("index", str(media))
    store = tmp_path / "data" / "store.sqlite"
    before = store.read_bytes()
    kept = again = 0
    for page in range(len(before) // PAGE):
        store.write_bytes(before)
        corrupt(store, page)
        mended = mend(tmp_path / "data")
        service = Service(settings(tmp_path))
        report = service.repairing.read_again(mended)
        assert sorted(asset.title for asset in service.runtime.store.assets(Filters(), 10)) == [
            "a.png",
            "b.png",
            "note.txt",
            "tone.wav",
        ], f"page {page}"
        assert report["lost"] == [], f"page {page}"
        assert service.runtime.store.verify(deep=True) == []
        service.close()
        kept += report["kept"] if report["files"] else 4
        again += report["read_again"]
        for folder in (tmp_path / "data").glob("replaced-*"):
            shutil.rmtree(folder)
    assert kept > again


def test_what_can_be_read_is_kept_though_its_file_is_gone(tmp_path: Path, run: Run, media: Path) -> None:
    for i in range(120):
        write_picture(media / f"p{i}.png", seed=i + 10, width=16, height=16)
    run("index", str(media))
    store = tmp_path / "data" / "store.sqlite"
    with closing(sqlite3.connect(store)) as connection:
        before = connection.execute("SELECT count(*) FROM asset").fetchone()[0]
    corrupt(store, pages_of(store, "vector")[-1])
    shutil.rmtree(media)
    report = json.loads(run("repair", "--json", code=1).stdout)
    assert 0 < len(report["lost"]) < before / 2
    assert report["kept"] + len(report["lost"]) == before
    assert all(path.startswith(str(media)) for path in report["lost"])
    assert json.loads(run("status", "--json").stdout)["sources"] == report["kept"]


def test_a_missing_store_is_made_again_from_the_uploads(data: Path, tmp_path: Path, run: Run) -> None:
    (data / "store.sqlite").unlink()
    assert "3 read again" in run("repair").stdout
    assert contents(tmp_path) == WHOLE


def test_a_store_is_kept_though_its_first_page_is_gone(data: Path, tmp_path: Path, run: Run) -> None:
    corrupt(data / "store.sqlite", 0)
    report = json.loads(run("repair", "--json").stdout)
    assert (report["kept"], report["read_again"], report["notes"]) == (3, 0, [])
    assert contents(tmp_path) == WHOLE


def test_a_store_of_which_nothing_can_be_read_is_made_again(data: Path, tmp_path: Path, run: Run) -> None:
    store = data / "store.sqlite"
    store.write_bytes(np.random.default_rng(0).bytes(store.stat().st_size))
    report = json.loads(run("repair", "--json").stdout)
    assert (report["kept"], report["read_again"]) == (0, 3)
    assert report["notes"]
    assert contents(tmp_path) == WHOLE


def test_decisions_and_banks_are_repaired(data: Path, tmp_path: Path, run: Run) -> None:
    service = Service(settings(tmp_path))
    from crossmedia.retrieval.policy.decisions import Decision

    service.moderation.decisions.add([Decision(f"{i:064x}", "review", "me", True, note="x" * 200) for i in range(200)])
    identity = service.moderation.decisions.id
    service.close()
    path = data / "decisions.sqlite"
    corrupt(path, pages_of(path, "decision")[5])
    assert "decisions.sqlite" in run("doctor", code=1).stdout
    report = json.loads(run("repair", "--json").stdout)
    assert report["files"] == ["decisions.sqlite"]
    assert 150 < report["rows"]["decisions.sqlite"]["decision"] < 200
    service = Service(settings(tmp_path))
    assert service.moderation.decisions.id == identity
    assert service.moderation.decisions.history(f"{0:064x}")
    assert service.moderation.decisions.history(f"{199:064x}")
    service.close()


@pytest.mark.parametrize(
    ("place", "name"), [(exchange, "_move_aside"), (Repairing, "read_again"), (Indexing, "index_files")]
)
def test_an_interrupted_repair_goes_on(
    data: Path, tmp_path: Path, run: Run, media: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    run("index", str(media))
    corrupt(data / "store.sqlite", *pages_of(data / "store.sqlite", "moment")[:1])

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, name, die)
        with pytest.raises(Killed):
            run("repair")
    run("repair")
    there = contents(tmp_path)
    assert {path: there[path] for path in WHOLE} == WHOLE
    assert len(there) == 7
    assert not (data / "repair.json").exists()
