"""How alike a hit and an example are: the same, a copy, alike, of the same kind, or merely among the nearest.

The first two are told by how far the cosine is on its way from the calibration's bias to 1, the others by relevance,
so they mean the same in every space. Where copies end was chosen on photos of Flickr8k's dev split and copies of them
(`crossmedia eval alike`): of those that were saved again, made smaller or cut by a tenth, nine of ten are nearer than
`COPY`, and of 98 % of the photos no other is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from crossmedia.embeddings.encoder import Calibration

Likeness: TypeAlias = Literal["same", "near-duplicate", "similar", "same kind", "nearest"]
LEVELS: Final[tuple[Likeness, ...]] = get_args(Likeness)
"""The most alike first."""
SAME: Final = 0.03
COPY: Final = 0.3
"""Shares of the way from 1 down to the bias."""
SIMILAR: Final = 0.8
"""Relevance from which two are alike as a whole and not only of one kind."""
KIND: Final = 0.5
NEAREST: Final = 20
"""So many answer an example however little they are like it."""


def likeness(calibration: Calibration, cosine: float, relevance: float) -> Likeness:
    """`relevance` in [0, 1]: by the calibration, or by what raised it since."""
    away = (1 - cosine) / max(1 - calibration.bias, 1e-6)
    if away <= SAME:
        return "same"
    if away <= COPY:
        return "near-duplicate"
    if relevance >= SIMILAR:
        return "similar"
    return "same kind" if relevance >= KIND else "nearest"


def most_alike(several: Iterable[Likeness | None]) -> Likeness | None:
    """The first of the levels that is among them, None if none is.

    >>> most_alike([None, "same kind", "similar"])
    'similar'
    """
    return min((level for level in several if level is not None), key=LEVELS.index, default=None)
