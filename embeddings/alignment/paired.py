"""Pairs as vectors, divided into a training and a held-out part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.align import bank_dimensions, frame, split
from crossmedia.embeddings.encoder import Space, Vector, Vectors

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Paired:
    """Distinct sources, distinct anchors, and which belong together.

    `native` (S, d): what is mapped; `common` (S, dim): where the encoder itself puts it, None where it does not;
    `anchors` (A, dim): where the other side lies; `pairs` (P, 2): rows of a source and of an anchor. `space`: that of
    `common`.
    """

    native: Vectors
    common: Vectors | None
    anchors: Vectors
    pairs: Rows
    space: Space

    def content(self) -> Vectors | None:
        """(S, c) unit rows."""
        return None if self.common is None else split(self.common, self.space)[0]

    def sides(self) -> tuple[Vectors, Vectors]:
        """Of the sources, what is not moved: length of the content (S, 1) and the dimensions that are none (S,
        extra)."""
        if self.common is None:
            scale, rest = frame(self.space)
            return np.full((len(self.native), 1), scale, np.float32), np.tile(rest, (len(self.native), 1))
        return split(self.common, self.space)[1], self.common[:, self.space.dim - self.space.extra :]

    def placed(self, content: Vectors, less: Vector | None = None) -> Vectors:
        """Content (S, c) of all sources → vectors (S, dim) of the common space. `less` (S,): as `bank_dimensions` "
        "takes it."""
        scales, rest = self.sides()
        return np.hstack([content * scales, rest if less is None else bank_dimensions(rest, less)]).astype(np.float32)

    def of(self, sources: Rows) -> Rows:
        """Rows of the pairs of these sources."""
        return np.flatnonzero(np.isin(self.pairs[:, 0], sources))

    def together(self, sources: Rows, anchors: Rows) -> NDArray[np.bool_]:
        """(len(sources), len(anchors)): which are a pair."""
        width = len(self.anchors)
        codes = sources[:, None] * width + anchors[None, :]
        return np.isin(codes, self.pairs[:, 0] * width + self.pairs[:, 1])


MAX_HELD_OUT: Final = 2000
"""More would cost memory (each is ranked among all others) and say nothing new."""


def parts(count: int, held_out: float, enough: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """(learned from, held out) of `count` sources: one division if that holds out `enough`, else each source once."""
    order = np.random.default_rng(seed).permutation(count)
    size = min(MAX_HELD_OUT, max(1, round(held_out * count)))
    folds = 1 if size >= enough else max(2, round(1 / held_out))
    pieces = [order[:size]] if folds == 1 else np.array_split(order, folds)
    for piece in pieces:
        yield np.setdiff1d(order, piece), np.sort(piece)
