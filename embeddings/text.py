"""The built-in sentence encoder: MiniLM-L6-v2, int8.

Model card: sentence-transformers/all-MiniLM-L6-v2. How it is made: `embeddings/train/`. Its words among pictures:
`clip_b16_words.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from crossmedia.embeddings.cards import MINILM, UNIVERSAL_WORDS
from crossmedia.embeddings.encoder import Encoding, Modality, Space, Vector
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.onnx import session

NETWORK, TOKENIZER = "minilm-int8.onnx", "tokenizer.json"
"""Its files."""
INNER_STATES: Final = "states"
"""The tensor within the network that its maps read: the sentence vector and more, see `train/minilm.py`."""
TEXT: Final = Space(
    "text",
    384,
    MINILM.id,
    f"{MINILM.revision}+{UNIVERSAL_WORDS.revision}",
    "wordpieces, first 256, mean of their vectors",
)
"""MiniLM's space, into which other languages are mapped (`universal_words.py`)."""


class SentenceNetwork:
    """MiniLM with its tokenizer, one text a run.

    Activations are quantised by the range of the whole batch, so in company a text's vector would depend on its
    neighbours; and without padding the runs one by one take less time than a batch. `inner`: see `onnx.session`. Raises
    `ModelMissing` or `ModelCorrupt`.
    """

    def __init__(self, network: Path, tokenizer: Path, threads: int | None = None, inner: Sequence[str] = ()) -> None:
        self._network = session(network, threads, inner)
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            # The tokenizers package raises bare Exception for whatever is wrong with the file.
            raise ModelCorrupt(f"{tokenizer}: {error}", MINILM.install) from error

    def pieces(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Of each text its word pieces by number, (1, L)."""
        return [np.array([written.ids], np.int64) for written in self._tokenizer.encode_batch(list(texts))]

    def number(self, piece: str) -> int | None:
        """Of a word piece, None where there is none such."""
        number: int | None = self._tokenizer.token_to_id(piece)
        return number

    def run(self, pieces: Sequence[NDArray[np.int64]], *outputs: str) -> Iterator[list[Vector]]:
        """Of each text the named outputs, (dim,) each."""
        for ids in pieces:
            yield [rows[0] for rows in self._network.run(outputs, {"ids": ids, "mask": np.ones_like(ids)})]


class MiniLM:
    """Encoder of sentences and paragraphs (English; up to 256 word pieces) into the space `text` (384).

    `folder` holds its two files. Raises `ModelMissing` or `ModelCorrupt`.
    """

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (TEXT,)
    model: str = f"{MINILM.id}@{MINILM.revision}"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self._network = SentenceNetwork(folder / NETWORK, folder / TOKENIZER, threads)

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors. An empty string has a vector too: that of the sentence without words."""
        rows = np.zeros((len(batch), TEXT.dim), np.float32)
        for n, (vector,) in enumerate(self._network.run(self._network.pieces(batch), TEXT.name)):
            rows[n] = vector
        return Encoding({TEXT.name: rows})
