"""The search itself: encode the query, run its legs, calibrate, fuse, fold, explain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from crossmedia.embeddings.label_kinds import said_kinds
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval import evidence
from crossmedia.retrieval.calibration import adapted
from crossmedia.retrieval.documents import kind_of
from crossmedia.retrieval.fusion import SAME_PICTURE, SAME_TEXT, Fused, fold, fuse, like_first
from crossmedia.retrieval.labels import LabelQuery
from crossmedia.retrieval.likeness import MIN_HITS
from crossmedia.retrieval.parts import parts_of
from crossmedia.retrieval.planner import LabelsLeg, Leg, VectorLeg, WordsLeg, plan
from crossmedia.retrieval.query import DEFAULT_MIN_RELEVANCE, Answer, Evidence, Filters, Hit, Query
from crossmedia.retrieval.relevance import coverage_for
from crossmedia.retrieval.store import Store, TextQuery, VectorQuery
from crossmedia.retrieval.temporal_merging import SENSE, joined

DEPTH = 50
"""How far beyond k each leg is read, so that folding and fusing have something to choose from."""
DEEPEST = 4_000
MAX_FOLDED = 4_000
"""So many of the best are compared with each other, each with each; what comes after them is shown as it is."""


class Engine:
    """Answers queries over one store with one profile. Holds no state; safe to call from several threads.

    `said`: kinds of labels whose values a query may name, asked for with each.
    """

    def __init__(self, store: Store, profile: Profile, said: Callable[[], Sequence[str]] = said_kinds) -> None:
        self.store = store
        self.profile = profile
        self.said = said

    def search(self, query: Query) -> Answer:
        """Hits at or above the cut-off, best first, at most `query.k`; raises EmptyQuery, UnknownLeg, NotFound."""
        started = time.perf_counter()
        notes: list[str] = []
        parts = parts_of(query, self.store, self.profile, notes)
        if not parts and query.filters.restrictive:
            return self._browse(query, started)
        calibrations = adapted(self.profile.calibrations, self.store.random_pairs())
        legs = plan(parts, list(self.profile.spaces), calibrations, query.legs)
        own = tuple(example.asset for example in query.examples if example.asset)
        filters = replace(query.filters, excluded_assets=(*query.filters.excluded_assets, *own))
        depth = 4 * query.k + DEPTH
        while True:
            ranked, whole = self._ranked(legs, depth, filters, query)
            hits = self._hits(ranked, query)
            # Folding and grouping may leave too few; there are more where a leg was read to its depth.
            if len(hits) >= query.k or whole or depth >= DEEPEST:
                facets = self.store.count_facets(query.facets, [f.moment for f in ranked]) if query.facets else ()
                return Answer(tuple(hits), _ms_since(started), tuple(notes), tuple(facets))
            depth *= 4

    def _browse(self, query: Query, started: float) -> Answer:
        """What meets the filters, the newest first, since nothing is more relevant than another; facets are of the
        `DEEPEST` newest."""
        found = self.store.newest(query.filters, max(query.k, DEEPEST) if query.facets else query.k)
        hits = self._hits([Fused(moment, 1.0, 1.0, ()) for moment in found], replace(query, fold=False))
        facets = self.store.count_facets(query.facets, found) if query.facets else ()
        return Answer(tuple(hits), _ms_since(started), (), tuple(facets))

    def _ranked(self, legs: Sequence[Leg], depth: int, filters: Filters, query: Query) -> tuple[list[Fused], bool]:
        """What passes the cut-off, best first, and what is nearest to an example; and whether no leg had more that
        could pass it."""
        cut = DEFAULT_MIN_RELEVANCE if query.min_relevance is None else query.min_relevance
        rankings: dict[tuple[str, str], dict[str, Evidence]] = {}
        whole = True
        looking = [leg for leg in legs if isinstance(leg, VectorLeg)]
        reading = [leg for leg in legs if isinstance(leg, WordsLeg)]
        naming = [leg for leg in legs if isinstance(leg, LabelsLeg)]
        # What a part bears does not tell whether the whole meets a filter: parts are found freely, and their wholes
        # judged.
        freely = replace(filters, labels=(), kinds=())
        inside = [(leg, leg.within) for leg in looking if leg.within]
        seen, read, borne = self.store.search(
            [
                *(
                    VectorQuery(leg.space, leg.target, leg.unit, depth, freely if leg.of_parts else filters)
                    for leg in looking
                ),
                *(VectorQuery(leg.space, part, leg.unit, depth, freely) for leg, part in inside),
            ],
            [TextQuery(leg.text, depth, filters, leg.without, coverage_for(cut / leg.share)) for leg in reading],
            [LabelQuery(leg.naming.values, depth, filters, self.said()) for leg in naming],
        )
        gathered: list[tuple[Leg, dict[str, Evidence]]] = [
            *((leg, evidence.near(leg, some, self.store)) for leg, some in zip(looking, seen, strict=False)),
            *((leg, evidence.said(leg, some)) for leg, some in zip(reading, read, strict=True)),
            *((leg, evidence.named(leg, some)) for leg, some in zip(naming, borne, strict=True)),
        ]
        parts = {
            id(leg): evidence.near(leg, some, self.store)
            for (leg, _), some in zip(inside, seen[len(looking) :], strict=True)
        }
        for leg, found in gathered:
            within = parts.get(id(leg), {})
            whole = whole and all(
                len(some) < depth or min(e.relevance for e in some.values()) < cut for some in (found, within)
            )
            found = evidence.of_wholes(found)
            if isinstance(leg, VectorLeg) and leg.of_parts and filters != freely:
                found = evidence.only(found, self.store.meeting(list(found), filters))
            if isinstance(leg, VectorLeg) and within:
                beside = evidence.of_wholes(within)
                if filters != freely:
                    beside = evidence.only(beside, self.store.meeting(list(beside), filters))
                found = evidence.drawn_to_parts(leg, found, beside, self.store)
            if isinstance(leg, VectorLeg):
                found = evidence.with_likeness(leg, found)
            key = (leg.name, leg.target if isinstance(leg, VectorLeg) else "")
            rankings[key] = evidence.best_of(rankings[key], found) if key in rankings else found
        ranked = fuse(rankings.values())
        answering = [f for f in ranked if f.relevance >= cut]
        by_example = any(leg.like_with_like for leg in looking)
        if by_example and query.min_relevance is None:
            answering += [f for f in ranked if f.relevance < cut and f.likeness][: max(0, MIN_HITS - len(answering))]
        timed = [f.moment for f in answering if kind_of(f.moment) in SENSE]
        merged = joined(answering, self.store.spans(timed)) if timed else answering
        return like_first(merged) if by_example else merged, whole

    def _hits(self, ranked: Sequence[Fused], query: Query) -> list[Hit]:
        """Load, fold and explain only as many as are wanted."""
        kept = [(fused, 0) for fused in ranked]
        if query.fold:
            ids = [fused.moment for fused in ranked[:MAX_FOLDED]]
            for space, same in (("picture", SAME_PICTURE), ("text", SAME_TEXT)):
                if space in self.profile.spaces and len(ids) > 1:
                    folded = fold([f for f, _ in kept], self.store.vectors(space, ids), same)
                    before = {f.moment: more for f, more in kept}
                    kept = [(f, more + before[f.moment]) for f, more in folded]
        if query.group:
            kept = _grouped(kept)
        kept = kept[: query.k]
        shown = {fused.moment for fused, _ in kept} | {e.moment for fused, _ in kept for e in fused.evidence}
        moments = self.store.load(list(shown))
        placed = self.store.placed(list({moment.asset for moment in moments.values()}))
        hits, said = [], self.said()
        for fused, more in kept:
            moment = moments.get(fused.moment)
            if moment is None or moment.asset not in placed:
                continue  # deleted since its leg found it
            asset, everywhere = placed[moment.asset]
            sources = [s for s in everywhere if query.filters.admits(s.path, s.collection)]
            start, end = fused.span or (moment.start, moment.end)
            why = tuple(evidence.explained(e, moments[e.moment], said) for e in fused.evidence if e.moment in moments)
            hits.append(
                Hit(
                    asset.id,
                    moment.id,
                    sources[0].path if sources else "",
                    asset.media,
                    asset.title,
                    start,
                    end,
                    moment.page,
                    round(fused.relevance, 4),
                    why,
                    more,
                    fused.likeness,
                )
            )
        return hits


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _grouped(kept: Sequence[tuple[Fused, int]]) -> list[tuple[Fused, int]]:
    best: dict[str, tuple[Fused, int]] = {}
    for fused, more in kept:
        asset = fused.moment.rsplit("-", 1)[0]
        if asset in best:
            first, so_far = best[asset]
            best[asset] = (first, so_far + more + 1)
        else:
            best[asset] = (fused, more)
    return list(best.values())
