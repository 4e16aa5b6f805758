"""A text network's preprocessing as data: cleaning, and a tokenizer that the `tokenizers` package reads from a file."""

from __future__ import annotations

import html
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing

Cleaning = Literal["none", "whitespace", "lower", "canonicalize"]
TOKENIZER: Final = "tokenizer.json"

_WIDTHS: Final = {0x3000: " "} | {
    code: plain for code in range(0xFF01, 0xFFF0) if (plain := unicodedata.normalize("NFKC", chr(code))) != chr(code)
}
_QUOTES: Final = dict.fromkeys([0x2BC, *range(0x2018, 0x201C)], "'") | dict.fromkeys(range(0x201C, 0x2020), '"')
_LIGATURES: Final = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (0x132, 0x133, 0x149, *range(0x1C4, 0x1CD), *range(0x1F1, 0x1F4), *range(0xFB00, 0xFB07))
}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]|\x1b\[[0-?]*[ -/]*[@-~]")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def clean(text: str, how: Cleaning) -> str:
    """As OpenCLIP cleans captions: entities, quotes, widths and ligatures made plain, spaces joined.

    `lower` also lowers the case, `canonicalize` drops punctuation besides. OpenCLIP has ftfy do the first part, which
    moreover repairs text decoded with the wrong character set; here that is the business of whoever decodes.
    """
    if how == "none":
        return text
    plain = text if "<" in text else html.unescape(text)
    plain = _CONTROLS.sub("", plain.translate(_LIGATURES).translate(_WIDTHS).translate(_QUOTES))
    plain = html.unescape(html.unescape(unicodedata.normalize("NFC", plain)))
    if how == "canonicalize":
        plain = plain.replace("_", " ").translate(_PUNCTUATION)
    joined = " ".join(plain.split())
    return joined if how == "whitespace" else joined.lower()


@dataclass(frozen=True)
class TextRecipe:
    """`prompt` before the text, cleaning, then at most `length` tokens.

    `padded`: every row has `length` tokens, else those of the longest text. `zeroed`: a token id that is set to 0.
    """

    length: int
    cleaning: Cleaning
    padded: bool
    prompt: str = ""
    zeroed: int | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TextRecipe:
        """What `as_json` gave."""
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


class Tokens:
    """Texts → token ids by a recipe and the `tokenizer.json` in `folder`, whose padding id and special tokens count.

    Raises `ModelMissing` or `ModelCorrupt`.
    """

    def __init__(self, recipe: TextRecipe, folder: Path) -> None:
        path = folder / TOKENIZER
        if not path.is_file():
            raise ModelMissing(f"no {TOKENIZER} in {folder.name}", "export the tower again")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            # The tokenizers package raises bare Exception for whatever is wrong with the file.
            raise ModelCorrupt(f"{path.name} in {folder.name}: {error}", "export the tower again") from error
        self._recipe = recipe
        self._tokenizer.enable_truncation(recipe.length)
        padding = dict(self._tokenizer.padding or {})
        self._tokenizer.enable_padding(**{**padding, "length": recipe.length if recipe.padded else None})

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(N, tokens) ids, and as many marks: 1 for a token, 0 for padding."""
        recipe = self._recipe
        written = self._tokenizer.encode_batch([clean(recipe.prompt + text, recipe.cleaning) for text in texts])
        ids = np.array([row.ids for row in written], np.int64)
        if recipe.zeroed is not None:
            ids[ids == recipe.zeroed] = 0
        return ids, np.array([row.attention_mask for row in written], np.int64)
