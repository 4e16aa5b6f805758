"""The penalty on a text's similarities to all pictures for how unfamiliar its words are.

A walrus has its place among the captions too, between seals and dogs. How seldom training met the word pieces of a text
says whether that place means anything, and it says it of the text alone: no ranking changes, only whether the best of
it counts as an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vectors

KNOWN_TEXTS: Final = 200
"""Texts that a word piece must stand in to be known; at most 255."""
PLAIN_RARITY: Final = 3.0
"""Word pieces met so many times too seldom, on average, make no text strange: most captions have a rare one, and a
single common word would stand out from them by having none."""
WEIGHT: Final = 0.04
"""In cosines of words and pictures, of a text whose word pieces were met e times as seldom as a plain one's. Chosen on
photos that the words had not seen (`embeddings/train/cut_off.py`): with more, sentences with a rare word let everything
in."""


def penalty(met: NDArray[np.uint8], pieces: Sequence[NDArray[np.int64]]) -> Vectors:
    """`met`: (vocabulary,) the number of training texts that contain each word piece, plus one, at most `KNOWN_TEXTS`;
    word pieces of texts, (1, L) each → (N, 1)."""
    return WEIGHT * np.array([rarity(met[ids]) for ids in pieces], np.float32).reshape(-1, 1)


def rarity(met: NDArray[np.uint8]) -> float:
    """Of a text whose word pieces were met so often: 0 for plain ones, 1 for those met e times as seldom."""
    return max(0.0, float(np.log((KNOWN_TEXTS / met.astype(np.float32)).mean() / PLAIN_RARITY)))
