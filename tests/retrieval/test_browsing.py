"""Listings: every store gives the same pages in the same order, whatever comes and goes between two of them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from typing import Any, get_args

import pytest

from crossmedia.retrieval.documents import Document, Label, Source, asset_of, seconds_of
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.database import migrations
from crossmedia.retrieval.order import NEWEST, Order, Position, Sort, name_of, order_of, value_of
from crossmedia.retrieval.query import Filters, LabelFilter
from crossmedia.retrieval.store import Store
from tests.retrieval.makers import SPACES, Decided, asset_id, document, moment

SORTS: tuple[Sort, ...] = tuple(sort for sort in get_args(Sort) if sort != "relevance")
SEEN = Filters(labels=(LabelFilter("scene", "beach"),))
"""What only moments tell, so that another way leads to it."""
BEACH = (Label("scene", "beach", 0.9, "m"),)


def listed(
    name: str, media: str = "image", *, size: int = 1, captured: str | None = None, labels: Any = (), **more: Any
) -> Document:
    made = document(name, media=media, captured=captured, labels=labels)
    return replace(made, asset=replace(made.asset, size=size, metadata=more))


FILES = [
    listed("img_10.jpg", captured="2021-05-01", size=30, labels=BEACH),
    listed("IMG_9.jpg", captured="2021-05-01", size=30, labels=BEACH),
    listed("Äpfel.txt", "text", captured="2019", size=5),
    listed("zoo.mp4", "video", seconds=61, size=9_000_000_000, labels=BEACH),
    listed("bark.wav", "audio", seconds=0.25, captured="2024-02-03T10:00:00", size=7, labels=BEACH),
    listed("still.jpg", seconds=12.0, size=8, labels=BEACH),
    listed("odd.wav", "audio", seconds="long", captured="2020", size=2),
]


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    store = make_store()
    store.bind(SPACES)
    store.put(FILES)
    return store


def expected(order: Order, documents: list[Document]) -> list[str]:
    """The order by its definition, worked out in memory."""
    values = {d.asset.id: value_of(order.by, d.asset, [d.source]) for d in documents}
    known = sorted(((v, a) for a, v in values.items() if v is not None), reverse=order.descending)  # type: ignore[type-var]
    return [a for _, a in known] + sorted((a for a, v in values.items() if v is None), reverse=order.descending)


def pages(store: Store, order: Order, filters: Filters, size: int = 2) -> Iterator[list[str]]:
    after: Position | None = None
    while page := store.browse(filters, order, size, after):
        yield [asset_of(one.moment) for one in page]
        after = page[-1].position


def test_pages_of_every_order_make_up_the_whole(store: Store) -> None:
    for sort, filters in product(SORTS, (Filters(), SEEN)):
        documents = FILES if filters == Filters() else [d for d in FILES if d.moments[0].labels]
        order = order_of(sort)
        whole = [asset_of(one.moment) for one in store.browse(filters, order, 100)]
        assert whole == expected(order, documents), sort
        assert [*chain(*pages(store, order, filters))] == whole, sort


def test_what_people_expect_of_each_order(store: Store) -> None:
    names = {d.asset.id: d.asset.title for d in FILES}

    def by(sort: Sort) -> list[str]:
        return [names[asset_of(one.moment)] for one in store.browse(Filters(), order_of(sort), 100)]

    assert by("name") == ["Äpfel.txt", "bark.wav", "IMG_9.jpg", "img_10.jpg", "odd.wav", "still.jpg", "zoo.mp4"]
    assert by("date")[0] == "bark.wav"
    assert by("date-asc")[:2] == ["Äpfel.txt", "odd.wav"]
    assert set(by("date")[-2:]) == set(by("date-asc")[-2:]) == {"zoo.mp4", "still.jpg"}  # no date: last either way
    assert by("length")[:2] == ["zoo.mp4", "bark.wav"]
    assert by("length-asc")[:2] == ["bark.wav", "zoo.mp4"]
    assert by("size")[0] == by("size-asc")[-1] == "zoo.mp4"


@pytest.mark.parametrize(
    ("sort", "filters"), [("date", Filters()), ("name", SEEN), ("length-asc", Filters()), ("size", SEEN)]
)
def test_nothing_comes_twice_or_is_left_out_while_files_come_and_go(store: Store, sort: Sort, filters: Filters) -> None:
    order = order_of(sort)
    before = [asset_of(one.moment) for one in store.browse(filters, order, 100)]
    reading = pages(store, order, filters)
    seen = next(reading)
    # One comes before all others or after them in each order, and one amid; and what ended the page goes.
    coming = (("0", "2030", 1 << 40), ("k", "2020-07", 8), ("zz", "1999", 0))
    store.put([listed(name, captured=date, size=size, labels=BEACH) for name, date, size in coming])
    store.delete(seen[-1:])
    seen += chain(*reading)
    assert len(seen) == len(set(seen))
    assert [asset for asset in seen if asset in before] == before
    assert len(seen) > len(before)


def test_a_listing_leaves_out_what_is_blocked_and_what_lies_elsewhere(store: Store) -> None:
    journal = Decided()
    journal.block("img_10.jpg")
    store.follow(journal)
    for filters in (Filters(journal=journal.id), replace(SEEN, journal=journal.id)):
        found = [asset_of(one.moment) for one in store.browse(filters, NEWEST, 100)]
        assert asset_id("img_10.jpg") not in found
        assert asset_id("IMG_9.jpg") in found
    store.put([document("far.jpg", folder="far", collection="b")])
    some = Filters(path="far/", collection="b")
    assert [asset_of(one.moment) for one in store.browse(some, order_of("name"), 9)] == [asset_id("far.jpg")]
    few = Filters(assets=(asset_id("zoo.mp4"), asset_id("bark.wav")))
    assert [*chain(*pages(store, order_of("size"), few, 1))] == [asset_id("zoo.mp4"), asset_id("bark.wav")]


def test_a_file_goes_by_the_name_that_it_has_now(store: Store) -> None:
    def names() -> list[str]:
        return [asset_of(one.moment) for one in store.browse(Filters(media=("image", "video")), order_of("name"), 9)]

    assert names()[-1] == asset_id("zoo.mp4")
    moved = Source("/disk/photos/ape.mp4", "photos/ape.mp4", "default", 5, 1)
    store.locate(asset_id("zoo.mp4"), moved, "/disk/photos/zoo.mp4")
    assert names()[0] == asset_id("zoo.mp4")
    again = Source("/disk/photos/aardvark.jpg", "photos/aardvark.jpg", "default", 5, 1)
    store.locate(asset_id("still.jpg"), again)  # the first of its places counts
    assert names()[0] == asset_id("still.jpg")
    store.forget([again.location], "default")
    assert names()[0] == asset_id("zoo.mp4")
    [held] = store.stored_assets([asset_id("zoo.mp4")])
    store.delete([asset_id("zoo.mp4")])
    store.restore([held])
    assert names()[0] == asset_id("zoo.mp4")


def test_a_page_of_a_local_store_reads_an_index_and_sorts_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.put(FILES)
    statements: list[str] = []
    with store.writing() as connection:
        connection.set_trace_callback(statements.append)
        for sort in SORTS:
            store.browse(Filters(media=("image",), journal="j"), order_of(sort), 2, Position(None, "f"))
            value: Any = "m" if order_of(sort).by in ("date", "name") else 7
            store.browse(Filters(), order_of(sort), 2, Position(value, "f"))
        connection.set_trace_callback(None)
        pages_read = [s for s in statements if s.startswith("SELECT a.")]
        assert len(pages_read) > len(SORTS)
        for statement in pages_read:
            steps = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert re.match(r"SEARCH a USING (COVERING )?INDEX asset_by_", steps[0]), steps
            assert not any("TEMP B-TREE" in step for step in steps), steps
    store.close()


def test_a_store_of_before_gets_names_and_lengths_when_it_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    scripts = [s for s in migrations("crossmedia.retrieval.local") if "asset_by_name" not in s]
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.executescript("".join(scripts[:8]) + "PRAGMA user_version=8;")
        for number, made in enumerate(FILES, 1):
            asset, source = made.asset, made.source
            connection.execute(
                "INSERT INTO asset VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, asset.id, asset.media, "", asset.size, "", asset.captured, json.dumps(dict(asset.metadata))),
            )
            connection.execute(
                "INSERT INTO source VALUES (?, ?, ?, ?, 1, 1)", (source.location, source.path, "default", number)
            )
            connection.execute(
                "INSERT INTO moment (key, asset, kind) VALUES (?, ?, 'picture')", (moment(asset.id).id, number)
            )
    connection.close()
    store = LocalStore(folder)
    for sort in ("name", "length"):
        found = [asset_of(one.moment) for one in store.browse(Filters(), order_of(sort), 100)]
        assert found == expected(order_of(sort), FILES)
    store.close()


@pytest.mark.parametrize("seconds", [None, "1", True, float("nan"), float("inf"), 10**400, [1]])
def test_a_length_that_is_none(seconds: Any) -> None:
    assert seconds_of("audio", {"seconds": seconds}) is None
    assert seconds_of("image", {"seconds": 3}) is None
    assert seconds_of("video", {"seconds": 3}) == 3.0


@pytest.mark.parametrize("path", ["", "/", "a/\udcff.jpg", "x" * 5000, "9" * 400])
def test_any_path_has_a_name_to_sort_by(path: str) -> None:
    assert len(name_of(path).encode()) <= 4 * 255
