"""Say which sentence encoder reads a text: by its script, its known words, and the order of its letters.

Two encoders fill the same spaces, so a wrong guess costs quality and nothing else: the multilingual one reads English
too, only less well.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, TypeAlias

from crossmedia.embeddings.errors import DependencyMissing

Reader: TypeAlias = Literal["english", "multilingual", "none"]
LATIN: Final = "LATIN"
SCRIPTS: Final = frozenset((LATIN, "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "ARABIC", "CYRILLIC", "THAI"))
"""Those that the multilingual encoder reads, as Unicode names their letters."""
LANGUAGES: Final = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
READ_CHARACTERS: Final = 1000
"""Of a text: its language shows long before."""
MARGIN: Final = 2.0
"""By how much, in logarithms of likelihood, another language has to be likelier than English: a name that no caption
has, such as that of a bird, is English more often than not."""

_WORD: Final = re.compile(r"[^\W\d_]+")


class Languages:
    """Chooses a reader for each text. `knows`: whether a word, in lower case, is a common one of English."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows

    @cached_property
    def _identifier(self) -> Any:
        """langid (Lui and Baldwin 2012): opened at the first text that words do not decide."""
        try:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier
        except ImportError as error:
            raise DependencyMissing("py3langid is not installed", "pip install py3langid") from error
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
        identifier.set_languages(list(LANGUAGES))
        return identifier

    def reader(self, text: str) -> Reader:
        """ "english" also where nothing speaks against it: a number, a file's name, no text at all."""
        shown = text[:READ_CHARACTERS]
        # Most texts are of plain letters alone, which need not be counted.
        script = LATIN if shown.isascii() else main_script(shown)
        if script is not None and script != LATIN:
            return "multilingual" if script in SCRIPTS else "none"
        words = _WORD.findall(shown.lower())
        if all(map(self._knows, words)):
            return "english"
        chances: dict[str, float] = dict(self._identifier.rank(shown))
        english = chances.pop("en")
        return "english" if english > max(chances.values()) - MARGIN else "multilingual"


def main_script(text: str) -> str | None:
    """The script of most of its letters, as Unicode names it; None where there is no letter."""
    counted = Counter(script for script in map(_script, text) if script)
    return max(counted, key=lambda script: (counted[script], script)) if counted else None


@lru_cache(maxsize=20_000)
def _script(character: str) -> str:
    """The first word of a letter's name, nothing of what is no letter."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""
