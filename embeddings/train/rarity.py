"""How seldom training met the word pieces of a text (`embeddings/rarity.py`): the counts, and the same inside the
sentence network, in the map that the heads of the picture network learned by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from crossmedia.embeddings.rarity import KNOWN_TEXTS, PLAIN_RARITY

NAME_WEIGHT: Final = 3
"""A name of a thing counts as so many captions: there are few of each."""
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
