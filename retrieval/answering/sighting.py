"""Rate how surely a moment shows or sounds like what words say: by labels, or by the common space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import COMMON, Calibration, Vector, Vectors
from crossmedia.retrieval import naming
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.documents import MODALITY, Label, Moment
from crossmedia.retrieval.labels import by_value
from crossmedia.retrieval.query import Evidence
from crossmedia.retrieval.relevance import UNKNOWN

BOXES: Final = 20


@dataclass(frozen=True, eq=False)
class Sighting:
    """A moment and how likely it shows what was asked for, with the evidence."""

    moment: Moment
    sureness: float
    evidence: Evidence


def label_evidence(labels: Sequence[Label], moment: Moment, leg: str = "labels") -> Evidence:
    """Labels of a moment as evidence."""
    score = max((label.score for label in labels), default=0.0)
    boxes = tuple(label.box for label in labels if label.box)[:BOXES]
    spans = [(label.start, label.end) for label in labels if label.start is not None]
    start, end = spans[0] if spans else (moment.start, moment.end)
    values = ", ".join(dict.fromkeys(label.value for label in labels))
    return Evidence(
        leg,
        round(score, 4),
        round(score, 4),
        1,
        query=values,
        start=start,
        end=end,
        page=moment.page,
        moment=moment.id,
        boxes=boxes,
    )


def word_evidence(
    moment: Moment, text: str, relevance: float, start: float | None = None, end: float | None = None
) -> Evidence:
    """Words of a moment as evidence."""
    return Evidence(
        "words",
        round(relevance, 4),
        round(relevance, 4),
        1,
        text=text,
        start=moment.start if start is None else start,
        end=moment.end if end is None else end,
        page=moment.page,
        moment=moment.id,
    )


def calibration(scope: Scope, moment: Moment) -> Calibration:
    """The calibration of words with moments of this kind."""
    return scope.calibrations.get((COMMON, "text", MODALITY[moment.kind]), UNKNOWN)


def vectors_of(scope: Scope, moments: Sequence[Moment], space: str = COMMON) -> dict[str, Vector]:
    """The moments' vectors by id; of what was shown with the question they come along."""
    held = {moment.id: moment.vectors[space] for moment in moments if space in moment.vectors}
    missing = [moment.id for moment in moments if moment.id not in held]
    return {**held, **(scope.store.vectors(space, missing) if missing and scope.asset else {})}


def find_sightings(scope: Scope, topic: str, moments: Sequence[Moment]) -> list[Sighting]:
    """The moments by how surely each is of the topic, best first."""
    named, said = naming.find_names(topic), scope.engine.said()
    vectors = vectors_of(scope, moments)
    query = scope.vector(topic) if vectors else None
    sightings = []
    for moment in moments:
        seen = _named(moment, named, said)
        if query is not None and moment.id in vectors:
            own = calibration(scope, moment)
            similarity = float(own.compared(query) @ vectors[moment.id])
            relevance = own.relevance(similarity)
            if seen is None or relevance > seen.sureness:
                why = Evidence(
                    COMMON,
                    round(similarity, 4),
                    round(relevance, 4),
                    1,
                    query=topic,
                    start=moment.start,
                    end=moment.end,
                    moment=moment.id,
                )
                seen = Sighting(moment, relevance, why)
        if seen is not None:
            sightings.append(seen)
    return sorted(sightings, key=lambda one: -one.sureness)


def odds(scope: Scope, texts: Vectors, moment: Moment, vector: Vector) -> Vector:
    """(N, D) texts → (N,) log-odds that the moment is of each."""
    own = calibration(scope, moment)
    logits: Vector = np.float32(own.slope) * (own.compared(texts) @ vector - np.float32(own.bias))
    return logits


def _named(moment: Moment, named: naming.NamedWords, said: Sequence[str]) -> Sighting | None:
    scores: dict[tuple[str, str], list[float]] = {}
    for label in moment.labels:
        if label.kind in said:
            scores.setdefault((label.kind, label.value.lower()), []).append(label.score)
    coverage, score, values = named.score(by_value(scores))
    if not values:
        return None
    labels = [label for label in moment.labels if label.kind in said and label.value.lower() in values]
    return Sighting(moment, naming.relevance(coverage, score), label_evidence(labels, moment))
