"""The stores that what every store promises is tested with."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.elastic.address import Address
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.store import Store
from tests.elastic_servers import wipe


@pytest.fixture(params=["local", pytest.param("elastic", marks=pytest.mark.server)])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Opens the same store again each time it is called with the same name."""
    opened: list[Store] = []
    url = request.getfixturevalue("elastic_url") if request.param == "elastic" else ""
    unique = f"contract-{uuid.uuid4().hex[:8]}"

    def make(name: str = "store") -> Store:
        elastic = Address((url,), f"{unique}-{name}", replicas=0)
        store: Store = ElasticStore(elastic) if url else LocalStore(tmp_path / name)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()
    if url:
        wipe(url, unique)
