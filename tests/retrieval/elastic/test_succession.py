"""A collection made anew beside the one that is searched, then put in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from crossmedia.embeddings.encoder import Space
from crossmedia.retrieval.documents import REVISION, Label, Revision, asset_of
from crossmedia.retrieval.elastic import ElasticStore, docs, succession, whole
from crossmedia.retrieval.elastic.connection import StoreBlocked
from crossmedia.retrieval.order import order_of
from crossmedia.retrieval.query import Filters, LabelFilter
from crossmedia.retrieval.store import SpaceMismatch
from tests.retrieval.makers import SPACES, asset_id, document, eventful, unit

Open = Callable[..., ElasticStore]
Everything = Filters()
WIDER = Space("common", 24, "test", "2", "none")


def made_anew(store: ElasticStore) -> None:
    """All pictures get vectors of 24 dimensions."""
    store.rebind([WIDER])
    for asset in store.pending(REVISION, "v2", ["image", "video", "text", "audio"]):
        vectors = {m.id: {"common": unit(int(asset[:6], 16), 24)} for m in store.moments(asset) if m.kind == "picture"}
        store.revise([Revision(asset, "v2", ("common",), vectors)])


def test_searched_as_it_was_until_it_is_replaced(open_store: Open, store: ElasticStore) -> None:
    eventful(store)
    before = store.search_vectors("common", "picture", unit(1), 10, Everything)
    successor = store.successor()
    assert isinstance(successor, ElasticStore)
    made_anew(successor)
    other = open_store()
    assert store.search_vectors("common", "picture", unit(1), 10, Everything) == before
    assert other.search_vectors("common", "picture", unit(1), 10, Everything) == before
    assert store.succeed(successor) == []
    query = unit(int(asset_id("p3")[:6], 16), 24)
    for each in (store, open_store()):
        each.bind([WIDER])
        found = each.search_vectors("common", "picture", query, 3, Everything)
        assert found[0].moment == f"{asset_id('p3')}-picture0"
        assert found[0].similarity == pytest.approx(1, abs=1e-5)
        assert each.thumbnail(f"{asset_id('p3')}-picture0") is not None
        assert len(each.search_text("exit sign", 5, Everything)) == 1
        assert each.verify() == []


def test_what_was_written_before_there_were_orders_is_listed_by_name_once_it_is_copied(
    store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b.jpg", "a.jpg", "c.jpg"]
    sign = (Label("scene", "beach", 0.9, "m"),)
    with monkeypatch.context() as before:
        before.setattr(docs, "listing", lambda record: {"size": record.asset.size})
        store.put([document(name, vector=unit(n), labels=sign) for n, name in enumerate(names)])
    by_name, labelled = order_of("name"), Filters(labels=(LabelFilter("scene"),))
    assert {one.value for one in store.browse(Everything, by_name, 9)} == {None}
    successor = store.successor()
    assert isinstance(successor, ElasticStore)
    assert store.succeed(successor) == []
    for filters in (Everything, labelled):
        found = [asset_of(one.moment) for one in store.browse(filters, by_name, 9)]
        assert found == [asset_id(name) for name in sorted(names)]


def test_what_comes_and_goes_meanwhile_is_in_the_successor(store: ElasticStore) -> None:
    store.put([document(f"p{n}", vector=unit(n)) for n in range(10)])
    successor = store.successor()
    assert isinstance(successor, ElasticStore)
    made_anew(successor)
    store.put([document("late", vector=unit(77), text="late words")])
    store.delete([asset_id("p4")])
    store.put([document("p5", vector=unit(78), text="changed")], replace=True)
    late = store.succeed(successor)
    assert set(late) == {asset_id("late"), asset_id("p5")}
    assert store.spaces()["common"] == SPACES[0], "not yet in place"
    assert set(successor.pending(REVISION, "v2", ["image"])) == set(late)
    made_anew(successor)
    assert store.succeed(successor) == []
    assert store.spaces()["common"] == WIDER
    assert store.statistics().assets == {"image": 10}
    assert [m.moment for m in store.search_text("late words changed", 5, Everything)]
    found = store.search_vectors("common", "picture", unit(int(asset_id("late")[:6], 16), 24), 1, Everything)
    assert found[0].moment == f"{asset_id('late')}-picture0"
    assert store.asset(asset_id("p4")) is None
    assert store.verify() == []


def test_a_search_made_for_the_old_spaces_is_not_answered_by_the_new(open_store: Open, store: ElasticStore) -> None:
    store.put([document(f"p{n}", vector=unit(n)) for n in range(5)])
    searcher = open_store()
    searcher.bind(SPACES)
    same_size = Space("common", 16, "test", "2", "none")
    successor = store.successor()
    successor.rebind([same_size])
    assert store.succeed(successor) == []
    with pytest.raises(SpaceMismatch):
        searcher.search_vectors("common", "picture", unit(1), 5, Everything)
    assert searcher.spaces()["common"] == same_size
    assert len(searcher.search_vectors("common", "picture", unit(1), 5, Everything)) == 5


def test_vectors_that_were_on_their_way_do_not_end_up_in_the_successor(open_store: Open, store: ElasticStore) -> None:
    store.put([document("a", vector=unit(1))])
    writer = open_store()
    writer.bind(SPACES)
    successor = store.successor()
    successor.rebind([Space("common", 16, "test", "2", "none")])
    assert store.succeed(successor) == []
    with pytest.raises(SpaceMismatch, match="was reindexed while"):
        writer.put([document("b", vector=unit(2))])
    assert store.asset(asset_id("b")) is None


def test_a_search_does_not_turn_what_is_being_written_to_the_successor(
    open_store: Open, store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread writes; meanwhile another puts a successor in place, and a third searches it by its new spaces."""
    store.put([document("a", vector=unit(1))])
    writer = open_store()
    new = Space("common", 16, "test", "2", "none")
    put = whole.put

    def replaced(*values: Any) -> None:
        successor = store.successor()
        successor.rebind([new])
        assert store.succeed(successor) == []
        writer._facts.outdate()
        writer.bind([new])
        put(*values)

    monkeypatch.setattr(whole, "put", replaced)
    with pytest.raises(SpaceMismatch, match="was reindexed while"):
        writer.put([document("b", vector=unit(2))], spaces=SPACES)
    assert store.asset(asset_id("b")) is None
    monkeypatch.undo()
    writer.put([document("b", vector=unit(2))], spaces=[new])
    assert store.asset(asset_id("b")) is not None


def test_writers_wait_for_the_moment_of_the_change(
    open_store: Open, store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that meets the closed index goes on when it is open again."""
    store.put([document("a", vector=unit(1))])
    writer = open_store()
    writer.bind(SPACES)
    succession._hold_up(store._index, True)
    opened = threading.Timer(0.6, succession._hold_up, (store._index, False))
    opened.start()
    writer.put([document("b", vector=unit(2))])
    opened.join()
    assert store.statistics().assets == {"image": 2}


def test_left_closed_by_a_reindex_that_died(store: ElasticStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.retrieval.elastic.writer.TRIES", 2)
    store.put([document("a", vector=unit(1))])
    store.successor().close()
    succession._hold_up(store._index, True)
    with pytest.raises(StoreBlocked) as failure:
        store.put([document("b", vector=unit(2))])
    assert failure.value.remedy == "reindex"
    successor = store.successor()
    store.put([document("b", vector=unit(2))])
    assert set(store.succeed(successor)) == {asset_id("b")}
    assert store.succeed(successor) == []
    assert store.statistics().assets == {"image": 2}


def test_replaced_indexes_go_after_a_while(store: ElasticStore, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put([document("a", vector=unit(1))])
    assert store.succeed(store.successor()) == []
    indexes = store._connection.client.indices
    store.optimise()
    assert indexes.exists(index=f"{name}-000001")
    monkeypatch.setattr(succession, "KEEP_SECONDS", 0)
    store.optimise()
    assert not indexes.exists(index=f"{name}-000001")
    assert len(store.search_vectors("common", "picture", unit(1), 5, Everything)) == 1
    assert store.succeed(store.successor()) == []
    assert indexes.exists(index=f"{name}-000003")


def test_an_index_of_before_is_read_as_it_is_until_another_has_terms_of_any_script(open_store: Open) -> None:
    old = open_store()
    old.bind(SPACES)
    meta = {key: value for key, value in old._index.meta().items() if key != "terms"}
    old._index.client.indices.put_mapping(index=old._index.name, meta=meta)
    store = open_store()
    store.put(
        [document("a", vector=unit(1), text="灯塔在午夜停电两小时"), document("b", vector=unit(2), text="two dogs")]
    )
    assert store.search_text("停电", 5, Everything) == []
    assert store.health().state == "yellow"
    assert "reindex it again" in store.health().hint
    other = open_store()
    assert other.search_text("停电", 5, Everything) == []
    successor = store.successor()
    assert store.succeed(successor) == []
    other._facts.outdate()
    for each in (store, other, open_store()):
        assert [m.moment for m in each.search_text("停电", 5, Everything)] == [f"{asset_id('a')}-picture0"]
        assert [m.moment for m in each.search_text("dog", 5, Everything)] == [f"{asset_id('b')}-picture0"]
        assert each.health().state == "green"
