"""CLIP's picture tower in floats with NumPy: what the quantised network is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.clip_b16_weights import EPSILON, HEADS, LAYERS, SIGMOID, Source


def float_vectors(source: Source, pixels: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(N, 512) vectors of prepared pictures by the same weights in floats, with NumPy: what the network is compared
    with. A second a picture."""
    return np.stack([_float_vector(source, prepared) for prepared in pixels])


def _float_vector(source: Source, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    kernel = source["patches"]
    width, size = kernel.shape[0], kernel.shape[-1]
    rows = pixels.shape[1] // size
    tiles = pixels.reshape(3, rows, size, rows, size).transpose(1, 3, 0, 2, 4).reshape(rows * rows, -1)
    x = np.concatenate([source["class"][None], tiles @ kernel.reshape(width, -1).T]) + source["positions"]
    x = _normed(source, "before", x)
    for layer in range(LAYERS):
        q, k, v = (
            _linear(source, f"{layer}.{name}", _normed(source, f"{layer}.norm1", x)).reshape(len(x), HEADS, -1)
            for name in "qkv"
        )
        scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(np.float32(q.shape[2]))
        shares = np.exp(scores - scores.max(2, keepdims=True))
        met = np.einsum("hij,jhd->ihd", shares / shares.sum(2, keepdims=True), v).reshape(len(x), -1)
        x = x + _linear(source, f"{layer}.out", met)
        wide = _linear(source, f"{layer}.fc1", _normed(source, f"{layer}.norm2", x))
        x = x + _linear(source, f"{layer}.fc2", wide / (1 + np.exp(-SIGMOID * wide)))
    vector: NDArray[np.float32] = _normed(source, "after", x[0]) @ source.matrix("projection")
    return vector


def _linear(source: Source, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    product: NDArray[np.float32] = x @ source.matrix(name) + source[f"{name}.bias"]
    return product


def _normed(source: Source, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = x - x.mean(-1, keepdims=True)
    unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    normed: NDArray[np.float32] = unit * source[f"{name}.weight"] + source[f"{name}.bias"]
    return normed
