"""Kernel ridge regression from questions and pictures to answers: what was answered to similar ones.

Closed form (C. Saunders, A. Gammerman and V. Vovk, ICML 1998). Likeness is Gaussian: of sentence vectors and of words,
times that of what is seen in a picture, in six parts of it and in its mirror image. Two votes are added that hear no
question: the same regression from pictures to what is in them, and how near an answer's name is to a part of the
picture in the common space. It is wrong about other questions than networks of attention are, so both together are
right more often than either. Settings and shares were chosen over folds of the pictures learned from.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from torch import Tensor, nn

from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.train.visual_data import VisualMaterial
from crossmedia.embeddings.train.visual_sights import Sights
from crossmedia.embeddings.visual_answers import PART_COUNT, SIGHT, Floats

ASKED, SEEN, ALONE = 2.0, 1.5, 1.0
"""How fast likeness falls with the distance of questions, of their pictures, and of pictures alone."""
RIDGE, FIRM = 0.4, 1.0
"""Of questions, and of pictures alone."""
SHOWN, NEAR = 0.03, 0.015
"""What a standard deviation of either vote adds to an answer's probability."""
VARIANCE_FLOOR: Final = 0.001
"""Added to a variance: hardly any picture shows some answers."""


class QuestionSide(nn.Module):  # type: ignore[misc]
    """How like a question is to those that were asked."""

    def __init__(self, sentences: Floats, words: NDArray[np.int64], vocabulary: int) -> None:
        """(u, 384), (u, 24) of numbers below `vocabulary`; 0 and 1 are no words."""
        super().__init__()
        self.register_buffer("numbers", torch.arange(2, vocabulary))
        bags = self.bags(torch.from_numpy(words))
        self.register_buffer("rarity", torch.log(len(words) / (bags > 0).sum(0).clamp(min=1)))
        self.register_buffer("words", self.weigh(bags).T.contiguous())
        self.register_buffer("sentences", keep(sentences.T))

    def bags(self, words: Tensor) -> Tensor:
        return (words.unsqueeze(2) == self.numbers).float().sum(1)

    def weigh(self, bags: Tensor) -> Tensor:
        rare = bags * self.rarity
        return rare / rare.norm(dim=1, keepdim=True).clamp(min=1e-6)

    def forward(self, sentence: Tensor, words: Tensor) -> Tensor:
        """(B, 384), (B, 24) → (B, u), 1 for the same question."""
        said = self.weigh(self.bags(words)) @ self.words
        return (torch.exp(ASKED * (sentence @ self.sentences - 1)) + torch.exp(ASKED * (said - 1))) / 2


class PictureView(nn.Module):  # type: ignore[misc]
    """How like a picture is to those that were asked about, itself and its mirror image in the middle."""

    def __init__(self, sights: Sights, seen: Floats) -> None:
        """(p, 2, 4696)"""
        super().__init__()
        self.sights = sights
        self.register_buffer("pictures", sights(torch.from_numpy(seen)).mean(1).T.contiguous())

    def forward(self, seen: Tensor) -> Tensor:
        """(B, 2, 4696) → (B, p), at most 1."""
        return self.sights(seen).mean(1) @ self.pictures


class Showing(nn.Module):  # type: ignore[misc]
    """How much a picture speaks for each answer, whatever is asked."""

    def __init__(self, like: Floats, sights: Floats, shown: NDArray[np.bool_], names: Floats) -> None:
        """(p, p), (p, 2, 4696), (p, answers), (answers, 512)"""
        super().__init__()
        usual = shown.mean(0, dtype=np.float32)
        spread = np.sqrt(usual * (1 - usual) + VARIANCE_FLOOR)
        weights = ridge(np.exp(ALONE * (like - 1)), shown - usual, FIRM)
        self.register_buffer("weights", keep(SHOWN * weights / spread))
        self.register_buffer("names", keep(names.T))
        near = self.nearest(torch.from_numpy(sights))
        self.register_buffer("mean", near.mean(0))
        self.register_buffer("spread", near.std(0) + 1e-6)

    def nearest(self, sights: Tensor) -> Tensor:
        """(B, 2, 4696) → (B, answers): the cosine of an answer's name and the part of the picture that is nearest to
        it."""
        start = sum(SIGHT[:4])
        parts = sights[:, 0, start : start + SIGHT[4]].reshape(-1, PART_COUNT, DIM)
        return (parts / parts.norm(dim=2, keepdim=True).clamp(min=1e-9) @ self.names).amax(1)

    def forward(self, like: Tensor, sights: Tensor) -> Tensor:
        """(B, p), (B, 2, 4696) → (B, answers)"""
        near = (self.nearest(sights) - self.mean) / self.spread
        return torch.exp(ALONE * (like - 1)) @ self.weights + NEAR * near


class Kernel(nn.Module):  # type: ignore[misc]
    """Questions and pictures that answers are known of. `looking=False` compares questions alone."""

    def __init__(self, known: VisualMaterial, marks: Floats, sights: Sights, vocabulary: int, looking: bool) -> None:
        """`marks`: (n, answers); `vocabulary`: how many words there are by number."""
        super().__init__()
        self.looking = looking
        sentence, words = known.sentence[:, 0], known.words[:, 0]
        _, first, question = np.unique(sentence, axis=0, return_index=True, return_inverse=True)
        pictures, picture = np.unique(known.image, return_inverse=True)
        seen = known.sights[pictures]
        self.asking = QuestionSide(sentence[first], words[first], vocabulary)
        self.seeing = PictureView(sights, seen)
        self.register_buffer("question", torch.from_numpy(question.reshape(-1)))
        self.register_buffer("picture", torch.from_numpy(picture))
        seeing = self.seeing(torch.from_numpy(seen))
        self.showing = Showing(seeing.numpy(), seen, known.shown[pictures], known.names_seen)
        usual = marks.mean(0)
        asking = self.asking(torch.from_numpy(sentence), torch.from_numpy(words))
        like = self.likeness(asking, seeing[self.picture]).numpy()
        self.register_buffer("weights", keep(ridge(like, marks - usual, RIDGE)))
        self.register_buffer("usual", keep(usual))

    def likeness(self, asking: Tensor, seeing: Tensor) -> Tensor:
        """(B, u), (B, p) → (B, n)"""
        like = asking[:, self.question]
        return like * torch.exp(SEEN * (seeing - 1))[:, self.picture] if self.looking else like

    def forward(self, sights: Tensor, sentence: Tensor, words: Tensor) -> Tensor:
        """(B, 2, 4696), (B, 384), (B, 24) → (B, answers): about each answer's probability; it can be a little under
        0."""
        seeing = self.seeing(sights)
        logits = self.likeness(self.asking(sentence, words), seeing) @ self.weights + self.usual
        return logits + self.showing(seeing, sights) if self.looking else logits


def ridge(like: Floats, marks: Floats, strength: float) -> Floats:
    """The weights of what is known, (n, answers), from its likeness, (n, n), which is written over."""
    like[np.diag_indices(len(like))] += strength
    weights: Floats = cho_solve(cho_factor(like, overwrite_a=True, check_finite=False), marks, check_finite=False)
    return weights


def keep(values: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
