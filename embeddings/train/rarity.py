"""Rate how unfamiliar a text is, by how seldom its word pieces occur in the training texts.

A walrus has its place among the captions too, between seals and dogs. How often training met the words of a text says
whether that place means anything, and it says it of the text alone: what is taken off its similarities (`bank.py`)
never changes a ranking, only whether the best of it counts as an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

KNOWN_TEXTS: Final = 200
"""Texts that a word piece must stand in to be known; at most 255."""
NAME_WEIGHT: Final = 3
"""A name of a thing counts as so many captions: there are few of each."""
PLAIN_RARITY: Final = 3.0
"""Word pieces met so many times too seldom, on average, make no text strange: most captions have a rare one, and a
single common word would stand out from them by having none."""
WEIGHT: Final = 0.07
"""Strangeness, in cosine of the maps, of a text whose word pieces were met e times as seldom as a plain one's."""


def count_pieces(tokenizer: Path, captions: Sequence[str], names: Sequence[str]) -> NDArray[np.uint8]:
    """(vocabulary,) the number of training texts that contain each word piece, plus one, at most `KNOWN_TEXTS`."""
    split = Tokenizer.from_file(str(tokenizer))
    counts = np.ones(split.get_vocab_size(), np.int64)
    for texts, each in ((captions, 1), (names, NAME_WEIGHT)):
        for written in split.encode_batch(list(texts)):
            counts[list(set(written.ids))] += each
    return np.minimum(counts, KNOWN_TEXTS).astype(np.uint8)


class Strangeness(nn.Module):  # type: ignore[misc]
    """Token ids (N, L), without padding → (N, 1): 0 for plain texts."""

    met: Tensor

    def __init__(self, met: NDArray[np.uint8]) -> None:
        super().__init__()
        self.register_buffer("met", torch.from_numpy(met))

    def forward(self, ids: Tensor) -> Tensor:
        seldom = KNOWN_TEXTS / self.met[ids].float()
        return WEIGHT * torch.log((seldom.mean(1, keepdim=True) / PLAIN_RARITY).clamp(min=1))
