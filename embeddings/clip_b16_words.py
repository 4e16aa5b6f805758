"""Words in the space of CLIP ViT-B/16: by MiniLM and a map learned towards the pictures, or by CLIP's own text tower.

Both write into the very same space, so a collection need not be indexed again for the other. How the map is made:
`embeddings/train/clip_b16_words.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings import layers, query_bank, rarity
from crossmedia.embeddings.cards import CLIP_B16, CLIP_B16_WORDS, COMMON, MINILM
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.encoder import Encoder, Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.query_bank import QueryBank
from crossmedia.embeddings.text import INNER_STATES, NETWORK, TEXT, TOKENIZER, SentenceNetwork

MAP: Final = "clip-b16-words.npz"
BUILT_IN: Final = "built-in"
MAPPED: Final = f"{CLIP_B16.id}:{BUILT_IN}"
"""The specification of these words with their pictures."""


class WrongTower(CrossmediaError):
    """A text tower that cannot belong to these pictures."""

    code = "wrong_tower"
    status = 422


class MappedWords:
    """Encoder of texts (English; up to 256 word pieces) into `text`, as MiniLM does, and into `common`.

    `minilm`: folder of MiniLM; `mapped`: the file of the map. Raises `ModelMissing` or `ModelCorrupt`.
    """

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (TEXT, COMMON)

    def __init__(self, minilm: Path, mapped: Path, threads: int | None = None) -> None:
        self._network = SentenceNetwork(minilm / NETWORK, minilm / TOKENIZER, threads, inner=[INNER_STATES])
        arrays = layers.read(mapped, "linear", "hidden", "out", "met")
        self._map = layers.Residual.of(arrays)
        self._met = arrays["met"]
        self.model = f"{MINILM.id}@{MINILM.revision}+{CLIP_B16_WORDS.id}@{CLIP_B16_WORDS.revision}"

    def knows(self, word: str) -> bool:
        """Whether it is one word piece that training met."""
        number = self._network.number(word)
        return number is not None and bool(self._met[number] > 1)

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors. An empty string has a vector too: that of the sentence without words."""
        pieces = self._network.pieces(batch)
        sentences = np.zeros((len(batch), TEXT.dim), np.float32)
        states = np.zeros((len(batch), len(self._map.linear.weight)), np.float32)
        for n, (sentence, inner) in enumerate(self._network.run(pieces, TEXT.name, INNER_STATES)):
            sentences[n], states[n] = sentence, inner
        said = self.place(states)
        return Encoding({TEXT.name: sentences, COMMON.name: query_bank.texts(said, rarity.penalty(self._met, pieces))})

    def place(self, states: NDArray[np.float32]) -> Vectors:
        """States of MiniLM (N, 1152) → unit vectors (N, 512) among CLIP's pictures."""
        return normalise(self._map(states))


class OwnWords:
    """CLIP's own text tower, of OpenCLIP, into the space that its pictures have here."""

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (COMMON,)

    def __init__(self, tower: Encoder[str]) -> None:
        """Raises WrongTower where vectors are not of this length; that they are of CLIP ViT-B/16 whoever names it
        has to know."""
        if tower.spaces[0].dim != DIM:
            raise WrongTower(
                f"{tower.model} gives vectors of {tower.spaces[0].dim} numbers, not {DIM}", "name ViT-B-16/openai"
            )
        self._tower = tower
        self.model = tower.model

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors. Nothing is known of what words this tower met how often."""
        said = self._tower.encode(batch).vectors[COMMON.name]
        return Encoding({COMMON.name: query_bank.texts(said, np.zeros((len(said), 1), np.float32))})


def words_map(catalog: Catalog) -> Path:
    """The file of the map and of the query bank. Raises ModelMissing or ModelCorrupt."""
    return catalog.resolve(CLIP_B16_WORDS.id) / MAP


def bank_of(mapped: Path) -> QueryBank:
    """The bank of texts that pictures are compared with when they are indexed. Raises ModelMissing or ModelCorrupt."""
    return QueryBank(layers.layer(layers.read(mapped, "bank"), "bank").weight)
