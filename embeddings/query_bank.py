"""Query-bank normalisation within vectors: lower the similarities of pictures near every text and of unfamiliar texts.

Some pictures are the nearest of far too many queries (hubs). Bogolin et al., "Cross modal retrieval with querybank
normalisation" (2022), take off each picture's log-mean-exp similarity to a bank of texts. A text of words that
training did not meet lies near some picture all the same, and no cut-off tells it from one that is answered: its
strangeness (`rarity.py`) is taken off too. Both are an inner product with two more dimensions (Bachrach et al. 2014),
so that unit vectors and one index search are all it needs:

    text t     → unit (t, 1, −s)               with s its strangeness, the same for all pictures: no ranking changes
    picture v  → (v, −o, √(1 − o²)) / √2        with o its offset; the inner product is about (t · v − o − s) / 2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vectors, normalise

EXTRA: Final = 2
"""Dimensions beyond those of the content."""
SHARPNESS: Final = 40.0
SHARE: Final = 0.8
"""How much of a picture's log-mean-exp similarity is taken off it. Both were chosen on photos that the words had not
seen (`embeddings/train/cut_off.py`)."""


@dataclass(frozen=True, eq=False)
class QueryBank:
    """`texts`: (M, dim) unit rows that stand for what may be asked."""

    texts: Vectors

    def pictures(self, seen: Vectors, further: float = 0.0) -> Vectors:
        """(N, dim) unit rows → (N, dim + 2) unit rows. `further`: what is taken off all of them as well."""
        if not len(seen):
            return np.zeros((0, seen.shape[1] + EXTRA), np.float32)
        mean = np.exp(SHARPNESS * (seen @ self.texts.T)).mean(axis=1, keepdims=True)
        return pictures(seen, SHARE / SHARPNESS * np.log(mean) + further)


def pictures(seen: Vectors, offset: NDArray[np.floating]) -> Vectors:
    """(N, dim) unit rows, (N, 1) in [-1, 1] → (N, dim + 2) unit rows; the same of sounds."""
    offset = np.clip(offset, -1, 1)
    return normalise(np.hstack([seen, -offset, np.sqrt(1 - offset**2)]))


def content(framed: Vectors) -> Vectors:
    """(N, dim + 2) unit rows of either kind → (N, dim) unit rows without the two dimensions."""
    return normalise(framed[:, :-EXTRA])


def texts(said: Vectors, penalty: NDArray[np.floating]) -> Vectors:
    """(N, dim) unit rows, (N, 1) → (N, dim + 2) unit rows."""
    return normalise(np.hstack([said, np.ones_like(penalty), -penalty]))
