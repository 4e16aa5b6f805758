"""Summarise texts by their own sentences: central ones that do not repeat each other.

Centrality: the mean similarity of a sentence to all others, sharpened as in LexRank (G. Erkan and D. Radev, 2004).
Novelty: what a chosen sentence says already is taken off, as in maximal marginal relevance (J. Carbonell and J.
Goldstein, 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.answering.passages import split
from crossmedia.retrieval.documents import Moment

LINKED: Final = 0.15
"""Similarity under which sentences have nothing to do with each other."""
MIN_SENTENCE_WORDS: Final = 4
"""Words of a sentence that may stand for others."""
MAX_SENTENCES: Final = 400


@dataclass(frozen=True, eq=False)
class ChosenSentence:
    """A sentence of a summary: where it is, how central it is in [0, 1]."""

    moment: Moment
    text: str
    centrality: float


def summarise(moments: Sequence[Moment], profile: Profile, most: int = 3) -> list[ChosenSentence]:
    """At most so many sentences of spoken or written moments, in their order; none where nothing is said."""
    texts = [
        (moment, text)
        for moment in moments
        if moment.kind in ("speech", "paragraph")
        for text in split(moment.fields.get("transcript") or moment.fields.get("text", ""))
    ]
    long = [one for one in texts if len(one[1].split()) >= MIN_SENTENCE_WORDS] or texts
    long = long[:: max(1, -(-len(long) // MAX_SENTENCES))]
    if not long:
        return []
    rows = profile.text.encode([text for _, text in long]).vectors["text"]
    central = centrality(rows)
    order = choose_sentences(rows, central, most)
    return [ChosenSentence(*long[n], round(float(central[n]), 4)) for n in sorted(order)]


def centrality(rows: Vectors) -> Vectors:
    """(N, D) unit rows → (N,) in [0, 1]: how near each is to all the others, those near to many counting more."""
    linked = np.clip(rows @ rows.T - LINKED, 0, None)
    np.fill_diagonal(linked, 0)
    degree = linked.sum(1, keepdims=True)
    moved = np.divide(linked, degree, out=np.full_like(linked, 1 / max(1, len(rows))), where=degree > 0)
    standing = np.full(len(rows), 1 / len(rows), dtype=np.float32)
    for _ in range(50):
        standing = 0.15 / len(rows) + 0.85 * standing @ moved
    most = float(standing.max())
    scaled: Vectors = standing / most if most > 0 else standing
    return scaled


def choose_sentences(rows: Vectors, central: Vectors, most: int) -> list[int]:
    """Indexes of the sentences to show, most central first, each discounted by its similarity to those before it."""
    picked: list[int] = []
    left = central.astype(np.float64).copy()
    while len(picked) < min(most, len(rows)):
        best = int(np.argmax(left))
        picked.append(best)
        left = left * (1 - np.clip(rows @ rows[best], 0, 1) ** 2)
        left[picked] = -np.inf
    return picked
