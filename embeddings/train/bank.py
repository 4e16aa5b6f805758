"""The texts of a query bank, and `query_bank.py` inside the picture network: in what its own heads see, from which
answers about pictures are learned."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.train import graph

EXTRA: Final = 2
"""Dimensions beyond those of the maps."""
CAPTIONS, NAMES = 2000, 800
"""Rows of the bank: centres of the captions, and names of things, without which a drawing of one is nobody's hub."""
SHARPNESS: Final = 18.0
SHARE: Final = 0.55
"""How much of a picture's log-mean-exp similarity is taken off it."""
ROUNDS, SEED = 6, 1


def centres(rows: Vectors, count: int) -> Vectors:
    """`count` unit rows that stand for the unit rows (N, dim): k-means by cosine. They normalise as well as four times
    as many single captions."""
    means = rows[np.random.default_rng(SEED).permutation(len(rows))[:count]]
    for _ in range(ROUNDS):
        sums = np.zeros_like(means)
        np.add.at(sums, (rows @ means.T).argmax(1), rows)
        means = np.where(sums.any(1, keepdims=True), normalise(sums), means)
    return means


def text_side(mapped: Tensor, strange: Tensor) -> Tensor:
    """(N, dim) unit rows, (N, 1) → (N, dim + 2) unit rows."""
    return nn.functional.normalize(torch.cat([mapped, torch.ones_like(strange), -strange], dim=1), dim=1)


class PictureSide(nn.Module):  # type: ignore[misc]
    """(N, dim) unit rows of pictures → (N, dim + 2) unit rows. `bank`: (M, dim) unit rows of texts."""

    def __init__(self, bank: Tensor) -> None:
        super().__init__()
        self.bank = graph.Compact(bank)

    def forward(self, seen: Tensor) -> Tensor:
        mean = torch.exp(SHARPNESS * self.bank(seen)).mean(1, keepdim=True)
        offset = (SHARE / SHARPNESS * torch.log(mean)).clamp(-1, 1)
        return torch.cat([seen, -offset, torch.sqrt((1 - offset * offset).clamp(min=0))], dim=1) * 0.5**0.5
