"""What only the local store has: an approximate index, files that can be damaged, versions."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.retrieval.local import LocalStore, vectors
from crossmedia.retrieval.local.words import match_expressions
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import StoreBusy, StoreUnusable
from crossmedia.retrieval.stored_asset import Done, same
from crossmedia.retrieval.wording import content_words, snippet
from tests.retrieval.makers import SPACES, asset_id, document, eventful, unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def approximate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 500)
    monkeypatch.setattr(vectors, "TRAIN_PER_LIST", 5)
    monkeypatch.setattr("crossmedia.retrieval.local.derived.SAVE_AFTER", 1)
    monkeypatch.setattr("crossmedia.retrieval.local.near.EXHAUSTIVE_UP_TO", 20)


def filled(folder: Path, count: int) -> tuple[LocalStore, np.ndarray]:
    store = LocalStore(folder)
    store.bind(SPACES)
    rows = np.stack([unit(i) for i in range(count)])
    store.put([document(f"p{i}", vector=rows[i], captured=f"20{i % 40 + 10}") for i in range(count)])
    return store, rows


@pytest.mark.usefixtures("approximate")
def test_threads_save_an_index_one_after_the_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs that end at once would write one file twice."""
    store, _ = filled(folder, 30)
    writing, go_on = threading.Event(), threading.Event()
    writers: list[str] = []

    def write(index: object, path: str) -> None:
        writers.append(threading.current_thread().name)
        writing.set()
        assert go_on.wait(60)
        faiss_write(index, path)

    faiss_write = faiss.write_index
    monkeypatch.setattr("crossmedia.retrieval.local.index_files.faiss.write_index", write)
    thread = threading.Thread(target=store.optimise, name="first")
    thread.start()
    assert writing.wait(60)
    store.optimise()
    assert writers == ["first"]
    go_on.set()
    thread.join()
    saved = list((folder / "vectors").glob("common-picture.*.faiss"))
    assert len(saved) == 1
    (folder / "vectors" / ".common-picture.1.0.0.x.1.partial").touch()
    (folder / "vectors" / f".common-picture.1.0.0.x.{2**22 + 1}.partial").touch()
    filled(folder, 40)[0].optimise()
    left = [path.name for path in (folder / "vectors").glob(".*.partial")]
    assert left == [".common-picture.1.0.0.x.1.partial"], "what the dead left goes, what others write stays"
    store.close()


@pytest.mark.usefixtures("approximate")
def test_large_store_finds_what_a_scan_finds(folder: Path) -> None:
    store, rows = filled(folder, 1500)
    store.optimise()
    index = store._derived.current("common/picture")
    assert index is not None
    assert not index.exact
    hit = 0
    for seed in range(30):
        query = unit(5000 + seed)
        found = [n.moment for n in store.search_vectors("common", "picture", query, 10, Filters())]
        hit += len({f"{asset_id(f'p{i}')}-picture0" for i in np.argsort(-(rows @ query))[:10]} & set(found))
    assert hit >= 255
    filtered = store.search_vectors("common", "picture", unit(1), 30, Filters(after="2049"))
    assert len(filtered) == 30
    store.delete([asset_id(f"p{i}") for i in range(0, 1400)])
    assert len(store.search_vectors("common", "picture", unit(1), 200, Filters())) == 100
    assert store.verify() == []
    store.close()


@pytest.mark.usefixtures("approximate")
def test_saved_index_is_reused_and_caught_up(folder: Path) -> None:
    store, _ = filled(folder, 600)
    store.optimise()
    store.put([document("late", vector=unit(7000))])
    store.delete([asset_id("p3")])
    store.close()
    again = LocalStore(folder)
    assert (
        again.search_vectors("common", "picture", unit(7000), 1, Filters())[0].moment == f"{asset_id('late')}-picture0"
    )
    index = again._derived.current("common/picture")
    assert index is not None
    assert not index.exact
    assert again.verify() == []
    again.close()


@pytest.mark.usefixtures("approximate")
@pytest.mark.parametrize("damage", ["empty", "noise", "half overwritten", "ahead", "of an earlier version", "gone"])
def test_damaged_index_is_rebuilt(folder: Path, damage: str) -> None:
    store, _ = filled(folder, 600)
    store.optimise()
    store.close()
    for path in (folder / "vectors").glob("*.faiss"):
        if damage == "empty":
            path.write_bytes(b"")
        elif damage == "noise":
            path.write_bytes(np.random.default_rng(0).bytes(1000))
        elif damage == "half overwritten":
            with path.open("r+b") as file:
                file.seek(path.stat().st_size // 2)
                file.write(np.random.default_rng(0).bytes(path.stat().st_size // 2))
        elif damage == "of an earlier version":
            path.rename(path.with_name(".".join([*path.name.split(".")[:4], "faiss"])))
        elif damage == "gone":
            path.unlink()
        else:
            parts = path.name.split(".")
            parts[1] = "999999"
            path.rename(path.with_name(".".join(parts)))
    again = LocalStore(folder)
    assert again.search_vectors("common", "picture", unit(3), 1, Filters())[0].similarity == pytest.approx(1, abs=1e-5)
    assert again.verify() == []
    again.close()


@pytest.mark.usefixtures("approximate")
@pytest.mark.parametrize("read_first", [True, False])
def test_an_older_store_that_was_put_back_and_written_to_finds_its_own(folder: Path, read_first: bool) -> None:
    store, _ = filled(folder, 600)
    store.close()
    shutil.copy(folder / "store.sqlite", folder / "older.sqlite")
    store = LocalStore(folder)
    store.put([document(f"lost{i}", vector=unit(3000 + i)) for i in range(50)])
    store.optimise()
    store.close()
    (folder / "older.sqlite").replace(folder / "store.sqlite")
    again = LocalStore(folder)
    if read_first:
        assert again.search_vectors("common", "picture", unit(3), 1, Filters())[0].similarity == pytest.approx(1)
    # As many as there were: counters alone say that the files fit.
    again.put([document(f"new{i}", vector=unit(9000 + i)) for i in range(50)])
    again.close()
    again = LocalStore(folder)
    for i in range(50):
        [match] = again.search_vectors("common", "picture", unit(9000 + i), 1, Filters())
        assert match.moment == f"{asset_id(f'new{i}')}-picture0"
    assert again.verify(deep=True) == []
    again.close()


@pytest.mark.usefixtures("approximate")
def test_a_file_is_used_again_by_later_processes(folder: Path) -> None:
    store, _ = filled(folder, 600)
    store.optimise()
    store.close()
    [saved] = (folder / "vectors").glob("common-picture.*.faiss")
    for i in range(3):
        again = LocalStore(folder)
        again.put([document(f"more{i}", vector=unit(3000 + i))])
        index = again._derived.current("common/picture")
        assert index is not None
        assert not index.exact, "only a saved index is trained before `optimise`"
        again.close()
    assert saved.exists()


@pytest.mark.usefixtures("approximate")
@pytest.mark.parametrize("count", [40, 600])
@pytest.mark.parametrize("deep", [True, False])
def test_vectors_of_others_are_told(folder: Path, count: int, deep: bool) -> None:
    store, _ = filled(folder, count)
    store.optimise()
    assert store.verify(deep) == []
    index = store._derived.current("common/picture")
    assert index is not None
    assert index.exact == (count == 40)
    held = index.ids()
    rows = np.stack([unit(5000 + i) for i in range(len(held))])
    index.follow(np.empty(0, dtype=np.int64), rows[:0], held, index.generation)
    index.follow(held, rows, np.empty(0, dtype=np.int64), index.generation)
    compared = count if deep else min(count, 200)
    assert store.verify(deep) == [f"index common/picture: {compared} vectors are not those of the store"]
    store.close()


def test_newer_schema_and_no_database_are_refused(folder: Path) -> None:
    LocalStore(folder).close()
    connection = sqlite3.connect(folder / "store.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreUnusable, match="newer"):
        LocalStore(folder)
    (folder / "store.sqlite").write_bytes(b"no database at all, but long enough to look like a file" * 50)
    with pytest.raises(StoreUnusable):
        LocalStore(folder)


def test_verify_sees_a_difference(folder: Path) -> None:
    store, _ = filled(folder, 5)
    store.search_vectors("common", "picture", unit(1), 1, Filters())
    index = store._derived.current("common/picture")
    assert index is not None
    index.follow(np.empty(0, dtype=np.int64), np.empty((0, 16), dtype=np.float32), np.array([1]), index.generation)
    assert store.verify() == ["index common/picture: 1 vectors missing, 0 that are gone"]
    store.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "delete", "search"]), st.integers(0, 15)), max_size=40))
def test_any_sequence_of_writes_leaves_store_and_index_agreeing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("any"))
    store.bind(SPACES)
    alive: set[int] = set()
    for action, i in steps:
        if action == "put":
            store.put([document(f"p{i}", vector=unit(i))])
            alive.add(i)
        elif action == "delete":
            assert bool(store.delete([asset_id(f"p{i}")])) == (i in alive)
            alive.discard(i)
        else:
            found = store.search_vectors("common", "picture", unit(i), 20, Filters())
            assert {n.moment for n in found} == {f"{asset_id(f'p{j}')}-picture0" for j in alive}
    assert store.verify() == []
    store.close()


@given(st.text(), st.lists(st.text(), max_size=3))
def test_no_text_is_syntax(text: str, without: list[str]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (x)")
    words = content_words(text).terms
    if words:
        for expression in match_expressions(words, words[:1], without):
            connection.execute("SELECT * FROM t WHERE t MATCH ?", (expression,)).fetchall()
    connection.close()


def test_snippet_shows_the_densest_stretch() -> None:
    words = [f"w{i}" for i in range(100)]
    words[70], words[72] = "\x02dog\x03", "\x02beach\x03"
    text = snippet(" ".join(words))
    assert "dog w71 beach" in text
    assert text.startswith("…")
    assert text.endswith("…")


def test_threads_that_end_leave_no_connection(folder: Path) -> None:
    store, _ = filled(folder, 5)
    for _ in range(30):
        thread = threading.Thread(target=lambda: store.statistics())
        thread.start()
        thread.join()
    gc.collect()
    assert len(store._database._all) <= 2
    store.close()


def test_clusters_are_found_on_gpus_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[faiss.Index] = []

    def on_gpus(index: faiss.Index) -> faiss.Index:
        sent.append(index)
        return index

    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "index_cpu_to_all_gpus", on_gpus, raising=False)
    rows = np.stack([unit(i) for i in range(3000)])
    index = vectors.VectorIndex(rows.shape[1]).train(rows, len(rows))
    index.follow(np.arange(len(rows)), rows, np.array([5]), vectors.Generation(len(rows), 1))
    assert len(sent) == 1
    assert index.search(rows[7], 1).tolist()[0] == 7
    assert 5 not in index.ids()


@pytest.mark.usefixtures("approximate")
def test_training_sample_does_not_depend_on_the_ids(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two spaces are written together, so the ids of each alternate.
    monkeypatch.setattr("crossmedia.retrieval.local.derived.TRAIN_SAMPLE", 400)
    store, rows = filled(folder, 900)
    store.optimise()
    index = store._derived.current("picture/picture")
    assert index is not None
    assert not index.exact
    assert store.search_vectors("picture", "picture", rows[7], 1, Filters())[0].similarity == pytest.approx(1, abs=1e-5)
    store.close()


def test_a_field_that_is_none_never_gets_into_a_statement(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put([document("a", text="words")])
    [held] = store.stored_assets([asset_id("a")])
    for field in ("title = NULL; --", "maker"):
        with pytest.raises(ValueError, match="no text field"):
            store.restore([replace(held, done=(Done("ocr", "m", None, (field,)),))])
    [after] = store.stored_assets([asset_id("a")])
    assert same(held, after)


def test_totals_follow_whatever_is_written(folder: Path) -> None:
    store = LocalStore(folder)
    store.bind(SPACES)
    eventful(store)
    assert store.verify() == []
    everything = list(store.asset_ids())
    store.restore(store.stored_assets(everything))
    store.put([replace(document("photo", vector=unit(1)), attachments={})], replace=True)
    store.put([document("moving", vector=unit(7)), document("p1", media="video")], replace=True)
    store.forget(["/disk/photos/p2"], "default")
    store.delete([asset_id("clip")])
    assert store.verify() == []
    assert store.statistics().assets == {"image": 20, "text": 1, "video": 1}
    store.delete(list(store.asset_ids()))
    assert store.verify() == []
    assert (store.statistics().assets, store.statistics().bytes, store.counted()) == ({}, 0, {})


def test_a_wrong_total_is_told(folder: Path) -> None:
    store, _ = filled(folder, 3)
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute("UPDATE total SET count = 4 WHERE what = 'moments'")
    assert store.verify() == [
        "the total of moments picture is 4, and others are there",
        "there are 3 moments picture, and no total says so",
    ]


@pytest.fixture
def locked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LocalStore, sqlite3.Connection]]:
    """A store, and somebody who has locked it, where no log of changes lets others read meanwhile: so it is on file
    systems without shared memory."""
    monkeypatch.setattr("crossmedia.retrieval.local.database.BUSY_SECONDS", 0.01)
    store, _ = filled(folder, 3)
    store._database.connection().execute("PRAGMA journal_mode=DELETE")
    other = sqlite3.connect(folder / "store.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    yield store, other
    other.close()
    store.close()


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.search_vectors("common", "picture", unit(1), 3, Filters()),
        lambda store: store.assets(Filters(), 3),
        lambda store: store.statistics(),
        lambda store: store.delete([asset_id("p1")]),
        lambda store: store.put([document("late", vector=unit(9))]),
        lambda store: store.expunge(),
        lambda store: store.verify(),
        lambda store: LocalStore(store.folder),
    ],
    ids=["search", "list", "count", "delete", "put", "expunge", "verify", "open"],
)
def test_a_store_that_somebody_has_locked_is_told_as_such(
    locked: tuple[LocalStore, sqlite3.Connection], use: Callable[[LocalStore], object]
) -> None:
    store, other = locked
    with pytest.raises(StoreUnusable, match="locked") as failure:
        use(store)
    assert "traceback" not in failure.value.hint
    assert failure.value.hint
    other.rollback()
    opened = use(store)
    if isinstance(opened, LocalStore):
        opened.close()
    assert store.verify() == []


def test_a_commit_that_finds_the_store_locked_leaves_nothing(
    locked: tuple[LocalStore, sqlite3.Connection],
) -> None:
    """A reader's lock lets a writer begin, and not end."""
    store, other = locked
    other.rollback()
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM asset").fetchone()
    with pytest.raises(StoreBusy) as failure:
        store.delete([asset_id("p1")])
    assert failure.value.retry_after > 0
    other.rollback()
    assert len(store.assets(Filters(), 10)) == 3
    store.delete([asset_id("p1")])
    assert len(store.assets(Filters(), 10)) == 2


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no list of open files")
def test_a_failure_that_somebody_keeps_does_not_keep_the_file_open(
    locked: tuple[LocalStore, sqlite3.Connection],
) -> None:
    store, other = locked
    with pytest.raises(StoreBusy) as kept:
        store.assets(Filters(), 3)
    other.close()
    store.close()
    opened = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink() and link.exists()]
    assert store.folder / "store.sqlite" not in opened, kept
