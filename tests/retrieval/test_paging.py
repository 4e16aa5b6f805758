"""Pages of searches and listings, the cursors that lead from one to the next, and cursors that lead nowhere."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.retrieval.cursor import MAX_LENGTH, MAX_SHOWN, BadCursor, Cursor, decode, encode, fingerprint, mark
from crossmedia.retrieval.documents import Document
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.order import BEST, NEWEST, Position, order_of
from crossmedia.retrieval.query import Answer, Filters, Hit, Query
from tests.retrieval.makers import asset_id
from tests.retrieval.test_engine import PROFILE, of_picture, of_text, plain

RED = Query(texts=("red",), legs=("common", "words"), fold=False)


def papers() -> list[Document]:
    return [of_text(f"red {n}.txt", f"red paper number {n}", f"red leaf number {n}") for n in range(4)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = LocalStore(tmp_path)
    store.bind(PROFILE.spaces.values())
    pictures = [of_picture(f"red {n}.jpg", plain("red", n), captured=f"20{10 + n}") for n in range(8, 13)]
    store.put([*pictures, of_picture("blue.jpg", plain("blue"), captured="2030"), *papers()])
    yield Engine(store, PROFILE)
    store.close()


def walk(engine: Engine, query: Query, meanwhile: Callable[[int], None] = lambda page: None) -> Iterator[Hit]:
    """The hits of every page."""
    answer: Answer | None = None
    for page in range(50):
        answer = engine.search(query if answer is None else replace(query, cursor=answer.next))
        assert len(answer.hits) <= query.k
        yield from answer.hits
        if answer.next is None:
            return
        meanwhile(page)
    raise AssertionError("no end")


@pytest.mark.parametrize("sort", ["relevance", "name", "date", "date-asc", "size", "length"])
@pytest.mark.parametrize("group", [False, True])
def test_pages_make_up_the_whole_search(engine: Engine, sort: str, group: bool) -> None:
    query = replace(RED, sort=order_of(sort), group=group, k=50)  # type: ignore[arg-type]
    whole = [hit.moment for hit in engine.search(query).hits]
    assert len(whole) == (9 if group else 13)
    assert [hit.moment for hit in walk(engine, replace(query, k=2))] == whole


def test_hits_are_sorted_and_not_one_of_them_is_another(engine: Engine) -> None:
    def titles(sort: str) -> list[str]:
        return [hit.title for hit in engine.search(replace(RED, sort=order_of(sort), group=True, k=50)).hits]  # type: ignore[arg-type]

    best = titles("relevance")
    assert "blue.jpg" not in best
    names = ["red 0.txt", "red 1.txt", "red 2.txt", "red 3.txt", *(f"red {n}.jpg" for n in range(8, 13))]
    assert titles("name") == names  # 8, 9, 10
    assert titles("name-desc") == names[::-1]
    assert titles("date")[:5] == names[:3:-1]
    assert titles("date-asc")[:5] == names[4:]
    assert sorted(titles("date")) == sorted(best)
    hits = engine.search(replace(RED, sort=order_of("name"), k=50)).hits
    assert [hit.page for hit in hits[:4]] == [1, 2, 1, 2]  # of one file as they lie in it
    assert all(hit.evidence for hit in hits)


@pytest.mark.parametrize("sort", ["relevance", "name", "date"])
def test_no_hit_comes_twice_or_is_left_out_while_files_are_added(engine: Engine, sort: str) -> None:
    query = replace(RED, sort=order_of(sort), k=3)  # type: ignore[arg-type]
    before = {hit.moment for hit in engine.search(replace(query, k=50)).hits}

    def add(page: int) -> None:
        if page < 3:
            engine.store.put([of_text(f"a red {page}.txt", "red", "red red"), of_text(f"z red {page}.txt", "red")])

    seen = [hit.moment for hit in walk(engine, query, add)]
    assert len(seen) == len(set(seen)) > len(before)
    assert before <= set(seen)


def test_nothing_at_all_asks_for_everything_the_newest_first(engine: Engine) -> None:
    recent = [hit.title for hit in walk(engine, Query(k=4))]
    assert recent[:3] == ["blue.jpg", "red 12.jpg", "red 11.jpg"]
    assert len(recent) == 10
    assert [hit.title for hit in engine.search(Query(texts=(" ",), sort=BEST)).hits] == recent
    assert [hit.title for hit in walk(engine, Query(sort=order_of("name"), k=3))][-2:] == ["red 11.jpg", "red 12.jpg"]
    assert engine.search(Query(filters=Filters(assets=(asset_id("blue.jpg"),)))).next is None


def test_a_sorted_search_says_what_it_left_unsorted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.search(replace(RED, sort=order_of("name"))).notes == ()
    monkeypatch.setattr("crossmedia.retrieval.engine.DEEPEST", 2)
    assert "there are more" in engine.search(replace(RED, sort=order_of("name"))).notes[0]


def sealed(head: object, marks: bytes = b"") -> str:
    """A cursor as nobody here makes it, whose sum is right."""
    content = json.dumps(head).encode() + b"\0" + marks
    return base64.urlsafe_b64encode(zlib.crc32(content).to_bytes(4, "big") + content).decode()


ASKED = fingerprint(Query())
GOOD = encode(Cursor(Position("2030", "a" * 64)), Query(), NEWEST)


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        (GOOD[:-3], "broken"),
        (GOOD.swapcase(), "broken"),
        ("é", "broken"),
        ("!" * 10, "broken"),
        ("A" * (MAX_LENGTH + 1), "broken"),
        (sealed({"a": 1}), "broken"),
        (sealed([]), "broken"),
        (sealed(7), "broken"),
        (sealed([2, ASKED, "date-desc", "2030", "a", ""]), "another version"),
        (sealed([1, "0" * 12, "date-desc", "2030", "a", ""]), "another search"),
        (sealed([1, ASKED, "name-asc", "2030", "a", ""]), "by name-asc, not by date-desc"),
        (sealed([1, ASKED, "date-desc"]), "broken"),
        (sealed([1, ASKED, "date-desc", 2030, "a", ""]), "broken"),
        (sealed([1, ASKED, "date-desc", "2030", None, ""]), "broken"),
        (sealed([1, ASKED, "date-desc", "\ud800", "a", ""]), "broken"),
        (sealed([1, ASKED, "date-desc", "2" * 50_000, "a", ""]), "broken"),
        (sealed([1, ASKED, "date-desc", "2030", "a", ""], b"12345"), "broken"),
        (sealed([1, ASKED, "date-desc", float("nan"), "a", ""]), "broken"),
    ],
)
def test_a_cursor_that_leads_nowhere_is_told_so(engine: Engine, cursor: str, why: str) -> None:
    with pytest.raises(BadCursor) as error:
        engine.search(Query(cursor=cursor))
    assert why in error.value.message
    assert error.value.hint


@pytest.mark.parametrize(
    ("sort", "value"),
    [("size", 1.5), ("size", True), ("size", 1 << 63), ("length", "1"), ("length", float("inf")), ("name", 1)],
)
def test_values_of_another_order_are_none_of_this(engine: Engine, sort: str, value: object) -> None:
    order = order_of(sort)  # type: ignore[arg-type]
    with pytest.raises(BadCursor):
        engine.search(Query(sort=order, cursor=sealed([1, ASKED, str(order), value, "a", ""])))


def test_a_cursor_goes_with_its_search(engine: Engine) -> None:
    cursor = engine.search(replace(RED, k=2)).next
    assert cursor
    engine.search(replace(RED, k=5, cursor=cursor))  # a page may be longer than the one before
    for other in (
        replace(RED, texts=("blue",)),
        replace(RED, filters=Filters(media=("text",))),
        replace(RED, group=True),
        replace(RED, sort=NEWEST),
        Query(),
    ):
        with pytest.raises(BadCursor):
            engine.search(replace(other, cursor=cursor))


def test_the_longest_cursor_fits() -> None:
    shown = frozenset(mark(str(n)) for n in range(MAX_SHOWN))
    cursor = encode(Cursor(shown=shown), RED, BEST)
    assert len(cursor) <= MAX_LENGTH
    assert decode(cursor, RED, BEST).shown == shown


@settings(max_examples=30)
@given(value=st.none() | st.text(st.characters(exclude_categories=["Cs"])), asset=st.text("0123456789abcdef"))
def test_a_cursor_says_where_it_was_made(value: str | None, asset: str) -> None:
    cursor = Cursor(Position(value, asset), "a-picture0")
    assert decode(encode(cursor, RED, NEWEST), RED, NEWEST) == cursor


@settings(max_examples=30)
@given(st.text())
def test_any_text_is_a_cursor_or_told_to_be_none(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text, RED, NEWEST)
