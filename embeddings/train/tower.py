"""The picture network with its native vectors and classes as one file: what `embeddings/picture.py` runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.train import graph
from crossmedia.embeddings.train.lite2 import CLASSES, FEATURES


class Tower(nn.Module):  # type: ignore[misc]
    """Features (N, 1280) and logits (N, 1000) → `picture` (N, 256) and `probabilities` (N, 1000)."""

    mean: Tensor

    def __init__(self, mean: Tensor, directions: Tensor) -> None:
        """PCA, as `components` gives it."""
        super().__init__()
        self.directions = graph.Compact(directions)
        self.register_buffer("mean", mean)

    def forward(self, features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        unit = nn.functional.normalize(features, dim=1)
        return nn.functional.normalize(self.directions(unit - self.mean), dim=1), logits.softmax(1)


def assemble(backbone: Path, pca: tuple[Tensor, Tensor], path: Path) -> None:
    """Write the whole picture network."""
    inputs, outputs = ["features", "logits"], ["picture", "probabilities"]
    with tempfile.TemporaryDirectory() as folder:
        tail = Path(folder) / "tower.onnx"
        example = [torch.rand(2, FEATURES), torch.rand(2, CLASSES)]
        graph.export(Tower(*pca), example, tail, inputs, outputs, {name: {0: "n"} for name in (*inputs, *outputs)})
        graph.join(backbone, tail, inputs, path)


def components(features: NDArray[np.float32], dim: int) -> tuple[Tensor, Tensor]:
    """PCA of features (N, 1280) at unit length: their mean (1280,) and the first `dim` directions (dim, 1280)."""
    rows = normalise(features)
    mean = rows.mean(0)
    _, vectors = np.linalg.eigh(np.cov((rows - mean).T))
    directions = vectors[:, ::-1][:, :dim].T
    # An eigenvector's sign is arbitrary; fix it, so that another machine's algebra library gives the same vectors.
    directions = directions * np.sign(directions[np.arange(dim), np.abs(directions).argmax(1)])[:, None]
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(directions.astype(np.float32))


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of each pair of rows."""
    product: NDArray[np.float32] = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return product
