"""The layers of MesoNet's two networks, and what they give computed one by one in NumPy: what a conversion is compared
with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EPSILON: Final = 1e-3
"""Of the batch normalisations, Keras' default."""
LEAK: Final = 0.1


@dataclass(frozen=True)
class Layer:
    """Convolutions (name, dilation) one after the other in each branch, branches side by side; normalised, then the
    largest of each `pool` × `pool`."""

    branches: tuple[tuple[tuple[str, int], ...], ...]
    norm: str
    pool: int


def _plain(number: int, norm: int, pool: int) -> Layer:
    return Layer(((((f"conv2d_{number}"), 1),),), f"batch_normalization_{norm}", pool)


def _inception(first: int, norm: int) -> Layer:
    """Four branches: a point, then a point and 3 × 3 of dilation 1, 2 and 3."""
    names = [f"conv2d_{first + step}" for step in range(7)]
    branches = ((names[0], 1),), *(((names[2 * n - 1], 1), (names[2 * n], n)) for n in (1, 2, 3))
    return Layer(branches, f"batch_normalization_{norm}", 2)


MESO: Final[Mapping[str, tuple[Layer, ...]]] = {
    "meso4": (_plain(5, 5, 2), _plain(6, 6, 2), _plain(7, 7, 2), _plain(8, 8, 4)),
    "mesoinception": (_inception(1, 1), _inception(8, 2), _plain(15, 3, 2), _plain(16, 4, 4)),
}
"""By the beginning of the weights' file name; layers by their names in it."""


def forward(
    squares: NDArray[np.uint8], weights: Mapping[str, NDArray[np.float32]], layers: tuple[Layer, ...]
) -> NDArray[np.float64]:
    """Of squares (N, 256, 256, 3) RGB the probability (N,) that each is real, as Keras lays things out: channels
    last."""
    x = squares.astype(np.float64) / 255
    for layer in layers:
        ends = []
        for branch in layer.branches:
            end = x
            for name, dilation in branch:
                end = np.maximum(0, _convolve(end, weights[f"{name}/kernel"], dilation) + weights[f"{name}/bias"])
            ends.append(end)
        x = np.concatenate(ends, axis=-1)
        gamma, beta, mean, variance = (
            weights[f"{layer.norm}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        x = (x - mean) / np.sqrt(variance + EPSILON) * gamma + beta
        count, height, width, channels = x.shape
        x = x.reshape(count, height // layer.pool, layer.pool, width // layer.pool, layer.pool, channels).max((2, 4))
    row = x.reshape(len(x), -1)
    first, second = sorted({name.split("/")[0] for name in weights if name.startswith("dense")})
    hidden = row @ weights[f"{first}/kernel"] + weights[f"{first}/bias"]
    hidden = np.where(hidden > 0, hidden, LEAK * hidden)
    logits = hidden @ weights[f"{second}/kernel"] + weights[f"{second}/bias"]
    return np.asarray(1 / (1 + np.exp(-logits[:, 0])))


def _convolve(x: NDArray[np.float64], kernel: NDArray[np.float32], dilation: int) -> NDArray[np.float64]:
    """(N, H, W, in) by (k, k, in, out), as large as before: a sum over the kernel's places."""
    size = kernel.shape[0]
    edge = dilation * (size // 2)
    wide = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    height, width = x.shape[1:3]
    parts = (
        wide[:, dilation * i : dilation * i + height, dilation * j : dilation * j + width] @ kernel[i, j]
        for i in range(size)
        for j in range(size)
    )
    total = next(parts)
    for part in parts:
        total = total + part
    return np.asarray(total)
