"""Words in the space of CLIP ViT-B/16: by MiniLM and a map learned towards the pictures, or by CLIP's own text tower.

Both write into the very same space, so a collection need not be indexed again for the other. How the map is made:
`embeddings/train/clip_b16_words.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import CLIP_B16, CLIP_B16_WORDS, MINILM
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.clip_b16 import DIM, SPACE
from crossmedia.embeddings.encoder import COMMON, Encoder, Encoding, Modality, Space, normalise
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.text import INNER_STATES, NETWORK, TOKENIZER, SentenceNetwork

MAP: Final = "clip-b16-words.npz"
BACKGROUNDS: Final = "backgrounds-clip-b16.json"
"""Bundled: what similarities of these words and pictures mean."""
BUILT_IN: Final = "built-in"
MAPPED: Final = f"{CLIP_B16.id}:{BUILT_IN}"
"""The specification of these words with their pictures."""


class WrongTower(CrossmediaError):
    """A text tower that cannot belong to these pictures."""

    code = "wrong_tower"
    status = 422


class MappedWords:
    """Encoder of texts (English) into `common`. `minilm`: folder of MiniLM; `mapped`: the file of the map."""

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (SPACE,)

    def __init__(self, minilm: Path, mapped: Path, threads: int | None = None) -> None:
        self._network = SentenceNetwork(minilm / NETWORK, minilm / TOKENIZER, threads, inner=[INNER_STATES])
        with np.load(mapped) as stored:
            layers = {name: stored[name].astype(np.float32) for name in stored.files}
        self._linear = layers["linear"] * layers["linear_scale"]
        self._hidden = layers["hidden"] * layers["hidden_scale"], layers["hidden_bias"]
        self._out = layers["out"] * layers["out_scale"], layers["out_bias"]
        self.model = f"{MINILM.id}@{MINILM.revision}+{mapped.stem}"

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors."""
        states = np.zeros((len(batch), len(self._linear)), np.float32)
        for n, (row,) in enumerate(self._network.run(batch, INNER_STATES)):
            states[n] = row
        (hidden, hidden_bias), (out, out_bias) = self._hidden, self._out
        rows = states @ self._linear + _gelu(states @ hidden + hidden_bias) @ out + out_bias
        return Encoding({COMMON: normalise(rows)})


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import erf

    bent: NDArray[np.float32] = x * 0.5 * (1 + erf(x / np.float32(2**0.5)))
    return bent.astype(np.float32)


class OwnWords:
    """CLIP's own text tower, of OpenCLIP, under the name that the space has here."""

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (SPACE,)

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
        """Texts → unit vectors."""
        return Encoding({COMMON: self._tower.encode(batch).vectors[COMMON]})


def words(where: str, catalog: Catalog, runtime: Any) -> MappedWords | OwnWords:
    """`built-in`, or a specification of OpenCLIP. `runtime`: a `specification.Runtime`. Raises what opening the model
    raises."""
    if where == BUILT_IN:
        return MappedWords(catalog.resolve(MINILM.id), catalog.resolve(CLIP_B16_WORDS.id) / MAP, runtime.threads)
    from crossmedia.embeddings.openclip import OpenClip

    clip = OpenClip(where, device=runtime.device, precision=runtime.precision, allow_hub=runtime.allow_hub)
    return OwnWords(clip.text)
