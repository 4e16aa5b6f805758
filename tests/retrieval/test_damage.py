"""A SQLite file whose pages are not what was written: one clear error, and nothing more is written to it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.database import Damaged, Database
from crossmedia.retrieval.local.use_lock import InUse, alone
from crossmedia.retrieval.query import Filters
from tests.retrieval.makers import SPACES, asset_id, document, unit

pytestmark = pytest.mark.slow  # all of them together; each opens services of its own

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 40 pictures, closed as it should be."""
    folder = tmp_path_factory.mktemp("whole")
    store = LocalStore(folder)
    store.bind(SPACES)
    store.put([document(f"p{i}", vector=unit(i), text=f"a boat number {i}") for i in range(40)])
    store.close()
    return folder / "store.sqlite"


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(np.random.default_rng(page).bytes(PAGE))


USES: dict[str, Callable[[LocalStore], object]] = {
    "search": lambda s: s.search_vectors("common", "picture", unit(3), 5, Filters()),
    "words": lambda s: s.search_text("boat", 5, Filters()),
    "assets": lambda s: s.assets(Filters(), 100),
    "moments": lambda s: [s.moments(asset) for asset in s.asset_ids()],
    "export": lambda s: s.stored_assets(list(s.asset_ids())),
    "statistics": lambda s: s.statistics(),
    "verify": lambda s: s.verify(),
    "put": lambda s: s.put([document("later", vector=unit(99))]),
    "delete": lambda s: s.delete([asset_id("p3")]),
}


def test_any_damaged_page_is_told_as_such(whole: Path, tmp_path: Path) -> None:
    met, others = 0, []
    for page in range(whole.stat().st_size // PAGE):
        folder = tmp_path / str(page)
        folder.mkdir()
        shutil.copy(whole, folder / "store.sqlite")
        overwrite(folder / "store.sqlite", page)
        for name, use in USES.items():
            try:
                store = LocalStore(folder)
                try:
                    use(store)
                finally:
                    store.close()
            except Damaged:
                met += 1
            except Exception as error:
                others.append(f"page {page}, {name}: {type(error).__name__} {error}")
    assert not others
    assert met > 50


def test_nothing_is_written_once_damage_was_met(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    shutil.copy(whole, path)
    with sqlite3.connect(path) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'label_value'").fetchone()
    connection.close()
    overwrite(path, root - 1)
    store = LocalStore(tmp_path)
    with pytest.raises(Damaged):
        store.count_facets()
    before = path.read_bytes()
    with pytest.raises(Damaged, match="before"):
        store.put([document("later", vector=unit(99))])
    store.close()
    with pytest.raises(Damaged, match="damaged"):
        LocalStore(tmp_path)
    assert path.read_bytes() == before


def test_a_false_alarm_ends_with_a_look(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole, tmp_path / "store.sqlite")
    (tmp_path / "store.sqlite.suspect").touch()
    store = LocalStore(tmp_path)
    store.put([document("later", vector=unit(99))])
    store.close()
    assert not (tmp_path / "store.sqlite.suspect").exists()


DIE = """
import os, sys
from pathlib import Path
from crossmedia.retrieval.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
with store._database.write() as connection:
    connection.execute("INSERT INTO setting VALUES ('a', 'b')")
os._exit(9)
"""


@pytest.mark.process
def test_the_first_after_a_crash_looks_through_the_file(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    shutil.copy(whole, path)
    overwrite(path, path.stat().st_size // PAGE - 1)
    LocalStore(tmp_path).close()  # after an end as it should be, nobody reads everything
    subprocess.run([sys.executable, "-c", DIE, str(tmp_path)], check=False)
    with pytest.raises(Damaged):
        LocalStore(tmp_path)


def test_who_wants_a_file_alone_does_not_get_it_while_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    database = Database(path, "crossmedia.retrieval.local")
    with pytest.raises(InUse), alone([path]):
        pass
    database.close()
    with alone([path]):
        pass
