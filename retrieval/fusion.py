"""Ranked lists of several legs become one: weighted reciprocal-rank fusion, and the folding of what is shown twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.likeness import LEVELS, MIN_SAME_KIND, Likeness, most_alike
from crossmedia.retrieval.query import Evidence

RANK_OFFSET: Final = 60
"""k of reciprocal-rank fusion (Cormack, Clarke & Büttcher 2009)."""
SAME_PICTURE: Final = 0.985
SAME_TEXT: Final = 0.995
"""Cosines in the native spaces from which two moments show or say the same."""
ORDER: Final[tuple[Likeness | None, ...]] = (*LEVELS[:-1], None, LEVELS[-1])
"""How like an example hits are, in their order; None for those of another medium."""
_NONE: Final = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class Fused:
    """A moment with its fused score, its relevance in [0, 1] and its evidence, strongest first.

    `span`: the seconds it covers together with others that joined it, None where none could.
    """

    moment: str
    score: float
    relevance: float
    evidence: tuple[Evidence, ...]
    span: tuple[float, float] | None = None

    @property
    def likeness(self) -> Likeness | None:
        """How like an example it is, by the evidence that says most."""
        return most_alike(evidence.likeness for evidence in self.evidence)


def fuse(rankings: Iterable[Mapping[str, Evidence]]) -> list[Fused]:
    """Moments by the sum over legs of relevance / (RANK_OFFSET + rank), best first; ties by their best rank.

    Plain reciprocal ranks would let the best of a leg that found nothing fit stand beside the best of one that did; the
    relevance, comparable across legs, is what keeps it down. A moment's relevance is that of its strongest evidence.
    """
    gathered: dict[str, list[Evidence]] = {}
    for ranking in rankings:
        for moment, evidence in ranking.items():
            gathered.setdefault(moment, []).append(evidence)
    fused = [
        Fused(
            moment,
            sum(e.relevance / (RANK_OFFSET + e.rank) for e in found),
            max(e.relevance for e in found),
            tuple(sorted(found, key=lambda e: (-e.relevance, e.rank))),
        )
        for moment, found in gathered.items()
    ]
    return sorted(fused, key=lambda f: (-f.score, min(e.rank for e in f.evidence), f.moment))


def like_first(ranked: Sequence[Fused]) -> list[Fused]:
    """What is like an example, the most alike first, before what answers it in another medium; what is merely the
    nearest comes last.

    A bark is asked for by a bark: the other bark goes before pictures of dogs, however sure those are.
    """

    def place(fused: Fused) -> int:
        sure = fused.likeness == "nearest" and fused.relevance >= MIN_SAME_KIND  # by a leg of another medium
        return ORDER.index(None if sure else fused.likeness)

    return sorted(ranked, key=place)


def fold(ranked: Sequence[Fused], vectors: Mapping[str, Vector], same: float) -> list[tuple[Fused, int]]:
    """Drop moments whose vector lies within `same` of a better one's; each kept moment with the number it stands for.

    `vectors` are unit vectors of one native space; a moment without one is kept.
    """
    held = [i for i, fused in enumerate(ranked) if fused.moment in vectors]
    matrix = np.stack([vectors[ranked[i].moment] for i in held]) if held else np.empty((0, 1), dtype=np.float32)
    alike: NDArray[np.bool_] = matrix @ matrix.T >= same
    column = {i: j for j, i in enumerate(held)}
    stands_for: dict[int, int] = {}
    shown: list[int] = []  # columns of the kept, best first
    for i in range(len(ranked)):
        near = np.flatnonzero(np.take(alike[column[i]], shown)) if i in column and shown else _NONE
        if len(near):
            stands_for[held[shown[near[0]]]] += 1
            continue
        stands_for[i] = 0
        if i in column:
            shown.append(column[i])
    return [(ranked[i], more) for i, more in stands_for.items()]
