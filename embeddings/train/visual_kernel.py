"""Kernel ridge regression from a question and its picture to answers: what was answered to such questions of such pictures.

Closed form (C. Saunders, A. Gammerman and V. Vovk, ICML 1998), a Gaussian kernel of the sentence vector and of what is seen in
the picture as a whole, in six parts of it and in its mirror image. It is wrong about other questions than networks of attention
are, so both together are right more often than either. Settings and shares were chosen over folds of the pictures learned from.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor, nn

from embeddings.visual_answers import SIGHT, Floats

ASKED, SEEN = 2.0, 1.5
"""How fast likeness falls with the distance of questions, and of pictures."""
RIDGE: Final = 0.4
KEPT: Final = 128
"""Principal components of what is seen."""
FAR: Final = 4.0


class Kernel(nn.Module):  # type: ignore[misc]
    """Questions and pictures that answers are known of. `looking=False` compares questions alone."""

    def __init__(self, sights: Floats, sentence: Floats, marks: Floats, looking: bool) -> None:
        """(n, 2, 3670) of each question's picture, (n, 384), (n, answers)."""
        super().__init__()
        self.near = SEEN if looking else 0.0
        plain = sights[:, 0]
        self.register_buffer("mean", torch.from_numpy(plain.mean(0)))
        self.register_buffer("spread", torch.from_numpy(plain.std(0) + 1e-6))
        full = self.units(torch.from_numpy(sights)).numpy()
        pictures, which = np.unique(full, axis=0, return_inverse=True)
        axes = np.linalg.svd(pictures, full_matrices=False)[2][:KEPT]
        self.register_buffer("basis", torch.from_numpy(np.ascontiguousarray(axes.T)))
        self.register_buffer("sights", torch.from_numpy(np.ascontiguousarray((pictures @ axes.T).T)))
        self.register_buffer("which", torch.from_numpy(which.reshape(-1)))
        self.register_buffer("sentences", torch.from_numpy(np.ascontiguousarray(sentence.T)))
        usual = marks.mean(0)
        like = self.likeness(torch.from_numpy(full @ axes.T), torch.from_numpy(sentence)).numpy()
        like[np.diag_indices(len(like))] += RIDGE
        weights = cho_solve(cho_factor(like, overwrite_a=True, check_finite=False), marks - usual, check_finite=False)
        self.register_buffer("weights", torch.from_numpy(weights.astype(np.float32)))
        self.register_buffer("usual", torch.from_numpy(usual))

    def units(self, sights: Tensor) -> Tensor:
        """(B, 2, 3670) → (B, 3670): each kind of sight as a unit vector, of the picture and its mirror image, in the middle."""
        flat = ((sights - self.mean) / self.spread).clamp(-FAR, FAR)
        kinds = torch.split(flat, list(SIGHT), dim=2)
        units = torch.cat([one / one.norm(dim=2, keepdim=True).clamp(min=1e-9) for one in kinds], dim=2)
        return units.mean(1) / len(SIGHT) ** 0.5

    def likeness(self, seen: Tensor, sentence: Tensor) -> Tensor:
        return torch.exp(
            ASKED * (sentence @ self.sentences - 1) + self.near * ((seen @ self.sights)[:, self.which] - 1)
        )

    def forward(self, sights: Tensor, sentence: Tensor) -> Tensor:
        """(B, 2, 3670), (B, 384) → (B, answers): about each answer's probability; it can be a little under 0."""
        return self.likeness(self.units(sights) @ self.basis, sentence) @ self.weights + self.usual
