"""The trained maps of pictures and sentences into the common space, and their training objective.

Symmetric InfoNCE (Radford et al., "Learning transferable visual models from natural language supervision", 2021)
between two-layer heads on picture features and one linear map of the text network's states that starts as the sentence
vector itself. Texts that no picture answers are further negatives of every picture, so that a cut-off can tell an
answer from none.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.train.lite2 import FEATURES
from crossmedia.embeddings.train.material import Descriptions

DIM: Final = 384
HEADS, WIDTH, DROPOUT = 2, 1024, 0.5
"""Two heads, started apart and trained side by side, are an ensemble inside one network."""
TEXTS: Final = 3
"""Texts of each picture in a step: they cost little beside the picture."""
STRANGERS, WEIGHT = 1024, 1.0
"""How many texts without a picture stand beside a batch, and by how much (in logits) each counts above another."""
IMPOSSIBLE: Final = -1e4
FIRST_SCALE, LAST_SCALE = 18.0, 50.0
"""Bounds of the learned scale of cosines: a flat softmax spreads the cosines, which the cut-off needs."""


class Heads(nn.Module):  # type: ignore[misc]
    """Features (N, 1280) and text vectors (N, 1152) → unit vectors (N, 384)."""

    def __init__(self, states: int) -> None:
        """`states`: dimensions of a text vector, of which the first 384 are the sentence vector."""
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(WIDTH, DIM))
            for _ in range(HEADS)
        )
        self.text_map = nn.Linear(states, DIM, bias=False)
        nn.init.eye_(self.text_map.weight)
        self.scale = nn.Parameter(torch.tensor(np.log(FIRST_SCALE), dtype=torch.float32))

    def each(self, features: Tensor) -> list[Tensor]:
        """What every head makes of the features."""
        unit = nn.functional.normalize(features, dim=1)
        return [nn.functional.normalize(head(unit), dim=1) for head in self.heads]

    def pictures(self, features: Tensor) -> Tensor:
        """Their mean direction: what ships."""
        return nn.functional.normalize(torch.stack(self.each(features)).sum(0), dim=1)

    def texts(self, vectors: Tensor) -> Tensor:
        """Text vectors in the common space."""
        return nn.functional.normalize(self.text_map(vectors), dim=1)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def place(self, vectors: Vectors) -> Vectors:
        """The same of arrays."""
        vectors_placed: Vectors = self.texts(torch.from_numpy(vectors)).numpy()
        return vectors_placed


class Towers(Protocol):
    """What is trained: heads of pictures, `each` (B, F) → several (B, dim), and of texts; the `scale` of cosines, as
    its logarithm."""

    scale: Tensor

    def each(self, features: Tensor) -> list[Tensor]: ...
    def texts(self, vectors: Tensor) -> Tensor: ...


class Objective:
    """The loss of a batch. A picture that a text's words are also said of is no negative of it: there are many dogs.

    `strangers`: (M, 1152) text vectors that no picture answers.
    """

    def __init__(self, material: Descriptions, strangers: NDArray[np.float32], chance: np.random.Generator) -> None:
        self.material, self.chance = material, chance
        self.texts, self.strangers = torch.from_numpy(material.texts), torch.from_numpy(strangers)

    def __call__(self, heads: Towers, features: Tensor, items: NDArray[np.int64]) -> Tensor:
        """`features`: (B, F) of these items."""
        scale = heads.scale.clamp(max=np.log(LAST_SCALE)).exp()
        seen = [one * scale for one in heads.each(features)]
        sampled = self.chance.integers(len(self.strangers), size=STRANGERS)
        unwanted = heads.texts(self.strangers[sampled]).T
        target = torch.arange(len(items))
        losses = []
        for _ in range(TEXTS):
            rows = self.material.draw(items, self.chance)
            wanted = heads.texts(self.texts[rows]).T
            also_right = self.material.tells[items][:, self.material.needs[rows]].all(2)
            masked = torch.from_numpy(also_right).fill_diagonal_(False)
            for one in seen:
                scores = (one @ wanted).masked_fill(masked, IMPOSSIBLE)
                by_picture = torch.cat([scores, one @ unwanted + WEIGHT], dim=1)
                losses += [
                    nn.functional.cross_entropy(by_picture, target),
                    nn.functional.cross_entropy(scores.T, target),
                ]
        return torch.stack(losses).mean()
