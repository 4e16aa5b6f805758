"""Small networks over vectors: matrices of int8 with a scale for each output, in files of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing

REINSTALL: Final = 'pip install --force-reinstall "crossmedia"'
LEVELS: Final = 127
"""Of int8, on either side of zero."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layer:
    """`weight` (inputs, outputs) and `bias` (outputs,), or none."""

    weight: Floats
    bias: Floats | None = None

    def __call__(self, rows: Floats) -> Floats:
        """(N, inputs) → (N, outputs)."""
        return rows @ self.weight if self.bias is None else rows @ self.weight + self.bias


@dataclass(frozen=True, eq=False)
class Residual:
    """A linear map and a network of one hidden layer beside it."""

    linear: Layer
    hidden: Layer
    out: Layer

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Residual:
        """From the layers of these names, as `packed` wrote them."""
        return cls(layer(arrays, "linear"), layer(arrays, "hidden"), layer(arrays, "out"))

    def __call__(self, rows: Floats) -> Floats:
        """(N, inputs) → (N, outputs)."""
        return self.linear(rows) + self.out(gelu(self.hidden(rows)))


def read(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """These arrays of a file by name, with the scales and biases of those that are layers. Raises `ModelMissing` or
    `ModelCorrupt`."""
    if not path.is_file():
        raise ModelMissing(f"no layers at {path}", REINSTALL)
    try:
        with np.load(path, allow_pickle=False) as stored:
            wanted = {f"{name}{part}" for name in names for part in ("", "_scale", "_bias")}
            arrays = {name: stored[name] for name in stored.files if name in wanted}
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise ModelCorrupt(f"{path} holds no layers: {error!r}", REINSTALL) from error
    if missing := [name for name in names if name not in arrays]:
        raise ModelCorrupt(f"{path} lacks {', '.join(missing)}", REINSTALL)
    return arrays


def layer(arrays: Mapping[str, NDArray[Any]], name: str) -> Layer:
    """One of those that `packed` wrote."""
    weight = arrays[name].astype(np.float32) * arrays[f"{name}_scale"]
    return Layer(weight, arrays.get(f"{name}_bias"))


def packed(name: str, weight: Floats, bias: Floats | None = None) -> dict[str, NDArray[Any]]:
    """A layer (inputs, outputs) as the arrays of a file."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / LEVELS
    arrays: dict[str, NDArray[Any]] = {
        name: np.round(weight / scale).astype(np.int8),
        f"{name}_scale": scale.astype(np.float32),
    }
    return arrays if bias is None else {**arrays, f"{name}_bias": bias.astype(np.float32)}


def write(path: Path, *parts: Mapping[str, NDArray[Any]]) -> None:
    """All their arrays as one file."""
    arrays: dict[str, Any] = {name: array for part in parts for name, array in part.items()}
    np.savez(path, **arrays)


def gelu(x: Floats) -> Floats:
    """Gaussian error linear units by their approximation with tanh (Hendrycks and Gimpel 2016)."""
    bent: Floats = 0.5 * x * (1 + np.tanh(np.float32((2 / np.pi) ** 0.5) * (x + np.float32(0.044715) * x * x * x)))
    return bent
