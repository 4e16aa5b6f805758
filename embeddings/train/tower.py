"""Body and head of the picture tower as one network: what `embeddings/picture.py` runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.train import graph
from crossmedia.embeddings.train.bank import PictureSide
from crossmedia.embeddings.train.head import Heads
from crossmedia.embeddings.train.lite2 import CLASSES, FEATURES

TOP, SHARE = 10, 0.2
"""ConSE (Norouzi et al., 2013): how many classes speak, and how loud beside the head."""


class Tower(nn.Module):  # type: ignore[misc]
    """Features (N, 1280) and logits (N, 1000) → `common` (N, dim + 2), `picture` (N, 256), `probabilities` (N,
    1000)."""

    mean: Tensor

    def __init__(self, heads: Heads, classes: Tensor, bank: Tensor, mean: Tensor, directions: Tensor) -> None:
        """`classes`, `bank`: (1000, dim), (M, dim) unit vectors of class names and texts; `mean`, `directions`: PCA."""
        super().__init__()
        self.hidden = nn.ModuleList(map(_compact, (head[0] for head in heads.heads)))
        self.out = nn.ModuleList(map(_compact, (head[-1] for head in heads.heads)))
        self.classes = graph.Compact(classes.T)
        self.side = PictureSide(bank)
        self.directions = graph.Compact(directions)
        self.register_buffer("mean", mean)

    def forward(self, features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        unit = nn.functional.normalize(features, dim=1)
        each = [out(nn.functional.gelu(hidden(unit))) for hidden, out in zip(self.hidden, self.out, strict=True)]
        seen = nn.functional.normalize(torch.stack([nn.functional.normalize(one, dim=1) for one in each]).sum(0), dim=1)
        probabilities = logits.softmax(1)
        chance, index = probabilities.topk(TOP, 1)
        named = (chance.unsqueeze(2) * self.classes.table()[index]).sum(1)
        common = self.side(nn.functional.normalize(seen + SHARE * named, dim=1))
        picture = nn.functional.normalize(self.directions(unit - self.mean), dim=1)
        return common, picture, probabilities


def _compact(layer: nn.Linear) -> graph.Compact:
    return graph.Compact(layer.weight.detach(), layer.bias.detach())


def assemble(
    backbone: Path, heads: Heads, class_texts: Vectors, bank: Vectors, pca: tuple[Tensor, Tensor], path: Path
) -> None:
    """Write the whole picture tower. `class_texts`, `bank`: (1000, dim), (M, dim) unit rows of the class names and of
    the query bank in the common space."""
    tower = Tower(heads, torch.from_numpy(class_texts), torch.from_numpy(bank), *pca)
    inputs, outputs = ["features", "logits"], ["common", "picture", "probabilities"]
    with tempfile.TemporaryDirectory() as folder:
        tail = Path(folder) / "tower.onnx"
        example = [torch.rand(2, FEATURES), torch.rand(2, CLASSES)]
        graph.export(tower, example, tail, inputs, outputs, {name: {0: "n"} for name in (*inputs, *outputs)})
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
