"""What most tests of the indexer need: a decoder, and an empty store of the toy profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossmedia.embeddings.toy import toy_profile
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.retrieval.local import LocalStore


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(1) as pool:
        yield pool


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    store = LocalStore(tmp_path / "data")
    store.bind(toy_profile().spaces.values())
    yield store
    store.close()
