"""Standardise the features of pictures by the mean and spread of the training pictures."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from crossmedia.embeddings.visual_answers import SIGHT, Floats

MAX_DEVIATIONS: Final = 4.0
"""Standard deviations at which a value is cut."""
GRID, KEPT = 128, 192
"""Principal components of a cell, and of the whole picture."""


class Sights(nn.Module):  # type: ignore[misc]
    """Whole pictures in few values: about unit vectors, in which each kind of sight counts the same."""

    def __init__(self, sights: Floats) -> None:
        """(p, 2, 4696)"""
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(sights[:, 0].mean(0)))
        self.register_buffer("spread", torch.from_numpy(sights[:, 0].std(0) + 1e-6))
        rows = self.units(torch.from_numpy(sights))
        self.register_buffer("axes", components(rows.reshape(-1, rows.shape[2]), KEPT))

    def units(self, sights: Tensor) -> Tensor:
        kinds = torch.split(
            ((sights - self.mean) / self.spread).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS), list(SIGHT), dim=2
        )
        units = torch.cat([one / one.norm(dim=2, keepdim=True).clamp(min=1e-9) for one in kinds], dim=2)
        return units / len(SIGHT) ** 0.5

    def forward(self, sights: Tensor) -> Tensor:
        """(B, 2, 4696) → (B, 2, 192), of the picture and of its mirror image."""
        return self.units(sights) @ self.axes


class Grid(nn.Module):  # type: ignore[misc]
    """Each cell in few values, of about one."""

    def __init__(self, cells: Floats) -> None:
        """(p, 2, 81, 352)"""
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(cells.mean((0, 1, 2))))
        self.register_buffer("spread", torch.from_numpy(cells.std((0, 1, 2)) + 1e-3))
        rows = self.standardise(torch.from_numpy(cells[:, 0]))
        axes = components(rows.reshape(-1, rows.shape[2])[::2], GRID)
        self.register_buffer("axes", axes / (rows @ axes).std())

    def standardise(self, cells: Tensor) -> Tensor:
        return ((cells - self.mean) / self.spread).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def forward(self, cells: Tensor) -> Tensor:
        """(…, 81, 352) → (…, 81, 128)"""
        return self.standardise(cells) @ self.axes


def components(rows: Tensor, count: int) -> Tensor:
    """(columns, count): the directions in which rows differ most from nothing."""
    axes = np.linalg.svd(rows.numpy(), full_matrices=False)[2][:count].T
    return torch.from_numpy(np.ascontiguousarray(axes))
