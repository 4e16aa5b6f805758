"""Query-bank normalisation inside the vectors: pictures that are near to every text are put a little farther from all.

Some pictures are the nearest of far too many queries (hubs). Bogolin et al., "Cross modal retrieval with querybank
normalisation" (2022), take off each picture's log-mean-exp similarity to a bank of texts. That is an inner product with
two more dimensions (Bachrach et al. 2014), so that unit vectors and one index search are all it needs:

    text t     → (t, 1, 0) / √2
    picture v  → (v, −o, √(1 − o²)) / √2        with o its offset; their inner product is (t · v − o) / 2
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from embeddings.train import graph

EXTRA: Final = 2
"""Dimensions beyond those of the maps."""
CAPTIONS, NAMES = 1500, 600
"""Texts of the bank, drawn from the training material: without names of things, a drawing of one is nobody's hub."""
SHARPNESS: Final = 20.0
SHARE: Final = 0.5
"""How much of a picture's log-mean-exp similarity is taken off it."""


def text_side(mapped: Tensor) -> Tensor:
    """(N, dim) unit rows → (N, dim + 2) unit rows."""
    rest = torch.cat([torch.ones_like(mapped[:, :1]), torch.zeros_like(mapped[:, :1])], dim=1)
    return torch.cat([mapped, rest], dim=1) * 0.5**0.5


class PictureSide(nn.Module):  # type: ignore[misc]
    """(N, dim) unit rows of pictures → (N, dim + 2) unit rows. `bank`: (M, dim) unit rows of texts."""

    def __init__(self, bank: Tensor) -> None:
        super().__init__()
        self.bank = graph.Compact(bank)

    def forward(self, seen: Tensor) -> Tensor:
        mean = torch.exp(SHARPNESS * self.bank(seen)).mean(1, keepdim=True)
        offset = (SHARE / SHARPNESS * torch.log(mean)).clamp(-1, 1)
        return torch.cat([seen, -offset, torch.sqrt((1 - offset * offset).clamp(min=0))], dim=1) * 0.5**0.5
