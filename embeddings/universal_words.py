"""Texts in many languages in the spaces that English has here: by the Universal Sentence Encoder and maps of its means.

How the maps are made: `embeddings/train/universal_words.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from crossmedia.embeddings import layers, query_bank
from crossmedia.embeddings.cards import COMMON, UNIVERSAL, UNIVERSAL_WORDS
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.query_bank import QueryBank
from crossmedia.embeddings.text import TEXT
from crossmedia.embeddings.universal import UniversalNetwork

HEAD: Final = "universal-words.npz"
STRANGENESS: Final = 0.4
"""In cosines of words and pictures, of a text that lies so far from every text of the query bank. Names and captions of
what can be photographed stand there; made-up words and what nobody photographs lie apart from them in any language."""
PLAIN_NEARNESS: Final = 0.5
"""Cosine to the nearest of them of a text that is compared with pictures as English ones are."""
FARNESS, FAR_NEARNESS = 0.5, 0.45
"""The same beside it of a text that is farther than 98 of 100 captions."""


class UniversalWords:
    """Encoder of texts (up to 256 pieces) into `text` and `common`, where their English would lie.

    `universal`: folder of the network; `mapped`: that of the maps; `bank`: texts that pictures are compared with.
    Raises `ModelMissing`, `ModelCorrupt` or `DependencyMissing`.
    """

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (TEXT, COMMON)
    model: str = f"{UNIVERSAL.id}@{UNIVERSAL.revision}+{UNIVERSAL_WORDS.id}@{UNIVERSAL_WORDS.revision}"

    def __init__(self, universal: Path, mapped: Path, bank: QueryBank) -> None:
        self._network = UniversalNetwork(universal)
        self._bank = bank
        arrays = layers.read(mapped / HEAD, "linear", "hidden", "out")
        self._maps = layers.Residual.of(arrays)

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors."""
        said, sentences = self.place(self._network.run(self._network.pieces(batch)))
        return Encoding({TEXT.name: sentences, COMMON.name: query_bank.texts(said, self._penalty(said))})

    def _penalty(self, said: Vectors) -> Vectors:
        """(N, 512) → (N, 1), of plain texts less than nothing: captions lie nearer to their photos in English."""
        nearest = (said @ self._bank.texts.T).max(axis=1, initial=-1, keepdims=True)
        far = np.maximum(FAR_NEARNESS - nearest, 0)
        penalty: Vectors = STRANGENESS * (PLAIN_NEARNESS - nearest) + FARNESS * far
        return penalty

    def place(self, means: Vectors) -> tuple[Vectors, Vectors]:
        """Means (N, 1280) → unit vectors (N, 512) among CLIP's pictures, and (N, 384) among sentences."""
        both = self._maps(means)
        return normalise(both[:, :DIM]), normalise(both[:, DIM:])
