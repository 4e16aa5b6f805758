"""Body and head of the picture tower as one network: what `embeddings/picture.py` runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.encoder import Vectors
from embeddings.train import graph
from embeddings.train.bank import PictureSide
from embeddings.train.head import Head, Trained
from embeddings.train.lite2 import CLASSES, FEATURES

TOP, SHARE = 10, 0.3
"""ConSE (Norouzi et al., 2013): how many classes speak, and how loud beside the head."""


class Tower(nn.Module):  # type: ignore[misc]
    """Features (N, 1280) and logits (N, 1000) → `common` (N, dim + 2), `picture` (N, 256), `probabilities` (N, 1000)."""

    mean: Tensor

    def __init__(self, head: Head, classes: Tensor, bank: Tensor, mean: Tensor, directions: Tensor) -> None:
        """`classes`, `bank`: (1000, dim), (M, dim) unit vectors of class names and texts; `mean`, `directions`: PCA."""
        super().__init__()
        self.hidden = graph.Compact(head.hidden.weight.detach(), head.hidden.bias.detach())
        self.out = graph.Compact(head.out.weight.detach(), head.out.bias.detach())
        self.classes = graph.Compact(classes.T)
        self.side = PictureSide(bank)
        self.directions = graph.Compact(directions)
        self.register_buffer("mean", mean)

    def forward(self, features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        unit = nn.functional.normalize(features, dim=1)
        seen = nn.functional.normalize(self.out(nn.functional.gelu(self.hidden(unit))), dim=1)
        probabilities = logits.softmax(1)
        chance, index = probabilities.topk(TOP, 1)
        named = (chance.unsqueeze(2) * self.classes.table()[index]).sum(1)
        common = self.side(nn.functional.normalize(seen + SHARE * named, dim=1))
        picture = nn.functional.normalize(self.directions(unit - self.mean), dim=1)
        return common, picture, probabilities


def mapped(vectors: Vectors, text_map: Tensor) -> Tensor:
    """Sentence vectors (N, 384) → unit vectors (N, dim) of the common space."""
    return nn.functional.normalize(torch.from_numpy(vectors) @ text_map.T, dim=1)


def assemble(
    backbone: Path,
    trained: Trained,
    class_vectors: Vectors,
    texts: Vectors,
    pca: tuple[Tensor, Tensor],
    path: Path,
) -> None:
    """Write the whole picture tower. `class_vectors`, `texts`: (1000, 384), (M, 384) sentence vectors of the class names
    and of the bank."""
    tower = Tower(trained.head, mapped(class_vectors, trained.text_map), mapped(texts, trained.text_map), *pca)
    inputs, outputs = ["features", "logits"], ["common", "picture", "probabilities"]
    with tempfile.TemporaryDirectory() as folder:
        tail = Path(folder) / "tower.onnx"
        example = [torch.rand(2, FEATURES), torch.rand(2, CLASSES)]
        graph.export(tower, example, tail, inputs, outputs, {name: {0: "n"} for name in (*inputs, *outputs)})
        graph.join(backbone, tail, inputs, path)


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row by row."""
    product: NDArray[np.float32] = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return product
