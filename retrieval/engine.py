"""The search itself: encode the query, run its legs, calibrate, fuse, fold, explain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from crossmedia.embeddings.label_kinds import said_kinds
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval import evidence
from crossmedia.retrieval.calibration import adapted
from crossmedia.retrieval.cursor import MAX_SHOWN, Cursor, decode, encode, mark
from crossmedia.retrieval.documents import asset_of, kind_of
from crossmedia.retrieval.fusion import SAME_PICTURE, SAME_TEXT, Fused, fold, fuse, like_first
from crossmedia.retrieval.labels import LabelQuery
from crossmedia.retrieval.likeness import MIN_HITS
from crossmedia.retrieval.order import BEST, NEWEST, Order, Position, natural, value_of
from crossmedia.retrieval.parts import parts_of
from crossmedia.retrieval.planner import LabelsLeg, Leg, VectorLeg, WordsLeg, plan
from crossmedia.retrieval.query import DEFAULT_MIN_RELEVANCE, Answer, Evidence, FacetCount, Filters, Hit, Query
from crossmedia.retrieval.relevance import coverage_for
from crossmedia.retrieval.store import Store, TextQuery, VectorQuery
from crossmedia.retrieval.temporal_merging import SENSE, joined

Kept: TypeAlias = tuple[Fused, int]
"""A hit, and how many others it stands for."""
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
        """Hits at or above the cut-off, best first or as they are to be sorted, at most `query.k`; raises EmptyQuery,
        UnknownLeg, NotFound, BadCursor."""
        started = time.perf_counter()
        notes: list[str] = []
        parts = parts_of(query, self.store, self.profile, notes)
        if not parts:
            return self._browse(query, started)
        order = query.sort or BEST
        ended = decode(query.cursor, query, order) if query.cursor else Cursor()
        calibrations = adapted(self.profile.calibrations, self.store.random_pairs())
        legs = plan(parts, list(self.profile.spaces), calibrations, query.legs)
        own = tuple(example.asset for example in query.examples if example.asset)
        filters = replace(query.filters, excluded_assets=(*query.filters.excluded_assets, *own))
        depth = DEEPEST if order != BEST else 4 * (query.k + len(ended.shown)) + DEPTH
        while True:
            ranked, whole = self._ranked(legs, depth, filters, query)
            kept = self._kept(ranked, query)
            if order != BEST:
                page, following = self._sorted_page(kept, query, order, ended)
                if not whole:
                    notes.append(f"the {len(kept)} most relevant are sorted; there are more")
                break
            page, following = _best_page(kept, query, ended)
            # Folding and grouping may leave too few; there are more where a leg was read to its depth.
            if following or whole or depth >= DEEPEST:
                break
            depth *= 4
        facets = self.store.count_facets(query.facets, [f.moment for f in ranked]) if query.facets else ()
        return Answer(
            tuple(self._hits(page, query)),
            _ms_since(started),
            tuple(notes),
            tuple(facets),
            encode(following, query, order) if following else None,
        )

    def _browse(self, query: Query, started: float) -> Answer:
        """What meets the filters, the newest first unless it is to be sorted otherwise, since nothing is more relevant
        than another; facets are of the first `DEEPEST`."""
        order = NEWEST if query.sort in (None, BEST) else query.sort
        after = decode(query.cursor, query, order).position if query.cursor else None
        listed = self.store.browse(query.filters, order, query.k + 1, after)
        page = listed[: query.k]
        following = encode(Cursor(page[-1].position), query, order) if len(listed) > query.k else None
        hits = self._hits([(Fused(one.moment, 1.0, 1.0, ()), 0) for one in page], query)
        facets: Sequence[FacetCount] = ()
        if query.facets:
            counted = self.store.browse(query.filters, order, max(query.k, DEEPEST))
            facets = self.store.count_facets(query.facets, [one.moment for one in counted])
        return Answer(tuple(hits), _ms_since(started), (), tuple(facets), following)

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

    def _kept(self, ranked: Sequence[Fused], query: Query) -> list[Kept]:
        """What is left where the same is shown once, and where each asset is: best first."""
        kept = [(fused, 0) for fused in ranked]
        if query.fold:
            ids = [fused.moment for fused in ranked[:MAX_FOLDED]]
            for space, same in (("picture", SAME_PICTURE), ("text", SAME_TEXT)):
                if space in self.profile.spaces and len(ids) > 1:
                    folded = fold([f for f, _ in kept], self.store.vectors(space, ids), same)
                    before = {f.moment: more for f, more in kept}
                    kept = [(f, more + before[f.moment]) for f, more in folded]
        return _grouped(kept) if query.group else kept

    def _sorted_page(
        self, kept: Sequence[Kept], query: Query, order: Order, ended: Cursor
    ) -> tuple[list[Kept], Cursor | None]:
        """The next hits in an order that is not by relevance; those of one asset in the order of their ids."""
        placed = self.store.placed(list({asset_of(fused.moment) for fused, _ in kept}))
        places = [
            (Position(value_of(order.by, *placed[asset]), asset), "" if query.group else natural(fused.moment), each)
            for each in kept
            if (asset := asset_of((fused := each[0]).moment)) in placed
        ]
        places.sort(key=lambda place: place[1])
        ahead = sorted(places, key=lambda place: place[0].key(order), reverse=order.descending)
        if (last := ended.position) is not None:
            ahead = [
                (position, moment, each)
                for position, moment, each in ahead
                if position.follows(last, order) or (position == last and moment > ended.moment)
            ]
        page = ahead[: query.k]
        following = Cursor(page[-1][0], page[-1][1]) if len(ahead) > query.k else None
        return [each for _, _, each in page], following

    def _hits(self, kept: Sequence[Kept], query: Query) -> list[Hit]:
        """Load and explain them."""
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


def _best_page(kept: Sequence[Kept], query: Query, ended: Cursor) -> tuple[list[Kept], Cursor | None]:
    """The best of what was not shown."""

    def marked(each: Kept) -> bytes:
        moment = each[0].moment
        return mark(asset_of(moment) if query.group else moment)

    ahead = [each for each in kept if marked(each) not in ended.shown] if ended.shown else kept
    page = list(ahead[: query.k])
    shown = ended.shown | {marked(each) for each in page} if len(ahead) > query.k else frozenset[bytes]()
    return page, Cursor(shown=shown) if 0 < len(shown) < MAX_SHOWN else None


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def _grouped(kept: Sequence[Kept]) -> list[Kept]:
    best: dict[str, Kept] = {}
    for fused, more in kept:
        asset = fused.moment.rsplit("-", 1)[0]
        if asset in best:
            first, so_far = best[asset]
            best[asset] = (first, so_far + more + 1)
        else:
            best[asset] = (fused, more)
    return list(best.values())
