"""How often the store is asked, and what is there when a batch is broken off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.errors import DiskFull
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.toy import toy_profile
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrich import LISTED, TOGETHER, EnrichPass
from crossmedia.indexer.pipeline import COMMIT_PICTURES, HASHED_FILES, Pipeline
from crossmedia.indexer.scan import scan
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.store import Store, StoreUnusable

MANY = 200


class Counting:
    """A store that counts the calls of its methods."""

    def __init__(self, store: LocalStore) -> None:
        self.calls: Counter[str] = Counter()
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        def call(*values: Any, **named: Any) -> Any:
            self.calls[name] += 1
            return method(*values, **named)

        return call


class Saying:
    """Labels the first moment with its name, and tells what labels were there."""

    accepts: tuple[Medium, ...] = ("image",)
    hears = False
    model = "1"

    def __init__(self, name: str, after: tuple[str, ...] = ()) -> None:
        self.name = name
        self.after = after
        self.seen: list[set[str]] = []

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        self.seen.append({label.kind for label in moments[0].labels} & {"one", "two", "three"})
        label = Label(self.name, "x", 0.5, self.model)
        return Enrichment(asset.id, self.name, self.model, patches=(Patch(moments[0].id, labels=(label,)),))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(MANY):
        pixels = np.random.default_rng(n).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n:03}.png")
    return folder


def test_calls_grow_with_batches_and_not_with_assets(store: LocalStore, pool: DecodePool, photos: Path) -> None:
    counting = Counting(store)
    pipeline = Pipeline(cast(Store, counting), toy_profile(), pool)
    assert pipeline.index(list(scan([photos]))).counts["added"] == MANY
    assert sum(counting.calls.values()) <= 2 + MANY // HASHED_FILES + 1 + MANY // COMMIT_PICTURES + 1
    counting.calls.clear()
    enrichers = [Saying("one"), Saying("two", after=("one",)), Saying("three", after=("two",))]
    assert EnrichPass(cast(Store, counting), pool, enrichers).run().done == MANY
    assert [enricher.seen for enricher in enrichers] == [[set()] * MANY, [{"one"}] * MANY, [{"one", "two"}] * MANY], (
        "each sees what those before it said, though it is not written yet"
    )
    batches = MANY // TOGETHER + 1
    assert sum(counting.calls.values()) <= len(enrichers) + MANY // LISTED + 1 + 2 * batches
    assert store.verify() == []


def test_what_was_told_is_there_when_a_pass_is_broken_off(store: LocalStore, pool: DecodePool, photos: Path) -> None:
    Pipeline(store, toy_profile(), pool).index(list(scan([photos])))
    enricher = Saying("one")
    told: list[str] = []
    began: list[str] = []
    ended: list[str] = []

    class Failing(Counting):
        def enrich(self, enrichments: Sequence[Enrichment]) -> None:
            if self.calls["contents"] == 3:
                raise StoreUnusable("the disk is full", "")
            self._store.enrich(enrichments)

    failing = cast(Store, Failing(store))
    with pytest.raises(StoreUnusable):
        EnrichPass(failing, pool, [enricher], begin=began.extend, end=ended.extend).run(lambda e: told.append(e.asset))
    assert len(told) == 2 * TOGETHER
    assert ended == told == began[: len(told)]
    assert len(began) == 3 * TOGETHER
    pending = store.pending("one", "1", ["image"])
    assert set(pending) | set(told) == set(store.asset_ids())
    assert not set(pending) & set(told)


def test_whoever_is_recognised_is_known_before_the_next_asset(
    store: LocalStore, pool: DecodePool, photos: Path
) -> None:
    Pipeline(store, toy_profile(), pool).index(list(scan([photos])))
    known: list[int] = []

    class Recognising(Saying):
        recognises = True

        def enrich(
            self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
        ) -> Enrichment:
            known.append(store.statistics().moments.get("face", 0))
            face = Moment(f"{moments[0].id}.face0", asset.id, "face")
            return Enrichment(asset.id, self.name, self.model, moments=(face,))

    EnrichPass(store, pool, [Recognising("faces")]).run()
    assert known == list(range(MANY))


def test_a_full_disk_is_no_fault_of_an_asset(store: LocalStore, pool: DecodePool, photos: Path) -> None:
    Pipeline(store, toy_profile(), pool).index(list(scan([photos])))

    class Writing(Saying):
        def enrich(self, *_: Any) -> Enrichment:
            raise DiskFull("no room")

    with pytest.raises(DiskFull):
        EnrichPass(store, pool, [Writing("one")]).run()
    assert set(store.pending("one", "1", ["image"])) == set(store.asset_ids())
