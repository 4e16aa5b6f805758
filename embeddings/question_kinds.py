"""Classify questions by what they ask for: a softmax over the sentence vector.

Made by `embeddings/train/question_kinds.py` from sentences of this project's own.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing

NAME: Final = "question-kinds.npz"


class QuestionKinds:
    """Sentence vectors of the built-in text tower (space `text`, 384) → kinds with probabilities. Raises ModelMissing,
    ModelCorrupt."""

    def __init__(self, folder: Path = BUNDLED) -> None:
        self.path = folder / NAME

    @cached_property
    def _weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[str, ...]]:
        """(384, K), (K,), K names."""
        if not self.path.is_file():
            raise ModelMissing(f"no {self.path}", 'pip install --force-reinstall "crossmedia"')
        try:
            with np.load(self.path, allow_pickle=False) as held:
                matrix, bias = held["matrix"].astype(np.float32), held["bias"].astype(np.float32)
                return matrix, bias, tuple(str(name) for name in held["kinds"])
        except (ValueError, KeyError, OSError) as error:
            raise ModelCorrupt(f"{self.path.name}: {error}", 'pip install --force-reinstall "crossmedia"') from error

    def classify(self, vector: Vector) -> list[tuple[str, float]]:
        """(384,) unit vector → every kind with its probability, likeliest first."""
        matrix, bias, kinds = self._weights
        logits = vector @ matrix + bias
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-shares, kind="stable")
        return [(kinds[i], float(shares[i])) for i in order.tolist()]
