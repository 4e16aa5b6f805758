"""The search itself: encode the query, run its legs, calibrate, fuse, fold, explain."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from embeddings.profile import Profile
from retrieval.background import adapted
from retrieval.coincidence import SENSE, joined
from retrieval.documents import PARTS, Moment, kind_of, modality, whole_of
from retrieval.fusion import SAME_PICTURE, SAME_TEXT, Fused, fold, fuse
from retrieval.parts import parts_of
from retrieval.planner import Leg, VectorLeg, WordsLeg, plan
from retrieval.query import DEFAULT_MIN_RELEVANCE, Answer, Evidence, Filters, Hit, Query
from retrieval.relevance import coverage_for, logistic, of_words
from retrieval.store import Near, Neighbour, Said, Store, WordMatch

DEPTH = 50
"""How far beyond k each leg is read, so that folding and fusing have something to choose from."""
DEEPEST = 4_000


class Engine:
    """Answers queries over one store with one profile. Holds no state; safe to call from several threads."""

    def __init__(self, store: Store, profile: Profile) -> None:
        self.store = store
        self.profile = profile

    def search(self, query: Query) -> Answer:
        """Hits at or above the cut-off, best first, at most `query.k`; raises EmptyQuery, UnknownLeg, NotFound."""
        started = time.perf_counter()
        notes: list[str] = []
        parts = parts_of(query, self.store, self.profile, notes)
        backgrounds = adapted(self.profile.backgrounds, self.store.unrelated())
        legs = plan(parts, list(self.profile.spaces), backgrounds, query.legs)
        own = tuple(example.asset for example in query.examples if example.asset)
        filters = replace(query.filters, besides=(*query.filters.besides, *own))
        depth = 4 * query.k + DEPTH
        while True:
            ranked, whole = self._ranked(legs, depth, filters, query)
            hits = self._hits(ranked, query)
            # Folding and grouping may leave too few; there are more where a leg was read to its depth.
            if len(hits) >= query.k or whole or depth >= DEEPEST:
                return Answer(tuple(hits), round((time.perf_counter() - started) * 1000, 2), tuple(notes))
            depth *= 4

    def _ranked(self, legs: Sequence[Leg], depth: int, filters: Filters, query: Query) -> tuple[list[Fused], bool]:
        """What passes the cut-off, best first; and whether no leg had more that could pass it."""
        cut = DEFAULT_MIN_RELEVANCE if query.min_relevance is None else query.min_relevance
        rankings: dict[tuple[str, str], dict[str, Evidence]] = {}
        whole = True
        looking = [leg for leg in legs if isinstance(leg, VectorLeg)]
        reading = [leg for leg in legs if isinstance(leg, WordsLeg)]
        seen, read = self.store.searched(
            [Near(leg.space, leg.target, leg.unit, depth, filters) for leg in looking],
            [Said(leg.text, depth, filters, leg.without, coverage_for(cut / leg.share)) for leg in reading],
        )
        gathered: list[tuple[Leg, dict[str, Evidence]]] = [
            *((leg, self._near(leg, near)) for leg, near in zip(looking, seen, strict=True)),
            *((leg, _said(leg, matches)) for leg, matches in zip(reading, read, strict=True)),
        ]
        for leg, found in gathered:
            whole = whole and (len(found) < depth or min(e.relevance for e in found.values()) < cut)
            found = _of_wholes(found)
            key = (leg.name, leg.target if isinstance(leg, VectorLeg) else "")
            rankings[key] = _best_of(rankings[key], found) if key in rankings else found
        ranked = [f for f in fuse(rankings.values()) if f.relevance >= cut]
        timed = [f.moment for f in ranked if kind_of(f.moment) in SENSE]
        return joined(ranked, self.store.spans(timed)) if timed else ranked, whole

    def _near(self, leg: VectorLeg, near: Sequence[Neighbour]) -> dict[str, Evidence]:
        if not leg.unwanted:
            norm = float(np.linalg.norm(leg.direction))
            return {
                n.moment: Evidence(
                    leg.name,
                    n.similarity,
                    logistic(norm * n.similarity - leg.offset) * leg.share,
                    rank,
                    query=leg.part,
                    moment=n.moment,
                )
                for rank, n in enumerate(near, start=1)
            }
        ids = [n.moment for n in near]
        vectors = self.store.vectors(leg.space, ids)
        ids = [moment for moment in ids if moment in vectors]
        if not ids:
            return {}
        targets = np.stack([vectors[moment] for moment in ids])
        odds, cosines = leg.log_odds(targets), leg.similarity(targets)
        order = np.argsort(-odds, kind="stable")
        return {
            ids[i]: Evidence(
                leg.name, float(cosines[i]), logistic(float(odds[i])) * leg.share, rank, query=leg.part, moment=ids[i]
            )
            for rank, i in enumerate(order.tolist(), start=1)
        }

    def _hits(self, ranked: Sequence[Fused], query: Query) -> list[Hit]:
        """Load, fold and explain only as many as are wanted."""
        kept = [(fused, 0) for fused in ranked]
        if query.fold:
            ids = [fused.moment for fused in ranked]
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
        hits = []
        for fused, more in kept:
            moment = moments.get(fused.moment)
            if moment is None or moment.asset not in placed:
                continue  # deleted since its leg found it
            asset, everywhere = placed[moment.asset]
            sources = [s for s in everywhere if query.filters.admits(s.path, s.collection)]
            start, end = fused.span or (moment.start, moment.end)
            evidence = tuple(_explained(e, moments[e.moment]) for e in fused.evidence if e.moment in moments)
            hits.append(
                Hit(
                    asset.id, moment.id, sources[0].path if sources else "", asset.media, asset.title, start, end,
                    moment.page, round(fused.relevance, 4), evidence, more,
                )
            )  # fmt: skip
        return hits


def _said(leg: WordsLeg, found: Sequence[WordMatch]) -> dict[str, Evidence]:
    return {
        match.moment: Evidence(
            leg.name,
            match.coverage,
            of_words(match.coverage) * leg.share,
            rank,
            match.text,
            ", ".join(match.terms),
            moment=match.moment,
        )
        for rank, match in enumerate(found, start=1)
    }


def _of_wholes(found: dict[str, Evidence]) -> dict[str, Evidence]:
    """Of each moment the best evidence that it or a part of it gives, ranked anew where there are parts."""
    if not any(kind_of(moment) in PARTS for moment in found):
        return found
    best: dict[str, Evidence] = {}
    for moment, evidence in found.items():
        best.setdefault(whole_of(moment), evidence)
    return {moment: replace(evidence, rank=rank) for rank, (moment, evidence) in enumerate(best.items(), start=1)}


def _best_of(one: dict[str, Evidence], other: dict[str, Evidence]) -> dict[str, Evidence]:
    """Two views' rankings as one leg's: each moment by its better evidence, ranked anew."""
    better = dict(one)
    for moment, evidence in other.items():
        if moment not in better or evidence.relevance > better[moment].relevance:
            better[moment] = evidence
    ordered = sorted(better.items(), key=lambda item: (-item[1].relevance, item[0]))
    return {moment: replace(evidence, rank=rank) for rank, (moment, evidence) in enumerate(ordered, start=1)}


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


def _explained(evidence: Evidence, moment: Moment) -> Evidence:
    """Add where in the asset the evidence stands: the second of the first matching word, the page, or the box of a part."""
    start, end = moment.start, moment.end
    if evidence.leg == "words" and moment.words and evidence.query:
        terms = {term.strip().lower() for term in evidence.query.split(",")}
        spoken = [w for w in moment.words if w.text.strip(" .,!?;:\"'").lower() in terms]
        if spoken:
            start, end = spoken[0].start, spoken[-1].end
    text = evidence.text
    if text is None and evidence.leg in ("common", "text"):
        text = next((moment.fields[f] for f in ("transcript", "text", "ocr") if f in moment.fields), None)
        if evidence.leg == "common" and modality("common", moment.kind) != "text":
            text = None
    similarity, relevance = round(evidence.similarity, 4), round(evidence.relevance, 4)
    boxes = tuple(label.box for label in moment.labels if label.box)[:1] if moment.kind in PARTS else ()
    return replace(
        evidence,
        similarity=similarity,
        relevance=relevance,
        text=text,
        start=start,
        end=end,
        page=moment.page,
        boxes=boxes,
    )
