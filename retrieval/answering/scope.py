"""The scope of a question, one asset or all that meet some conditions, and the searches within it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from PIL import Image

from crossmedia.embeddings.encoder import COMMON, Calibration, Vector
from crossmedia.embeddings.media import Media, Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.calibration import adapted
from crossmedia.retrieval.documents import Asset, Kind, Moment
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.query import Answer, Evidence, Example, FacetCount, Filters, Hit, Query
from crossmedia.retrieval.store import Store

NEAREST: Final = 5
"""Hits that are shown where nothing answers."""
MAX_SCOPE_ASSETS: Final = 100_000
"""That are counted one by one; of more, a count is of these."""


@dataclass(frozen=True)
class Scope:
    """Where an answer may come from. `asset`: the one it is asked about, or None for all that meets `filters`.

    `search` is what a search through the service gives, what is blocked left out of it. `shown`: a picture that came
    with the question, of which `seen` are the moments, in no store.
    """

    engine: Engine
    search: Callable[[Query], Answer]
    filters: Filters = field(default_factory=Filters)
    asset: Asset | None = None
    shown: Media | None = None
    seen: tuple[Moment, ...] = ()

    @property
    def store(self) -> Store:
        return self.engine.store

    @property
    def profile(self) -> Profile:
        return self.engine.profile

    @property
    def within(self) -> Filters:
        """The conditions that a search has to meet."""
        return replace(self.filters, assets=(self.asset.id,)) if self.asset else self.filters

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Those of the one asset, or of the picture that was shown; none of a collection."""
        if self.seen or self.shown is not None:
            return self.seen
        return tuple(self.store.moments(self.asset.id)) if self.asset else ()

    @cached_property
    def calibrations(self) -> Mapping[tuple[str, str, str], Calibration]:
        return adapted(self.profile.calibrations, self.store.random_pairs())  # type: ignore[return-value]

    @property
    def single(self) -> bool:
        """Whether it is asked about one thing."""
        return self.asset is not None or self.shown is not None

    def find(
        self,
        text: str,
        k: int = NEAREST,
        *,
        least: float | None = None,
        legs: Sequence[str] | None = None,
        filters: Filters | None = None,
        group: bool = False,
    ) -> tuple[Hit, ...]:
        """What answers to words, best first; with `least` 0 the nearest all the same. What was shown is in no store."""
        if not text.strip():
            return ()
        query = Query(
            (text,),
            filters=filters or self.within,
            k=k,
            min_relevance=least,
            group=group,
            legs=None if legs is None else tuple(legs),
        )
        return self.search(query).hits

    def nearest(self, text: str) -> tuple[Hit, ...]:
        """The nearest there is, whatever its relevance; to a picture that was shown, what is like it."""
        if self.shown is not None:
            query = Query(examples=(Example(media=self.shown),), filters=self.filters, k=NEAREST, min_relevance=0)
            return self.search(query).hits
        return self.find(text, least=0.0)

    def count_facets(self, *kinds: str) -> list[FacetCount]:
        """How often labels of these kinds stand on what is asked about."""
        if self.single:
            ids = [moment.id for moment in self.moments]
            return self.store.count_facets(kinds, ids) if self.asset else _count_labels(self.moments, kinds)
        if self.filters == Filters():
            return self.store.count_facets(kinds)
        moments = [m.id for asset in self.assets for m in self.store.moments(asset.id)]
        return self.store.count_facets(kinds, moments)

    @cached_property
    def assets(self) -> tuple[Asset, ...]:
        """All that meet the conditions."""
        return (self.asset,) if self.asset else tuple(self.store.assets(self.filters, MAX_SCOPE_ASSETS))

    def cite(self, moment: Moment, why: Sequence[Evidence] = (), relevance: float = 1.0) -> tuple[Hit, ...]:
        """A moment as a hit, with what of it answers. What was shown with the question is nobody's to cite."""
        if self.shown is not None and self.asset is None:
            return ()
        placed = self.store.placed([moment.asset]).get(moment.asset)
        if placed is None:
            return ()
        asset, sources = placed
        path = next((s.path for s in sources if self.filters.admits(s.path, s.collection)), "")
        spans = [(e.start, e.end) for e in why if e.start is not None]
        start, end = spans[0] if spans else (moment.start, moment.end)
        return (
            Hit(
                asset.id,
                moment.id,
                path,
                asset.media,
                asset.title,
                start,
                end,
                moment.page,
                round(relevance, 4),
                tuple(why),
            ),
        )

    def vector(self, text: str, space: str = COMMON) -> Vector:
        """The unit vector of a text."""
        rows = self.profile.text.encode([text]).vectors
        row: Vector = rows[space][0]
        return row

    def picture(self, moment: Moment) -> Picture | None:
        """What a moment shows: the picture that came with the question, or its thumbnail, at most 320 pixels; None of a
        sound."""
        if self.shown is not None and self.asset is None:
            return self.shown if isinstance(self.shown, Picture) else None
        jpeg = moment.thumbnail or self.store.thumbnail(moment.id)
        if jpeg is None:
            return None
        with Image.open(io.BytesIO(jpeg)) as image:
            return Picture(np.asarray(image.convert("RGB"), dtype=np.uint8))

    def stills(self, *kinds: Kind) -> list[Moment]:
        """Moments that show something: pictures and shots."""
        return [m for m in self.moments if m.kind in (kinds or ("picture", "shot"))]


def _count_labels(moments: Sequence[Moment], kinds: Sequence[str]) -> list[FacetCount]:
    counts: dict[tuple[str, str], int] = {}
    for moment in moments:
        for kind, value in {(label.kind, label.value) for label in moment.labels if label.kind in kinds}:
            counts[kind, value] = counts.get((kind, value), 0) + 1
    return [
        FacetCount(kind, value, count, 1) for (kind, value), count in sorted(counts.items(), key=lambda one: -one[1])
    ]
