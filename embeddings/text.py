"""The built-in text tower: MiniLM-L6-v2, int8, with the linear map into the common space.

Model card: sentence-transformers/all-MiniLM-L6-v2. How it is made: `embeddings/train/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from tokenizers import Tokenizer

from crossmedia.embeddings.cards import COMMON, MINILM
from crossmedia.embeddings.encoder import Encoding, Modality, Space
from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.onnx import session

TEXT: Final = Space("text", 384, MINILM.id, MINILM.revision, "wordpieces, first 256, mean of their vectors")


class MiniLM:
    """Encoder of sentences and paragraphs (English; up to 256 word pieces). Spaces: `text` and `common`, both 384.

    `folder` holds `minilm-int8.onnx` and `tokenizer.json`. Raises `ModelMissing` or `ModelCorrupt`.
    """

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (TEXT, COMMON)
    model: str = f"{MINILM.id}@{MINILM.revision}"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self._network = session(folder / "minilm-int8.onnx", threads)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            # The tokenizers package raises bare Exception for whatever is wrong with the file.
            raise ModelCorrupt(f"{folder / 'tokenizer.json'}: {error}", MINILM.install) from error

    def encode(self, batch: Sequence[str]) -> Encoding:
        """Texts → unit vectors. An empty string has a vector too: that of the sentence without words.

        One text a run: activations are quantised by the range of the whole batch, so in company a text's vector
        would depend on its neighbours; and without padding the runs one by one take less time than a batch.
        """
        vectors = {space.name: np.zeros((len(batch), space.dim), np.float32) for space in self.spaces}
        for n, written in enumerate(self._tokenizer.encode_batch(list(batch))):
            ids = np.array([written.ids], np.int64)
            text, common = self._network.run(("text", "common"), {"ids": ids, "mask": np.ones_like(ids)})
            vectors["text"][n], vectors["common"][n] = text[0], common[0]
        return Encoding(vectors)
