"""Count how seldom training met the word pieces of a text (`embeddings/rarity.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from crossmedia.embeddings.rarity import KNOWN_TEXTS


def count_pieces(tokenizer: Path, texts: Sequence[str]) -> NDArray[np.uint8]:
    """(vocabulary,) the number of training texts that contain each word piece, plus one, at most `KNOWN_TEXTS`."""
    split = Tokenizer.from_file(str(tokenizer))
    counts = np.ones(split.get_vocab_size(), np.int64)
    for written in split.encode_batch(list(texts)):
        counts[list(set(written.ids))] += 1
    return np.minimum(counts, KNOWN_TEXTS).astype(np.uint8)
