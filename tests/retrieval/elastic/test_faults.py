"""A server that is away, busy, full, foreign or refuses: one clear error, asked again where that makes sense, nothing
lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Space
from crossmedia.retrieval.documents import Enrichment, Patch
from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.elastic.connection import StoreFull, StoreRefused
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import SpaceMismatch, StoreBusy, StoreUnusable
from tests.retrieval.elastic.proxy import Fault, Proxy
from tests.retrieval.makers import SPACES, asset_id, document, unit

Open = Callable[..., ElasticStore]
Everything = Filters()
BUSY = {"error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}, "status": 429}
FULL = {
    "error": {
        "type": "cluster_block_exception",
        "reason": "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
        "read-only-allow-delete block]",
    },
    "status": 429,
}


@pytest.fixture
def behind(open_store: Open, proxy: Proxy) -> ElasticStore:
    """A store that is reached through the proxy."""
    store = open_store(proxy.url)
    store.bind(SPACES)
    return store


def test_nobody_there(open_store: Open) -> None:
    with pytest.raises(StoreUnusable, match="cannot be reached") as failure:
        open_store("http://127.0.0.1:9", patience=0.2)
    assert "start Elasticsearch" in failure.value.hint


def test_something_else_answers(open_store: Open, proxy: Proxy) -> None:
    proxy.faults.append(Fault("/", status=200, body={"version": {"number": "7.10.2"}}))
    with pytest.raises(StoreUnusable, match=r"is Elasticsearch 7\.10\.2") as failure:
        open_store(proxy.url)
    assert failure.value.hint == "use version 8 or 9"


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials(open_store: Open, proxy: Proxy, status: int) -> None:
    proxy.faults.append(
        Fault("/", status=status, body={"error": {"type": "security_exception", "reason": "unable to authenticate"}})
    )
    with pytest.raises(StoreRefused, match="unable to authenticate") as failure:
        open_store(proxy.url)
    assert "CROSSMEDIA_STORE_API_KEY" in failure.value.hint
    assert len(proxy.asked) == 1, "asking again would not help"


def test_index_of_somebody_else(open_store: Open, store: ElasticStore, name: str) -> None:
    store.close()
    other = open_store()
    client = other._connection.client
    client.indices.delete(index=f"{name}-000001")
    client.indices.create(index=name, mappings={"properties": {"title": {"type": "text"}}})
    with pytest.raises(StoreUnusable, match="not made by Crossmedia"):
        open_store()


def test_index_of_a_newer_version(open_store: Open, store: ElasticStore, name: str) -> None:
    store._connection.client.indices.put_mapping(index=name, meta={"crossmedia": 99})
    with pytest.raises(StoreUnusable, match="newer version"):
        open_store()


def test_index_of_another_space(store: ElasticStore) -> None:
    with pytest.raises(SpaceMismatch):
        store.bind([Space("common", 8, "other", "1", "none")])


def test_field_of_another_kind(store: ElasticStore, name: str) -> None:
    store._connection.client.indices.put_mapping(
        index=name, properties={"vector": {"properties": {"common_picture_16": {"type": "keyword"}}}}
    )
    with pytest.raises(StoreUnusable, match="mapper|parse|dense_vector|answered 400"):
        store.put([document("a", vector=unit(1))])
    assert store.asset(asset_id("a")) is None
    assert store.verify() == []


@pytest.mark.parametrize("path", ["_bulk", "_mget", "_refresh"])
@pytest.mark.parametrize("status", [429, 503])
def test_busy_for_a_while(behind: ElasticStore, proxy: Proxy, path: str, status: int) -> None:
    proxy.faults.append(Fault(path, times=2, status=status, body=BUSY))
    behind.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    assert behind.search_vectors("common", "picture", unit(1), 5, Everything)[0].moment.startswith(asset_id("a"))
    assert behind.statistics().assets == {"image": 2}
    assert behind.verify() == []


def test_busy_for_too_long(open_store: Open, store: ElasticStore, proxy: Proxy) -> None:
    impatient = open_store(proxy.url, patience=0.5)
    impatient.bind(SPACES)
    proxy.faults.append(Fault("_bulk", times=1000, status=429, body=BUSY))
    with pytest.raises(StoreBusy, match="queue is full") as failure:
        impatient.put([document("a", vector=unit(1))])
    assert failure.value.status == 503
    assert store.statistics().assets == {}
    assert store.verify() == []


@pytest.mark.parametrize("done", [False, True])
def test_connection_lost_before_and_after_the_server_did_it(behind: ElasticStore, proxy: Proxy, done: bool) -> None:
    proxy.faults.append(Fault("_bulk", times=2, drop=True, done=done))
    behind.put([document("a", vector=unit(1), text="word")])
    behind.enrich(
        [Enrichment(asset_id("a"), "ocr", "1", patches=(Patch(f"{asset_id('a')}-picture0", {"ocr": "exit"}),))]
    )
    assert len(behind.search_text("exit", 5, Everything)) == 1
    assert behind.statistics().moments == {"picture": 1}
    assert behind.verify() == []


def test_half_of_a_bulk_request_is_refused(behind: ElasticStore, proxy: Proxy) -> None:
    """Only what was refused is sent again."""

    def refuse_every_other(answer: Any) -> Any:
        for item in answer["items"][::2]:
            [result] = item.values()
            result.update(status=429, error=BUSY["error"])
        return {**answer, "errors": True}

    proxy.faults.append(Fault("_bulk", rewrite=refuse_every_other))
    behind.put([document(f"p{n}", vector=unit(n)) for n in range(20)])
    assert behind.statistics().assets == {"image": 20}
    assert len(behind.search_vectors("common", "picture", unit(1), 50, Everything)) == 20
    assert behind.verify() == []


def test_one_document_of_a_bulk_request_cannot_be_taken(behind: ElasticStore, proxy: Proxy) -> None:
    def refuse_the_last(answer: Any) -> Any:
        [result] = answer["items"][-1].values()
        result.update(status=400, error={"type": "document_parsing_exception", "reason": "no such thing"})
        return answer

    proxy.faults.append(Fault("_bulk", rewrite=refuse_the_last))
    with pytest.raises(StoreUnusable, match="document_parsing_exception: no such thing"):
        behind.put([document(f"p{n}", vector=unit(n)) for n in range(5)])
    assert behind.statistics().assets == {}
    assert behind.search_vectors("common", "picture", unit(1), 5, Everything) == []
    behind.put([document(f"p{n}", vector=unit(n)) for n in range(5)])
    assert behind.statistics().moments == {"picture": 5}
    assert behind.verify() == []


def test_disk_full(behind: ElasticStore, proxy: Proxy) -> None:
    behind.put([document("a", vector=unit(1))])
    asked = len(proxy.asked)
    proxy.faults.append(Fault("_bulk", times=1000, status=429, body=FULL))
    with pytest.raises(StoreFull, match="flood-stage") as failure:
        behind.put([document("b", vector=unit(2))])
    assert "free space" in failure.value.hint
    assert failure.value.status == 507
    assert len([path for path in proxy.asked[asked:] if "_bulk" in path]) <= 2, "a full disk does not empty itself"
    assert len(behind.search_vectors("common", "picture", unit(1), 5, Everything)) == 1, "what is there is still found"


def test_search_that_fails_says_so(open_store: Open, store: ElasticStore, proxy: Proxy) -> None:
    behind = open_store(proxy.url, patience=0.3)
    behind.put([document("a", vector=unit(1))])

    def failed(answer: Any) -> Any:
        error = {"type": "circuit_breaking_exception", "reason": "data too large"}
        return {**answer, "responses": [{"error": {"root_cause": [error]}, "status": 429} for _ in answer["responses"]]}

    proxy.faults.append(Fault("_msearch", times=100, rewrite=failed))
    with pytest.raises(StoreBusy, match="data too large"):
        behind.search_vectors("common", "picture", unit(1), 5, Everything)


def test_shards_that_do_not_answer_are_no_silent_gap(open_store: Open, store: ElasticStore, proxy: Proxy) -> None:
    behind = open_store(proxy.url, patience=0.3)
    behind.put([document("a", vector=unit(1))])

    def partial(answer: Any) -> Any:
        for each in answer["responses"]:
            each["_shards"] = {
                "total": 2,
                "successful": 1,
                "failed": 1,
                "failures": [{"reason": {"type": "x", "reason": "gone"}}],
            }
        return answer

    proxy.faults.append(Fault("_msearch", times=100, rewrite=partial))
    with pytest.raises(StoreBusy, match="1 of 2 shards"):
        behind.search_vectors("common", "picture", unit(1), 5, Everything)
    proxy.faults = [Fault("_msearch", times=1, rewrite=partial)]
    assert len(behind.search_vectors("common", "picture", unit(1), 5, Everything)) == 1


def test_vector_is_read_back_exactly_whatever_index_finds_it(behind: ElasticStore) -> None:
    behind.put([document("a", vector=unit(1))])
    moment = f"{asset_id('a')}-picture0"
    assert np.array_equal(behind.vectors("common", [moment])[moment], unit(1))
    [found] = behind.search_vectors("common", "picture", unit(1), 1, Everything)
    assert found.similarity == pytest.approx(float(unit(1) @ unit(1)), abs=1e-7)
