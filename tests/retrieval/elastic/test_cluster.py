"""What only a cluster has: several writers, nodes that die and come back, states that are not green."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossmedia.embeddings.encoder import Space
from crossmedia.retrieval.documents import Enrichment, Patch, Source
from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.elastic.address import Address
from crossmedia.retrieval.health import Health
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import StoreUnusable
from tests.elastic_servers import Node
from tests.retrieval.makers import DIM, SPACES, asset_id, document, unit

Open = Callable[..., ElasticStore]
Everything = Filters()

pytestmark = pytest.mark.slow


@pytest.fixture
def nodes(elastic_programs: Path, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Makes nodes of this test's own cluster; the first one, then such that join it."""
    made: list[Node] = []

    def make() -> Node:
        node = Node(elastic_programs, tmp_path / f"node{len(made)}", made[0].folder if made else None)
        made.append(node)
        node.start()
        return node

    yield make
    for node in made:
        node.stop(kill=True)


def store_at(*urls: str, **options: object) -> ElasticStore:
    given = {"replicas": 0, "patience": 60.0, **options}
    return ElasticStore(Address(urls, f"cluster-{uuid.uuid4().hex[:6]}", **given))  # type: ignore[arg-type]


def state_of(store: ElasticStore, *wanted: str) -> Health:
    until = time.monotonic() + 90
    while True:
        found = store.health()
        if found.state in wanted or time.monotonic() > until:
            return found
        time.sleep(0.2)


def test_many_writers_make_no_doubles(open_store: Open, store: ElasticStore) -> None:
    """Six writers with connections of their own put overlapping halves, enrich the same assets and move the same
    files."""
    writers = [open_store() for _ in range(6)]
    picture = f"{asset_id('p0')}-picture0"
    store.put([document("p0", vector=unit(0))])

    def work(number: int) -> None:
        writer = writers[number]
        own = Space(f"s{number}", DIM, "test", "1", "none")
        writer.bind([*SPACES, own])
        for start in range(0, 60, 10):
            names = [f"p{(start + n + 5 * number) % 60}" for n in range(15)]
            writer.put([document(name, vector=unit(int(name[1:])), text="word") for name in names])
        label = f"enricher{number}"
        writer.enrich(
            [
                Enrichment(
                    asset_id("p0"), label, "1", patches=(Patch(picture, vectors={own.name: unit(1)}),), spaces=(own,)
                )
            ]
        )
        writer.locate(asset_id("p1"), Source(f"/copy/{number}/p1", f"copy/{number}/p1", "default", 1, 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert store.statistics().assets == {"image": 60}
    assert store.statistics().moments == {"picture": 60}
    assert store.statistics().sources == 66
    assert {done.enricher for done in store.stored_assets([asset_id("p0")])[0].done} == {
        f"enricher{n}" for n in range(6)
    }
    for number in range(6):
        assert list(store.vectors(f"s{number}", [picture])) == [picture], "nobody wrote over what another one added"
    assert len(store.sources(asset_id("p1"))) == 7
    assert len(store.search_vectors("common", "picture", unit(1), 1000, Everything)) == 60
    assert store.verify() == []


def test_node_restarts_in_the_middle_of_an_ingest(nodes: Callable[..., Node]) -> None:
    node = nodes()
    store = store_at(node.url)
    store.bind(SPACES)
    told: list[str] = []
    failures: list[BaseException] = []
    half = threading.Event()

    def ingest() -> None:
        try:
            with store.loading():
                for start in range(0, 400, 20):
                    store.put([document(f"p{n}", vector=unit(n)) for n in range(start, start + 20)])
                    told.extend(f"p{n}" for n in range(start, start + 20))
                    if start >= 100:
                        half.set()
                    time.sleep(0.05)
        except BaseException as error:
            failures.append(error)
            half.set()

    thread = threading.Thread(target=ingest)
    thread.start()
    assert half.wait(60)
    node.stop(kill=True)
    assert state_of(store, "red").state == "red", "the node is gone"
    node.start()
    thread.join(120)
    assert not thread.is_alive()
    assert not failures
    assert len(told) == 400
    assert store.statistics().assets == {"image": 400}
    assert len(store.search_vectors("common", "picture", unit(1), 1000, Everything)) == 400
    assert store.verify() == []
    store.close()


def test_states_of_a_cluster_and_a_dead_node(nodes: Callable[..., Node]) -> None:
    first, second = nodes(), nodes()
    store = store_at(first.url, second.url, replicas=1, shards=2)
    assert store.health() == Health("green", store.health().told)
    store.bind(SPACES)
    store.put([document(f"p{n}", vector=unit(n), text="word") for n in range(50)])
    assert state_of(store, "green").state == "green"
    second.stop(kill=True)
    yellow = state_of(store, "yellow")
    assert (yellow.state, "replicas have no node" in yellow.told) == ("yellow", True)
    assert yellow.hint
    assert len(store.search_vectors("common", "picture", unit(1), 100, Everything)) == 50, "copies answer"
    assert len(store.search_text("word", 100, Everything)) == 50
    store.put([document("while one node is away", vector=unit(99))])
    second.start()
    assert state_of(store, "green").state == "green"
    assert store.statistics().assets == {"image": 51}
    store.close()


def test_part_of_the_shards_is_gone(nodes: Callable[..., Node]) -> None:
    """Without copies a dead node takes its shards with it: that is told, not passed over."""
    first, second = nodes(), nodes()
    store = store_at(first.url, replicas=0, shards=4, patience=1.0)
    store.bind(SPACES)
    store.put([document(f"p{n}", vector=unit(n), text="word") for n in range(50)])
    second.stop(kill=True)
    red = state_of(store, "red")
    assert (red.state, "shards are missing" in red.told) == ("red", True)
    with pytest.raises(StoreUnusable):
        store.search_vectors("common", "picture", unit(1), 100, Everything)
    with pytest.raises(StoreUnusable):
        store.statistics()
    second.start()
    assert state_of(store, "green").state == "green"
    assert len(store.search_vectors("common", "picture", unit(1), 100, Everything)) == 50
    store.close()
