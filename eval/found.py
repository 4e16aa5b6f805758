"""Is what was planted in a video found, at the right second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.api.service import Service
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.planted import Planted, ShotKind
from crossmedia.retrieval.query import Filters, Hit, Query

MIN_OVERLAP: Final = 0.5
"""Overlap from which a hit is at the right place."""
TOP_HITS: Final = 3
PLANTED_KINDS: Final[tuple[ShotKind, ...]] = ("picture", "speech", "sound")
"""Writing is the business of the reader of pictures, which does not run here."""


@dataclass(frozen=True)
class PlantedQuery:
    """A query, the stretch that answers it, and the first hits with the overlap of each."""

    query: str
    kind: ShotKind
    start: float
    end: float
    overlaps: tuple[float, ...]
    first: str

    def within(self, k: int) -> bool:
        """Whether one of the first k hits is at the right place."""
        return any(overlap >= MIN_OVERLAP for overlap in self.overlaps[:k])


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Of two stretches: what they share over what they cover (IoU).

    >>> overlap((0, 4), (2, 6)), overlap((0, 1), (2, 3))
    (0.3333333333333333, 0.0)
    """
    shared = min(one[1], other[1]) - max(one[0], other[0])
    covered = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, shared) / covered if covered > 0 else 0.0


def ask(service: Service, planted: Planted, collection: str) -> list[PlantedQuery]:
    """Each planted query with the default cut-off, among what is in the collection."""
    asked = []
    for query, start, end, kind in planted.moments:
        if kind not in PLANTED_KINDS:
            continue
        hits = service.searching.search(Query(texts=(query,), filters=Filters(collection=collection))).hits
        overlaps = tuple(overlap((start, end), (hit.start or 0.0, hit.end or 0.0)) for hit in hits)
        asked.append(PlantedQuery(query, kind, start, end, overlaps, _describe_hit(hits)))
    return asked


def measure(service: Service, videos: Sequence[Planted], collection: str = "eval-planted") -> Section:
    """Indexes each video into a collection of its own, both passes without reading what is written, and asks for
    everything."""
    asked: list[PlantedQuery] = []
    ceiling: list[bool] = []
    for number, planted in enumerate(videos):
        own = f"{collection}-{number}"
        service.indexing.index([planted.path], own)
        service.indexing.enrich(only=["transcript", "speakers"], assets=_assets(service, own))
        asked += ask(service, planted, own)
        ceiling += _stills(service, planted.photos, f"{own}-photos")
    return Section(
        "Planted moments",
        f"{len(videos)} videos of which everything is known (`eval/planted.py`), each asked with the default cut-off. "
        f"Found: the hit and the planted stretch overlap by {MIN_OVERLAP} or more (IoU).",
        (*_figures(asked), share("the photos themselves as stills, same queries, first hit", ceiling)),
        tuple(_describe_miss(one) for one in asked if not one.within(1)),
    )


def _figures(asked: Sequence[PlantedQuery]) -> list[Figure]:
    figures = [share("all, first hit", [one.within(1) for one in asked], "≥ 90 %")]
    figures.append(share(f"all, first {TOP_HITS}", [one.within(TOP_HITS) for one in asked]))
    for kind in PLANTED_KINDS:
        of_kind = [one for one in asked if one.kind == kind]
        figures.append(share(f"{kind}, first hit", [one.within(1) for one in of_kind]))
        figures.append(share(f"{kind}, first {TOP_HITS}", [one.within(TOP_HITS) for one in of_kind]))
    there = [one for one in asked if any(overlap > 0 for overlap in one.overlaps[:1])]
    figures.append(
        share("of first hits anywhere in the right stretch, those of the right span", [one.within(1) for one in there])
    )
    return figures


def _stills(service: Service, photos: dict[str, Path], collection: str) -> list[bool]:
    """What the encoder of pictures can do, whatever becomes of the video: is each photo the first hit of its query."""
    service.indexing.index(sorted(photos.values()), collection)
    filters = Filters(collection=collection, media=("image",))
    first_hits = []
    for query, path in photos.items():
        hits = service.searching.search(Query(texts=(query,), filters=filters, k=1)).hits
        first_hits.append(bool(hits) and Path(hits[0].path).name == path.name)
    return first_hits


def _assets(service: Service, collection: str) -> list[str]:
    return sorted({located.asset for located in service.runtime.store.located(collection)})


def _describe_hit(hits: Sequence[Hit]) -> str:
    if not hits:
        return "nothing passed the cut-off"
    hit = hits[0]
    by = f"{hit.evidence[0].leg} {hit.moment.rsplit('-', 1)[1]}"
    return f"first was {hit.start or 0:.2f}–{hit.end or 0:.2f} s by {by}, relevance {hit.relevance:.2f}"


def _describe_miss(one: PlantedQuery) -> str:
    place = next((n for n, overlap in enumerate(one.overlaps, start=1) if overlap >= MIN_OVERLAP), None)
    where = "nowhere among the hits" if place is None else f"at place {place}"
    return f"missed {one.kind} “{one.query}” ({one.start:.2f}–{one.end:.2f} s): {one.first}; right {where}"
