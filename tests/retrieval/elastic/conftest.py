"""Stores on the real server, each under a name of its own, and one behind a proxy that fails as it is told to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.elastic.address import Address
from tests.elastic_servers import wipe
from tests.retrieval.elastic.proxy import Proxy
from tests.retrieval.makers import SPACES


@pytest.fixture
def name(elastic_url: str) -> Iterator[str]:
    """A name for an index, wiped afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    yield name
    wipe(elastic_url, name)


@pytest.fixture
def open_store(elastic_url: str, name: str) -> Iterator[Callable[..., ElasticStore]]:
    """Opens a store at the server, or at another address."""
    opened: list[ElasticStore] = []

    def make(url: str = elastic_url, **options: object) -> ElasticStore:
        given = {"replicas": 0, "patience": 5.0, **options}
        opened.append(ElasticStore(Address((url,), name, **given)))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., ElasticStore]) -> ElasticStore:
    store = open_store()
    store.bind(SPACES)
    return store


@pytest.fixture
def proxy(elastic_url: str) -> Iterator[Proxy]:
    proxy = Proxy(elastic_url)
    yield proxy
    proxy.close()
