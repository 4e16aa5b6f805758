"""How alike a hit and an example are: the same, a copy, alike, of the same kind, or merely among the nearest.

The first two are told by how far the cosine is on its way from the calibration's bias to 1, the others by relevance,
so they mean the same in every space. Where copies end was chosen on copies of photos of Flickr8k's dev split, which
`crossmedia eval alike` reports on too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from crossmedia.embeddings.encoder import Calibration

Likeness: TypeAlias = Literal["same", "near-duplicate", "similar", "same kind", "nearest"]
LEVELS: Final[tuple[Likeness, ...]] = get_args(Likeness)
"""The most alike first."""
MAX_SAME, MAX_COPY = 0.03, 0.3
"""Distances of what is the same and of copies, as shares of the way from a cosine of 1 down to the bias."""
MIN_SIMILAR: Final = 0.8
"""Relevance from which two are alike as a whole and not only of one kind."""
MIN_SAME_KIND: Final = 0.5
"""Relevance from which two are of one kind."""
MIN_HITS: Final = 20
"""So many answer an example, however little they are like it."""


def likeness(calibration: Calibration, cosine: float, relevance: float) -> Likeness:
    """`relevance` in [0, 1]: by the calibration, or by what raised it since."""
    distance = (1 - cosine) / max(1 - calibration.bias, 1e-6)
    if distance <= MAX_SAME:
        return "same"
    if distance <= MAX_COPY:
        return "near-duplicate"
    if relevance >= MIN_SIMILAR:
        return "similar"
    return "same kind" if relevance >= MIN_SAME_KIND else "nearest"


def most_alike(levels: Iterable[Likeness | None]) -> Likeness | None:
    """The most alike of several levels, None where nothing was compared.

    >>> most_alike([None, "same kind", "similar"])
    'similar'
    """
    return min((level for level in levels if level is not None), key=LEVELS.index, default=None)
