"""What blocked assets cost a search: the same pictures in two collections, of which one blocks very many others.

python -m crossmedia.eval.bench.blocked [BLOCKED [elasticsearch://HOST:9200/NAME]]
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from elasticsearch import Elasticsearch
from PIL import Image
from pydantic import SecretStr

from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.embeddings.toy import COLOURS
from crossmedia.eval.bench.common import BenchRow, measure_seconds, show
from crossmedia.retrieval.elastic.address import Access, parse_address
from crossmedia.retrieval.policy.decisions import Decision
from crossmedia.retrieval.query import Query

PICTURES: Final = 48
SEARCHES: Final = 200


def main(count: int, url: str) -> None:
    rows: list[BenchRow] = []
    for name, store in (("local", ""), *([("Elasticsearch", url)] if url else [])):
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(name, Path(folder), store, count)
    if url:
        remove(url)
    show(f"A search over {PICTURES} pictures, ms (median of {SEARCHES}, in turns)", rows)


def measure(name: str, folder: Path, store: str, count: int) -> list[BenchRow]:
    draw(folder / "pictures")
    none, strangers, both = (
        open_service(folder / kind, f"{store}-{kind}?replicas=0" if store else "", folder / "pictures")
        for kind in ("none", "strangers", "both")
    )
    elsewhere = [hashlib.sha256(f"blocked {n}".encode()).hexdigest() for n in range(count)]
    seconds = [block(strangers, elsewhere), block(both, [*elsewhere, *list(both.runtime.store.asset_ids())[::2]])]
    taken: dict[Service, list[float]] = {none: [], strangers: [], both: []}
    for n in range(SEARCHES + 10):
        for service, times in taken.items():
            with measure_seconds() as took:
                hits = service.searching.search(Query(texts=(list(COLOURS)[n % len(COLOURS)],), min_relevance=0)).hits
            times.append(1000 * took[0])
            assert len(hits) == 10
    free, *blocked = (float(np.median(times[10:])) for times in taken.values())
    for service in taken:
        service.close()
    return [
        BenchRow(f"{name}, {what}", f"{ms:.2f}", f"{free:.2f} with none blocked", ms / free, f"{free + 2:.2f}")
        for what, ms in zip(
            (f"{count:,} blocked elsewhere", f"{count:,} blocked elsewhere and half of the pictures"),
            blocked,
            strict=True,
        )
    ] + [BenchRow(f"{name}, following so many decisions once, s", f"{max(seconds):.2f}", "")]


def remove(url: str) -> None:
    """The indexes of this benchmark."""
    address, _ = parse_address(url, Access())
    with Elasticsearch(list(address.hosts)) as client:
        for name in list(client.indices.get(index=f"{address.name}-*")):
            client.indices.delete(index=name)


def block(service: Service, assets: Sequence[str]) -> float:
    """Seconds that the store takes to follow."""
    service.moderation.decisions.add(Decision(asset, "block", "benchmark", False) for asset in assets)
    with measure_seconds() as took:
        service.moderation.follow()
    return took[0]


def open_service(data: Path, store: str, pictures: Path) -> Service:
    service = Service(Settings(data=data, profile="toy", store=SecretStr(store), decode_workers=1))
    service.indexing.index([pictures])
    return service


def draw(folder: Path) -> None:
    """Noise in three colours, each picture its own."""
    folder.mkdir()
    for n in range(PICTURES):
        rng = np.random.default_rng(n)
        chosen = np.array(list(COLOURS.values()), dtype=np.uint8)[rng.integers(0, len(COLOURS), 3)]
        Image.fromarray(chosen[rng.integers(0, 3, (48, 48))]).save(folder / f"{n:02}.png")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2] if len(sys.argv) > 2 else "")
