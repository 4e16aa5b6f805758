"""Where the files of an archive lie after an import: at places of its own until they are seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crossmedia.embeddings.heads import Heads
from crossmedia.retrieval.archive import Archive, Conflict, Imported, bring, export
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.places import imported, is_here, original
from crossmedia.retrieval.stored_asset import same
from tests.retrieval.makers import SPACES, asset_id, document, unit

PHOTO, OTHER = asset_id("photo"), asset_id("other")


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    return Heads(tmp_path / "heads")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[LocalStore]:
    """Holds `photo` at /disk/photos/photo."""
    store = LocalStore(tmp_path / "one")
    store.bind(SPACES)
    store.put([document("photo", vector=unit(1)), document("clip", vector=unit(2), collection="holiday")])
    yield store
    store.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[LocalStore]:
    """Holds `other`, at that path too."""
    store = LocalStore(tmp_path / "two")
    store.bind(SPACES)
    other = document("other", vector=unit(3))
    store.put([replace(other, source=replace(other.source, location="/disk/photos/photo", path="photos/photo"))])
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path, one: LocalStore, heads: Heads) -> Path:
    export(one, tmp_path / "archive", heads)
    return tmp_path / "archive"


def merge(folder: Path, store: LocalStore, heads: Heads) -> Imported:
    return bring(Archive(folder), store, heads, merge=True)


def test_two_files_of_one_path_both_stay(folder: Path, two: LocalStore, heads: Heads) -> None:
    before = two.stored_assets([OTHER])[0]
    report = merge(folder, two, heads)
    assert set(two.asset_ids()) == {OTHER, PHOTO, asset_id("clip")}
    assert same(before, two.stored_assets([OTHER])[0])
    assert report.conflicts == (Conflict("default", "/disk/photos/photo", "photos/photo", PHOTO, OTHER),)
    assert (report.restored, report.replaced, report.unseen) == (2, 0, 2)
    assert [source.location for source in two.sources(PHOTO)] == [imported(PHOTO, "/disk/photos/photo")]
    assert two.sources(PHOTO)[0].path == "photos/photo"
    again = merge(folder, two, heads)
    assert (again.restored, again.same, again.conflicts) == (0, 2, report.conflicts)
    assert two.verify() == []


def test_a_path_of_another_asset_is_not_taken_even_by_the_file_that_lies_there(
    folder: Path, two: LocalStore, heads: Heads
) -> None:
    report = bring(Archive(folder), two, heads, merge=True, look=lambda asset, source: source)
    assert len(report.conflicts) == 1
    assert two.sources(OTHER)[0].location == "/disk/photos/photo"
    assert not is_here(two.sources(PHOTO)[0].location)
    assert two.sources(asset_id("clip"))[0].location == "/disk/photos/clip"


def test_what_lies_there_already_is_left_as_it_is(folder: Path, one: LocalStore, heads: Heads) -> None:
    report = merge(folder, one, heads)
    assert (report.restored, report.same, report.unseen, report.conflicts) == (0, 2, 0, ())


def test_what_was_held_otherwise_is_counted(folder: Path, one: LocalStore, heads: Heads) -> None:
    one.put([document("photo", vector=unit(9), text="another reading")], replace=True)
    report = merge(folder, one, heads)
    assert (report.restored, report.replaced, report.same) == (1, 1, 1)


def test_a_seen_place_is_as_it_is_here(tmp_path: Path, folder: Path, heads: Heads) -> None:
    store = LocalStore(tmp_path / "three")

    def look(asset: str, source: Source) -> Source | None:
        return replace(source, mtime_ns=77) if asset == PHOTO else None

    assert bring(Archive(folder), store, heads, look=look).unseen == 1
    assert (store.sources(PHOTO)[0].location, store.sources(PHOTO)[0].mtime_ns) == ("/disk/photos/photo", 77)
    store.close()


def test_an_imported_collection_is_exported_with_the_paths_it_came_with(
    tmp_path: Path, folder: Path, heads: Heads
) -> None:
    store = LocalStore(tmp_path / "three")
    bring(Archive(folder), store, heads)
    # The same place, seen by now, and the archive's own: one of them is enough.
    store.locate(PHOTO, replace(store.sources(PHOTO)[0], location="/disk/photos/photo"))
    assert len(store.sources(PHOTO)) == 2
    export(store, tmp_path / "again", heads)
    lines = "assets-00000.jsonl"
    assert (tmp_path / "again" / lines).read_bytes() == (folder / lines).read_bytes()
    store.close()


@pytest.mark.parametrize("path", ["/a", "/a:b/ü", "/imported:/x"])
def test_an_imported_place_is_no_path_here(path: str) -> None:
    place = imported(PHOTO, path)
    assert not is_here(place)
    assert original(place) == path
    assert imported(OTHER, path) != place
