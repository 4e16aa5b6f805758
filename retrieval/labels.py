"""What labels are asked and what they tell: how often a value stands where, and which moments bear what a query
names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from crossmedia.embeddings.label_kinds import said_kinds
from crossmedia.retrieval.query import Filters


@dataclass(frozen=True)
class Labelled:
    """How often a label's value stands on moments: on how many, of how many assets, for how many seconds in all; and
    the moment on which it stands longest, or with the best score where nothing lasts."""

    value: str
    moments: int
    assets: int
    seconds: float
    best: str


@dataclass(frozen=True)
class LabelQuery:
    """A search by labels: the k moments that bear most of these values (each with how many of it are wanted, lower
    case), of these kinds, or those that people say in any collection."""

    values: Mapping[str, int]
    k: int
    filters: Filters
    kinds: Sequence[str] = field(default_factory=said_kinds)


@dataclass(frozen=True)
class LabelMatch:
    """A moment with the scores of its labels of each value that was asked for, best first, no more than were wanted."""

    moment: str
    scores: Mapping[str, tuple[float, ...]]


def by_value(scores: Mapping[tuple[str, str], Sequence[float]]) -> dict[str, list[float]]:
    """Scores by kind and value → by value, best first: what labels of two kinds tell of is there once, as sure as the
    surer of them.

    >>> by_value({("object", "dog"): [0.5, 0.9], ("things", "dog"): [0.7], ("things", "sofa"): [0.6]})
    {'dog': [0.9, 0.5], 'sofa': [0.6]}
    """
    found: dict[str, list[float]] = {}
    for (_, value), some in scores.items():
        pairs = zip_longest(found.get(value, ()), sorted(some, reverse=True), fillvalue=0.0)
        found[value] = [max(pair) for pair in pairs]
    return found


def best_named(
    found: Mapping[str, Mapping[str, Sequence[float]]], wanted: Mapping[str, int], k: int
) -> list[LabelMatch]:
    """Of moments with the scores of each value the k that bear most of what is wanted; between equals the surer
    ones."""
    kept = [
        LabelMatch(
            moment, {value: tuple(sorted(some, reverse=True)[: wanted[value]]) for value, some in scores.items()}
        )
        for moment, scores in found.items()
    ]
    return sorted(kept, key=lambda match: (*_weight(match.scores.values()), match.moment))[:k]


def _weight(scores: Iterable[tuple[float, ...]]) -> tuple[int, float]:
    some = list(scores)
    return -sum(len(one) for one in some), -sum(sum(one) for one in some)
