"""A data folder that this user may read and not write."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.index_files import save
from tests.api.helpers import WEIGHTY, command
from tests.media_makers import write_picture

pytestmark = pytest.mark.process
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Runs a program of the superuser's that permissions bind too."""


@pytest.fixture
def data(environment: dict[str, str]) -> Iterator[Path]:
    """A collection of a text and a picture, in a folder that everybody may read and nobody may write."""
    with tempfile.TemporaryDirectory() as room:
        folder, media = Path(room), Path(room) / "media"
        media.mkdir()
        (media / "note.txt").write_text("The red boats come home in the evening.")
        write_picture(media / "a.png", seed=1)
        command(environment, "index", str(media), "--data", str(folder / "data"))
        _permit(folder, 0o555, 0o444)
        yield folder / "data"
        _permit(folder, 0o755, 0o644)


def _permit(folder: Path, folders: int, files: int) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(folders if path.is_dir() else files)


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line where permissions count."""
    environment = {
        **os.environ,
        "CROSSMEDIA_PROFILE": "toy",
        "CROSSMEDIA_WITHOUT": ",".join(WEIGHTY),
        "HOME": "/nowhere",
    }
    line = [
        *(BOUND if os.geteuid() == 0 else ()),
        sys.executable,
        "-m",
        "crossmedia.api.cli",
        *words,
        "--data",
        str(data),
    ]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_it_is_searched_and_looked_at(data: Path) -> None:
    before = sorted(path.name for path in data.iterdir())
    found = run(data, "search", "red boats", "--json")
    assert found.returncode == 0, found.stderr
    hits = json.loads(found.stdout)["hits"]
    assert hits[0]["path"].endswith("note.txt")
    for words in (("show", hits[0]["asset"]), ("status",), ("labels",)):
        looked = run(data, *words)
        assert looked.returncode == 0, looked.stderr
    assert sorted(path.name for path in data.iterdir()) == before


@pytest.mark.parametrize("shared", [True, False])
def test_what_a_killed_writer_left_is_read_or_refused(data: Path, environment: dict[str, str], shared: bool) -> None:
    """The last transactions lie in `-wal` then; SQLite reads them with the `-shm` of the same writer only."""
    _permit(data.parent, 0o755, 0o644)
    (data.parent / "media" / "more.txt").write_text("A green lighthouse stands on the cliff.")
    reader = sqlite3.connect(data / "store.sqlite")  # keeps the files from being tidied away
    reader.execute("SELECT count(*) FROM asset").fetchone()
    command(environment, "index", str(data.parent / "media"), "--data", str(data))
    left = data.parent / "left"
    shutil.copytree(data, left)
    reader.close()
    assert (left / "store.sqlite-wal").stat().st_size > 0
    if not shared:
        (left / "store.sqlite-shm").unlink()
    _permit(left, 0o555, 0o444)
    found = run(left, "search", "green lighthouse", "--json")
    if shared:
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["hits"][0]["path"].endswith("more.txt")
    else:
        assert (found.returncode, "store_unusable" in found.stderr) == (1, True)
        assert "Traceback" not in found.stderr


def test_it_is_not_written_to(data: Path) -> None:
    refused = run(data, "rm", json.loads(run(data, "search", "red boats", "--json").stdout)["hits"][0]["asset"])
    assert refused.returncode == 1
    assert "readonly" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("damage", ["noise", "unreadable"])
def test_a_damaged_index_is_made_again_for_the_search(data: Path, damage: str) -> None:
    """The file cannot be removed there; the store has all that is in it."""
    _permit(data.parent, 0o755, 0o644)
    store = LocalStore(data)
    for field in store._derived.fields():
        index = store._derived.current(field)
        assert index is not None
        save(index, data / "vectors", field)
    store.close()
    saved = sorted((data / "vectors").glob("*.faiss"))
    assert saved
    for path in saved:
        path.write_bytes(b"noise" * 200)
    _permit(data.parent, 0o555, 0o444)
    if damage == "unreadable":
        for path in saved:
            path.chmod(0o000)
    found = run(data, "search", "--image", str(data.parent / "media" / "a.png"), "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["hits"][0]["path"].endswith("a.png")
    assert sorted((data / "vectors").glob("*.faiss")) == saved
