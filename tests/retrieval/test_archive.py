"""A collection into a folder and from there into another store."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import Space
from crossmedia.embeddings.heads import Heads
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.archive import (
    Archive,
    ArchiveUnusable,
    ArchiveUnwritable,
    FolderTaken,
    Imported,
    NotEmpty,
    export,
)
from crossmedia.retrieval.archive import (
    bring as bring_unseen,
)
from crossmedia.retrieval.archive.lines import to_holding, to_line
from crossmedia.retrieval.documents import FIELDS, Asset, Label, Moment, Source, moment_id
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import RandomPairs, SpaceMismatch, StoreUnusable
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment, same
from tests.retrieval.makers import SPACES, asset_id, document, eventful, unit

EVERYTHING = Filters()
bring = partial(bring_unseen, look=lambda asset, source: source)
"""As where every file lies where the archive says."""
MEASURED = [RandomPairs("common", "text", "picture", 0.125, 0.0625, 20, 22)]


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    """None: `tests/api/test_moving.py` has collections with heads."""
    return Heads(tmp_path / "heads")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "one")
    store.bind(SPACES)
    eventful(store)
    store.keep_random_pairs(MEASURED)
    return store


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 7 assets, transactions of 3."""
    monkeypatch.setattr("crossmedia.retrieval.archive.writing.MAX_PART_ASSETS", 7)
    monkeypatch.setattr("crossmedia.retrieval.archive.importing.WRITTEN_AT_ONCE", 3)


@pytest.fixture
def folder(tmp_path: Path, store: LocalStore, heads: Heads, small: None) -> Path:
    """The store's archive, in several parts."""
    export(store, tmp_path / "archive", heads)
    return tmp_path / "archive"


def assert_equal(one: LocalStore, two: LocalStore) -> None:
    ids = list(one.asset_ids())
    assert list(two.asset_ids()) == ids
    assert all(same(a, b) for a, b in zip(one.stored_assets(ids), two.stored_assets(ids), strict=True))
    assert (one.spaces(), one.statistics(), one.located(), one.random_pairs()) == (
        two.spaces(),
        two.statistics(),
        two.located(),
        two.random_pairs(),
    )


def test_everything_arrives(tmp_path: Path, store: LocalStore, heads: Heads, folder: Path) -> None:
    counted: list[int] = []
    two = LocalStore(tmp_path / "two")
    found = bring(Archive(folder), two, heads, plan=counted.append, tell=counted.append)
    assert (found.assets, found.restored, found.same, found.finished, found.merged) == (23, 23, 0, True, False)
    assert counted[0] == sum(counted[1:]) == 23
    assert_equal(store, two)
    assert two.random_pairs() == MEASURED
    for space, modality in store.counted():
        for seed in range(5):
            before, after = (each.search_vectors(space, modality, unit(seed), 10, EVERYTHING) for each in (store, two))
            assert [found.moment for found in before] == [found.moment for found in after] != []
            np.testing.assert_allclose([f.similarity for f in before], [f.similarity for f in after], atol=1e-6)
    assert (
        store.search_text("exit sign photo", 10, EVERYTHING) == two.search_text("exit sign photo", 10, EVERYTHING) != []
    )
    assert two.verify() == []


@pytest.mark.process
def test_the_files_are_what_common_tools_read(folder: Path, store: LocalStore) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["parts"]) == 4
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "manifest.json"}
    lines = [json.loads(line) for line in (folder / "assets-00000.jsonl").read_text().split("\n")[:-1]]
    [photo] = [line for line in lines if line["asset"]["title"] == "photo"]
    vectors = np.load(folder / "vectors-00000-common.npy")
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[photo["moments"][0]["vectors"]["common"]["row"]], unit(50))
    told = subprocess.run(
        ["tar", "-xOf", "media-00000.tar", f"attachments/{asset_id('clip')}/preview"],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    assert told.stdout == b"webp"
    names = subprocess.run(["tar", "-tf", "media-00000.tar"], cwd=folder, capture_output=True, text=True, check=True)
    assert f"thumbnails/{asset_id('photo')}-picture0.jpg" in names.stdout.splitlines()
    sums = "".join(f"{file['sha256']}  {name}\n" for name, file in manifest["files"].items())
    subprocess.run(
        ["sha256sum", "--check", "--strict"], input=sums, cwd=folder, capture_output=True, text=True, check=True
    )


def test_two_exports_of_one_store_are_the_same(tmp_path: Path, store: LocalStore, heads: Heads, folder: Path) -> None:
    export(store, tmp_path / "again", heads)
    for path in folder.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_an_empty_collection_moves_with_its_spaces(tmp_path: Path, heads: Heads) -> None:
    one, two = LocalStore(tmp_path / "one"), LocalStore(tmp_path / "two")
    one.bind(SPACES)
    assert export(one, tmp_path / "archive", heads) is not None
    assert bring(Archive(tmp_path / "archive"), two, heads).finished
    assert two.spaces() == one.spaces() != {}


def test_a_large_asset_fills_a_part(
    tmp_path: Path, store: LocalStore, heads: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.retrieval.archive.writing.MAX_PART_BYTES", 1)
    found = export(store, tmp_path / "archive", heads)
    assert found is not None
    assert (found.parts, found.assets) == (23, 23)
    two = LocalStore(tmp_path / "two")
    bring(Archive(tmp_path / "archive"), two, heads)
    assert_equal(store, two)


def test_memory_does_not_grow_with_the_collection(
    tmp_path: Path, heads: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.retrieval.archive.importing.BYTES_AT_ONCE", 1 << 20)
    monkeypatch.setattr("crossmedia.retrieval.archive.writing.MAX_PART_BYTES", 8 << 20)
    one, two = LocalStore(tmp_path / "one"), LocalStore(tmp_path / "two")
    one.bind(SPACES)
    for start in range(0, 600, 20):
        one.put([document(f"p{n}", attachments={"preview": bytes(50_000)}) for n in range(start, start + 20)])
    tracemalloc.start()
    try:
        export(one, tmp_path / "archive", heads)
        bring(Archive(tmp_path / "archive"), two, heads)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(path.stat().st_size for path in (tmp_path / "archive").iterdir()) > 30_000_000
    assert peak < 12_000_000
    assert_equal(one, two)


@pytest.mark.parametrize("taken", ["file", "folder", "link"])
def test_nothing_is_written_over(tmp_path: Path, store: LocalStore, heads: Heads, taken: str) -> None:
    target = tmp_path / "archive"
    if taken == "file":
        target.write_text("mine")
    elif taken == "folder":
        (target / "photos").mkdir(parents=True)
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderTaken) as error:
        export(store, target, heads)
    assert error.value.hint
    assert not list(tmp_path.glob(".archive.*"))
    assert taken != "file" or target.read_text() == "mine"


@pytest.mark.process
def test_an_export_that_ends_early_leaves_nothing(
    tmp_path: Path, store: LocalStore, heads: Heads, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "archive"

    def partial() -> list[Path]:
        return list(tmp_path.glob(".archive.*"))

    monkeypatch.setattr("crossmedia.retrieval.archive.exporting.READ_AT_ONCE", 5)
    stop = threading.Event()
    assert export(store, target, heads, tell=lambda count: stop.set(), stop=stop) is None
    assert not target.exists()
    assert not partial()

    def fail(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(store, target, heads, tell=fail)
    assert not target.exists()
    assert not partial()
    killed = subprocess.Popen(["true"])
    killed.wait()
    left, other = (tmp_path / f".archive.{process}.partial" for process in (killed.pid, os.getppid()))
    for folder in (left, other):
        folder.mkdir()
        (folder / "assets-00000.jsonl").write_text("of a run that was killed, and of one that goes on")
    target.mkdir()
    found = export(store, target, heads)
    assert found is not None
    assert found.assets == 23
    assert partial() == [other]
    Archive(target)


def test_a_collection_that_is_being_made_anew_is_not_exported(tmp_path: Path, store: LocalStore, heads: Heads) -> None:
    other = Space("common", 16, "test", "2", "none")

    def change(count: int) -> None:
        store.rebind([other])

    with pytest.raises(SpaceMismatch):
        export(store, tmp_path / "archive", heads, tell=change)
    store.rebind([Space("common", 16, "test", "2 → 3", "none")])
    with pytest.raises(SpaceMismatch, match="being reindexed"):
        export(store, tmp_path / "archive", heads)
    assert not (tmp_path / "archive").exists()


def test_what_could_not_be_read_back_is_not_exported(tmp_path: Path, store: LocalStore, heads: Heads) -> None:
    store.put([document("long", vector=2 * unit(1))])
    with pytest.raises(StoreUnusable, match="long.*no unit vector"):
        export(store, tmp_path / "archive", heads)
    store.delete([asset_id("long")])
    store.keep_random_pairs([RandomPairs("common", "text", "picture", 0.5, float("inf"), 1, 1)])
    with pytest.raises(StoreUnusable, match="std.*finite"):
        export(store, tmp_path / "archive", heads)
    store.put([document("endless", labels=(Label("scene", "x", float("inf"), "m"),))])
    with pytest.raises(StoreUnusable, match="endless.*finite"):
        export(store, tmp_path / "archive", heads)
    assert not (tmp_path / "archive").exists()


def test_where_nothing_can_be_written_and_read(
    tmp_path: Path, store: LocalStore, heads: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    for target in (tmp_path / "file" / "archive", tmp_path / ("x" * 300)):
        with pytest.raises(ArchiveUnwritable, match="cannot be written"):
            export(store, target, heads)
    export(store, tmp_path / "archive", heads)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("crossmedia.retrieval.archive.manifest.sha256", fail)
    with pytest.raises(ArchiveUnusable, match="Input/output error"):
        bring(Archive(tmp_path / "archive"), LocalStore(tmp_path / "two"), heads)
    with pytest.raises(ArchiveUnwritable, match="Input/output error"):
        export(store, tmp_path / "again", heads)
    assert not list(tmp_path.glob("*again*"))


class Crash(Exception):
    pass


class Crashing(LocalStore):
    """Ends like a killed process with the write of so many transactions, before or after it."""

    def __init__(self, folder: Path, writes: int, before: bool) -> None:
        super().__init__(folder)
        self.writes, self.before = writes, before

    def restore(self, stored_assets: Sequence[StoredAsset]) -> None:
        self.writes -= 1
        if self.writes < 0 and self.before:
            raise Crash
        super().restore(stored_assets)
        if self.writes < 0:
            raise Crash


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("writes", [0, 1, 3, 7])
def test_an_import_goes_on_after_a_crash(
    tmp_path: Path, store: LocalStore, heads: Heads, folder: Path, writes: int, before: bool
) -> None:
    with pytest.raises(Crash):
        bring(Archive(folder), Crashing(tmp_path / "two", writes, before), heads)
    two = LocalStore(tmp_path / "two")
    held = len(list(two.asset_ids()))
    assert held < 23
    found = bring(Archive(folder), two, heads)
    assert (found.same, found.restored, found.finished) == (held, 23 - held, True)
    assert_equal(store, two)
    assert bring(Archive(folder), two, heads).restored == 0
    assert two.verify() == []


def test_an_import_that_is_stopped_goes_on(tmp_path: Path, store: LocalStore, heads: Heads, folder: Path) -> None:
    two, stop = LocalStore(tmp_path / "two"), threading.Event()
    found = bring(Archive(folder), two, heads, tell=lambda count: stop.set(), stop=stop)
    assert (found.restored, found.finished) == (3, False)
    assert two.random_pairs() == []
    assert bring(Archive(folder), two, heads).same == 3
    assert_equal(store, two)


def merged(folder: Path, two: LocalStore, heads: Heads) -> Imported:
    with pytest.raises(NotEmpty) as error:
        bring(Archive(folder), two, heads)
    assert error.value.remedy == "merge"
    return bring(Archive(folder), two, heads, merge=True)


def test_a_collection_that_holds_something_is_added_to_only_on_demand(
    tmp_path: Path, store: LocalStore, heads: Heads, folder: Path
) -> None:
    two = LocalStore(tmp_path / "two")
    two.bind([SPACES[0], SPACES[1], Space("face", 8, "faces", "1", "none")])
    two.put(
        [document("mine", vector=unit(3)), document("photo", folder="mine", vector=unit(4), text="another reading")]
    )
    two.keep_random_pairs([RandomPairs("common", "text", "picture", 0.5, 0.25, 2, 2)])
    mine = two.stored_assets([asset_id("mine")])
    found = merged(folder, two, heads)
    assert (found.restored, found.merged) == (23, True)
    assert same(mine[0], two.stored_assets([asset_id("mine")])[0])
    assert [s.location for s in two.sources(asset_id("photo"))] == [
        "/disk/copies/photo",
        "/disk/mine/photo",
        "/disk/photos/photo",
    ]
    assert two.search_text("another reading", 5, EVERYTHING) == []
    assert sum(two.statistics().assets.values()) == 24
    assert set(two.spaces()) == {"common", "picture", "sound", "text", "face"}
    assert two.random_pairs() == [RandomPairs("common", "text", "picture", 0.5, 0.25, 2, 2)]
    assert bring(Archive(folder), two, heads, merge=True).restored == 0
    assert two.verify() == []


def test_vectors_of_other_models_are_not_mixed(tmp_path: Path, heads: Heads, folder: Path) -> None:
    two = LocalStore(tmp_path / "two")
    two.bind([Space("sound", 16, "test", "2", "none")])
    for merge in (False, True):
        with pytest.raises(SpaceMismatch, match="sound"):
            bring(Archive(folder), two, heads, merge=merge)
    assert set(two.spaces()) == {"sound"}
    assert list(two.asset_ids()) == []


def test_of_a_damaged_part_nothing_is_written(tmp_path: Path, store: LocalStore, heads: Heads, folder: Path) -> None:
    path = folder / "vectors-00002-common.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    two = LocalStore(tmp_path / "two")
    with pytest.raises(ArchiveUnusable, match=re.escape(str(path))) as error:
        bring(Archive(folder), two, heads)
    assert error.value.hint
    assert list(two.asset_ids()) == list(store.asset_ids())[:14]
    data[-1] ^= 1
    path.write_bytes(data)
    assert bring(Archive(folder), two, heads).same == 14
    assert_equal(store, two)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)
makers = st.none() | st.text("abc-@1", min_size=1, max_size=9)
labels = st.builds(
    Label, texts, texts, numbers, texts, st.none() | st.tuples(*[numbers] * 4), st.none() | numbers, st.none() | numbers
)
metadata = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | whole | numbers | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=4
    ),
    max_size=3,
)


@st.composite
def held(draw: Callable, number: int) -> StoredMoment:  # type: ignore[type-arg]
    vectors = {space: unit(draw(st.integers(0, 99))) for space in draw(st.sets(st.sampled_from(("common", "text"))))}
    said = tuple(draw(st.lists(labels, max_size=2)))
    moment = Moment(
        moment_id("0" * 64, "shot", number),
        "0" * 64,
        "shot",
        draw(st.none() | numbers),
        draw(st.none() | numbers),
        draw(st.none() | whole),
        draw(st.dictionaries(st.sampled_from(FIELDS), texts)),
        vectors,
        said,
        tuple(draw(st.lists(st.builds(Word, texts, numbers, numbers), max_size=2))),
        draw(st.none() | st.binary(max_size=5)),
    )
    return StoredMoment(
        moment, draw(makers), {space: draw(makers) for space in vectors}, tuple(draw(makers) for _ in said)
    )


@given(st.data())
def test_any_asset_is_read_back_from_its_line(data: st.DataObject) -> None:
    size = st.integers(0, 2**63 - 1)
    sources = st.builds(
        Source, texts.map(lambda t: "/x" + t.replace("\x00", "").replace(".", "")), texts, texts, size, whole
    )
    stored_asset = StoredAsset(
        Asset(
            "0" * 64,
            "video",
            "video/mp4",
            data.draw(size),
            data.draw(texts),
            data.draw(st.none() | texts),
            data.draw(metadata),
        ),
        tuple(data.draw(st.lists(sources, min_size=1, max_size=3, unique_by=lambda s: (s.collection, s.location)))),
        tuple(data.draw(held(number)) for number in range(data.draw(st.integers(0, 3)))),
        data.draw(st.dictionaries(st.sampled_from(("preview", "motion")), st.binary(max_size=5))),
        tuple(
            Done(
                name,
                data.draw(texts),
                data.draw(st.none() | st.dictionaries(texts, texts, min_size=1)),
                data.draw(st.sampled_from(((), ("ocr", "text")))),
            )
            for name in data.draw(st.sets(st.sampled_from(("ocr", "reindex"))))
        ),
    )
    rows: list[tuple[str, np.ndarray]] = []  # type: ignore[type-arg]
    blobs: list[tuple[str, bytes]] = []

    def put(space: str, vector: np.ndarray) -> int:  # type: ignore[type-arg]
        rows.append((space, vector))
        return len(rows) - 1

    def take(name: str) -> bytes:
        found, content = blobs.pop(0)
        assert found == name
        return content

    text = to_line(stored_asset, put, lambda name, content: blobs.append((name, content)))
    assert text.count(b"\n") == 1
    back = to_holding(text, lambda space, row: rows[row][1], take)
    assert same(stored_asset, back)
    assert not blobs
