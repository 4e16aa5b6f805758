"""The head that brings photos and sentences together, trained on frozen features of both.

Symmetric InfoNCE (Radford et al., "Learning transferable visual models from natural language supervision", 2021)
between a two-layer head on picture features and one linear map of MiniLM sentence vectors that starts as the identity.
Texts that no photo answers are further negatives of every photo, so that a cut-off can tell an answer from none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from embeddings.train.features import Material
from embeddings.train.lite2 import FEATURES

WIDTH, DROPOUT = 1024, 0.5
EPOCHS, BATCH, RATE, DECAY = 30, 512, 1e-3, 0.05
CUT = 0.25
"""Share of training texts cut to one or two words: without them a single word finds nothing above the cut-off."""
STRANGERS, WEIGHT = 1024, 1.0
"""How many texts without a photo stand beside a batch, and by how much (in logits) each counts above a caption."""
IMPOSSIBLE = -1e4
FIRST_SCALE, LAST_SCALE = 10.0, 12.0
"""The learned scale of cosines starts and must end low: a flat softmax spreads the cosines, which the cut-off needs."""


class Head(nn.Module):  # type: ignore[misc]
    """(N, 1280) unit features → (N, dim) unit vectors."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(FEATURES, WIDTH)
        self.drop = nn.Dropout(DROPOUT)
        self.out = nn.Linear(WIDTH, dim)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.drop(nn.functional.gelu(self.hidden(features)))
        return nn.functional.normalize(self.out(hidden), dim=1)


@dataclass(frozen=True, eq=False)
class Trained:
    """`text_map`: (dim, 384) weights of the linear map of sentence vectors."""

    head: Head
    text_map: Tensor


def unit(features: NDArray[np.float32]) -> Tensor:
    """Rows scaled to unit length, as a tensor."""
    return nn.functional.normalize(torch.from_numpy(features), dim=-1)


def train(material: Material, strangers: NDArray[np.float32], dim: int, seed: int) -> Trained:
    """Train on the pairs of `material`: each epoch shows a photo once, with one view and one text of it drawn at random.

    A photo whose captions hold all the words of another's keyword text is no negative of it: the batch shows many dogs.
    `strangers`: (M, 384) sentence vectors of texts that no photo answers.
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    features = unit(material.features)
    texts = torch.from_numpy(np.concatenate([material.captions, material.keywords], axis=1))
    others = torch.from_numpy(strangers)
    count, captions = material.captions.shape[:2]

    head = Head(dim)
    text_map = nn.Parameter(torch.eye(dim, texts.shape[2]))
    scale = nn.Parameter(torch.tensor(np.log(FIRST_SCALE), dtype=torch.float32))
    optimiser = torch.optim.AdamW([*head.parameters(), text_map, scale], lr=RATE, weight_decay=DECAY)
    steps = count // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, epochs=EPOCHS, steps_per_epoch=steps)

    head.train()
    for _ in range(EPOCHS):
        order = chance.permutation(count)[: steps * BATCH].reshape(steps, BATCH)
        for rows in order:
            pick, is_cut = chance.integers(captions, size=BATCH), chance.random(BATCH) < CUT
            wanted = nn.functional.normalize(texts[rows, pick + captions * is_cut] @ text_map.T, dim=1)
            side = chance.integers(features.shape[1], size=BATCH)
            seen = head(features[rows, side]) * scale.clamp(max=np.log(LAST_SCALE)).exp()
            unwanted = nn.functional.normalize(others[chance.integers(len(others), size=STRANGERS)] @ text_map.T, dim=1)
            also_right = material.tells[rows][:, material.needs[rows, pick]].all(2) & is_cut
            np.fill_diagonal(also_right, False)
            scores = (seen @ wanted.T).masked_fill(torch.from_numpy(also_right), IMPOSSIBLE)
            target = torch.arange(BATCH)
            by_photo = torch.cat([scores, seen @ unwanted.T + WEIGHT], dim=1)
            loss = (nn.functional.cross_entropy(by_photo, target) + nn.functional.cross_entropy(scores.T, target)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return Trained(head.eval(), text_map.detach())


def components(features: NDArray[np.float32], dim: int) -> tuple[Tensor, Tensor]:
    """PCA of unit features (N, 1280): their mean (1280,) and the first `dim` directions (dim, 1280)."""
    rows = unit(features).numpy()
    mean = rows.mean(0)
    _, vectors = np.linalg.eigh(np.cov((rows - mean).T))
    directions = vectors[:, ::-1][:, :dim].T
    # An eigenvector's sign is arbitrary; fix it, so that another machine's algebra library gives the same vectors.
    directions = directions * np.sign(directions[np.arange(dim), np.abs(directions).argmax(1)])[:, None]
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(directions.astype(np.float32))
