"""What a store found becomes evidence: similarities as relevance, parts as their wholes, and where it can be looked
up."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

import numpy as np

from crossmedia.embeddings.profile import Word
from crossmedia.retrieval import naming
from crossmedia.retrieval.analysis import is_unspaced
from crossmedia.retrieval.documents import PARTS, Moment, kind_of, modality, whole_of
from crossmedia.retrieval.labels import LabelMatch
from crossmedia.retrieval.likeness import likeness
from crossmedia.retrieval.planner import LABELS, WORDS, LabelsLeg, VectorLeg, WordsLeg
from crossmedia.retrieval.query import Evidence
from crossmedia.retrieval.relevance import logistic, of_words
from crossmedia.retrieval.store import Store, TextMatch, VectorMatch

DRAWN: Final = 0.5
"""How far a picture goes towards its most relevant part (`crossmedia eval regions`)."""
DESCRIBED: Final = 0.6
"""What words of a generated sentence count beside words that are said or written: its labels speak for themselves
already."""
BOXES: Final = 50
"""Of what is named, that are told at most."""
Ranking = dict[str, Evidence]
"""By moment, best first."""


def near(leg: VectorLeg, found: Sequence[VectorMatch], store: Store) -> Ranking:
    """What lies near; where something is unwanted, ranked again by the vectors themselves."""
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
            for rank, n in enumerate(found, start=1)
        }
    ids = [n.moment for n in found]
    vectors = store.vectors(leg.space, ids)
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


def said(leg: WordsLeg, found: Sequence[TextMatch]) -> Ranking:
    return {
        match.moment: Evidence(
            leg.name,
            match.coverage,
            of_words(match.coverage) * leg.share * (DESCRIBED if match.field == "description" else 1.0),
            rank,
            match.text,
            ", ".join(match.terms),
            moment=match.moment,
            generated=match.field == "description",
        )
        for rank, match in enumerate(found, start=1)
    }


def named(leg: LabelsLeg, found: Sequence[LabelMatch]) -> Ranking:
    """What bears the labels that the query names; `query` of the evidence are their values."""
    judged = [(match.moment, *leg.naming.score(match.scores)) for match in found]
    told = [
        (naming.relevance(coverage, score) * leg.share, moment, coverage, values)
        for moment, coverage, score, values in judged
        if values
    ]
    told.sort(key=lambda one: (-one[0], one[1]))
    return {
        moment: Evidence(leg.name, coverage, relevance, rank, query=", ".join(values), moment=moment)
        for rank, (relevance, moment, coverage, values) in enumerate(told, start=1)
    }


def of_wholes(found: Ranking) -> Ranking:
    """Of each moment the best evidence that it or a part of it gives, ranked anew where there are parts."""
    if not any(kind_of(moment) in PARTS for moment in found):
        return found
    best: Ranking = {}
    for moment, evidence in found.items():
        best.setdefault(whole_of(moment), evidence)
    return _ranked(best)


def drawn_to_parts(leg: VectorLeg, found: Ranking, parts: Ranking, store: Store) -> Ranking:
    """Wholes with what their best part adds, ranked anew: where it is more relevant, the log-odds go `DRAWN` of the way
    to its.

    As a ranking of its own a part would put every picture that has one before those that have none.
    """
    missing = [moment for moment in parts if moment not in found]
    vectors = store.vectors(leg.space, missing) if missing else {}
    own = [VectorMatch(moment, float(vector @ leg.unit)) for moment, vector in vectors.items()]
    every = {**found, **near(leg, sorted(own, key=lambda one: -one.similarity), store)}
    for moment, evidence in every.items():
        part = parts.get(moment)
        if part is not None and part.relevance > evidence.relevance:
            odds, best = (_log_odds(one.relevance / leg.share) for one in (evidence, part))
            every[moment] = replace(
                evidence,
                similarity=evidence.similarity + DRAWN * (part.similarity - evidence.similarity),
                relevance=logistic(odds + DRAWN * (best - odds)) * leg.share,
                moment=part.moment,
            )
    return _ranked(dict(sorted(every.items(), key=lambda item: (-item[1].relevance, item[0]))))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))


def with_likeness(leg: VectorLeg, found: Ranking) -> Ranking:
    """The same evidence with how like the example each is, where the leg compares like with like."""
    if leg.like_with_like is None:
        return found
    return {
        moment: replace(one, likeness=likeness(leg.like_with_like, one.similarity, one.relevance / leg.share))
        for moment, one in found.items()
    }


def only(found: Ranking, moments: Container[str]) -> Ranking:
    """The evidence on these moments, ranked anew."""
    return _ranked({moment: evidence for moment, evidence in found.items() if moment in moments})


def best_of(one: Ranking, other: Ranking) -> Ranking:
    """Two views' rankings as one leg's: each moment by its better evidence, ranked anew."""
    better = dict(one)
    for moment, evidence in other.items():
        if moment not in better or evidence.relevance > better[moment].relevance:
            better[moment] = evidence
    return _ranked(dict(sorted(better.items(), key=lambda item: (-item[1].relevance, item[0]))))


def _ranked(found: Ranking) -> Ranking:
    return {moment: replace(evidence, rank=rank) for rank, (moment, evidence) in enumerate(found.items(), start=1)}


def _saying(words: Sequence[Word], term: str) -> list[Word]:
    """The words in a row that a term of a script without blanks stands in: recognisers split where they like."""
    texts = [word.text.strip() for word in words]
    first = "".join(texts).find(term)
    ends = list(accumulate(map(len, texts)))
    if first < 0:
        return []
    return [
        w
        for w, text, end in zip(words, texts, ends, strict=True)
        if end > first and end - len(text) < first + len(term)
    ]


def explained(evidence: Evidence, moment: Moment, said: Sequence[str]) -> Evidence:
    """Add where in the asset the evidence stands: the second of the first matching word, the page, or the boxes
    of a part and of what was named. `said`: kinds of labels that a query may name."""
    start, end = moment.start, moment.end
    if evidence.leg == WORDS and moment.words and evidence.query:
        terms = {term.strip().lower() for term in evidence.query.split(",")}
        spoken = [w for w in moment.words if w.text.strip(" .,!?;:\"'").lower() in terms] or [
            w for term in terms if is_unspaced(term) for w in _saying(moment.words, term)
        ]
        if spoken:
            spoken.sort(key=lambda word: word.start)
            start, end = spoken[0].start, spoken[-1].end
    text = evidence.text
    if text is None and evidence.leg in ("common", "text"):
        text = next((moment.fields[f] for f in ("transcript", "text", "ocr") if f in moment.fields), None)
        if evidence.leg == "common" and modality("common", moment.kind) != "text":
            text = None
    similarity, relevance = round(evidence.similarity, 4), round(evidence.relevance, 4)
    boxes = tuple(label.box for label in moment.labels if label.box)[:1] if moment.kind in PARTS else ()
    if evidence.leg == LABELS and evidence.query:
        values = set(evidence.query.split(", "))
        told = (label for label in moment.labels if label.kind in said and label.value.lower() in values)
        boxes = tuple(label.box for label in told if label.box)[:BOXES]
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
