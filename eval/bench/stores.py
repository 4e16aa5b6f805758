"""The local store and an Elasticsearch side by side in one run: filling, searching, filtering, bytes.

python -m crossmedia.eval.bench.stores elasticsearch://HOST:9200/NAME [MOMENTS]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from crossmedia.api.profiles import load_profile
from crossmedia.api.settings import Settings
from crossmedia.api.stores import open_store
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.eval.bench.common import SHARED, BenchRow, fill, flickr_photos, measure_seconds, percentiles, show
from crossmedia.eval.datasets import flickr8k
from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters, LabelFilter, Query
from crossmedia.retrieval.store import Store

QUERIES = 200
SEEDS = 2_000
RARE_FILTER = Filters(labels=(LabelFilter("scene", "rare"),))
"""One moment in fifty has this label (`fill`)."""


@dataclass(frozen=True)
class StoreFigures:
    """Rates a second, milliseconds (p50, p95), and shares."""

    filled: float
    read: float
    search: tuple[float, float]
    near: tuple[float, float]
    rare: tuple[float, float]
    recall: float
    recall_rare: float
    bytes: float


def main(url: str, count: int) -> None:
    profile = load_profile(Settings(), Catalog())
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in flickr_photos()[:SEEDS]]
    seeds = np.concatenate(
        [profile.picture.encode(photos[i : i + 32]).vectors["common"] for i in range(0, len(photos), 32)]
    )
    captions = [c[0] for c in flickr8k(SHARED / "data" / "flickr8k", "dev").captions.values()][:QUERIES]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        here = _measure(LocalStore(data), profile, seeds, captions, count, lambda: _size(data))
    there_store = open_store(Settings(store=url))
    assert isinstance(there_store, ElasticStore)
    there = _measure(there_store, profile, seeds, captions, count, there_store.size)

    def both(what: str, form: Callable[[StoreFigures], str], of: Callable[[StoreFigures], float]) -> BenchRow:
        return BenchRow(what, form(there), f"local {form(here)}", of(there) / of(here))

    show(
        f"Two stores of {count:,} moments",
        [
            both("filling, moments/s", lambda f: f"{f.filled:,.0f}/s", lambda f: f.filled),
            both("reading back whole assets", lambda f: f"{f.read:,.0f}/s", lambda f: f.read),
            both("text query in the engine, p50 / p95", lambda f: _ms(f.search), lambda f: f.search[0]),
            both("nearest ten alone", lambda f: _ms(f.near), lambda f: f.near[0]),
            both("nearest ten of a label on 2 %", lambda f: _ms(f.rare), lambda f: f.rare[0]),
            both("recall@10 of the nearest", lambda f: f"{f.recall:.3f}", lambda f: f.recall),
            both("recall@10 under the label", lambda f: f"{f.recall_rare:.3f}", lambda f: f.recall_rare),
            both("bytes a moment on disk", lambda f: f"{f.bytes:,.0f}", lambda f: f.bytes),
        ],
    )


def _measure(
    store: Store, profile: Profile, seeds: Vectors, captions: Sequence[str], count: int, size: Callable[[], float]
) -> StoreFigures:
    store.bind(profile.spaces.values())
    with measure_seconds() as filling, store.loading():
        rows = fill(store, seeds, count)
    queries = [profile.text.encode([caption]).vectors["common"][0] for caption in captions]
    rare = np.arange(count) % 50 == 0
    engine = Engine(store, profile)
    engine.search(Query(texts=("warm",)))
    search: list[float] = []
    near: list[float] = []
    few: list[float] = []
    timings: list[float] = []
    found_rare: list[float] = []
    for caption, query in zip(captions, queries, strict=True):
        with measure_seconds() as took:
            engine.search(Query(texts=(caption,)))
        search.append(took[0])
        scores = rows @ query
        for filters, among, times, share in (
            (Filters(), scores, near, timings),
            (RARE_FILTER, scores[rare], few, found_rare),
        ):
            with measure_seconds() as took:
                hits = store.search_vectors("common", "picture", query, 10, filters)
            times.append(took[0])
            tenth = np.partition(among, -10)[-10]
            share.append(sum(hit.similarity >= tenth - 1e-5 for hit in hits) / 10)
    ids = list(islice(store.asset_ids(), 5_000))
    with measure_seconds() as reading:
        for start in range(0, len(ids), 100):
            store.stored_assets(ids[start : start + 100])
    figures = StoreFigures(
        count / filling[0],
        len(ids) / reading[0],
        percentiles(search),
        percentiles(near),
        percentiles(few),
        float(np.mean(timings)),
        float(np.mean(found_rare)),
        size() / count,
    )
    store.close()
    return figures


def _ms(times: tuple[float, float]) -> str:
    return f"{times[0]:.1f} / {times[1]:.1f} ms"


def _size(folder: Path) -> float:
    return float(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
