"""Decoded content → stretches that become moments: passages of text, windows of sound. Pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from indexer.decode.types import Page

WORDS: Final = 120
"""What a sentence encoder of the MiniLM family reads with profit (its window is 256 word pieces)."""
TINY: Final = 25
"""Fewer words than this (a heading, a list's item) say little alone."""
WINDOW: Final = 10.0

_LONGEST_WORD: Final = 60
_WORD: Final = re.compile(rf"\S{{1,{_LONGEST_WORD}}}")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


@dataclass(frozen=True)
class Passage:
    """A piece of text to be found as one: at most `WORDS` words, all from one page. `number` counts from 0 in the text."""

    text: str
    page: int | None
    number: int


def passages(pages: Iterable[Page], words: int = WORDS, tiny: int = TINY) -> list[Passage]:
    """Long paragraphs split at sentence ends, tiny ones merged with a neighbour of their page; order kept, nothing lost."""
    found: list[Passage] = []
    for page in pages:
        for text in _merged(_pieces(page.paragraphs, words), words, tiny):
            found.append(Passage(text, page.number, len(found)))
    return found


def _pieces(paragraphs: Iterable[str], words: int) -> Iterator[str]:
    for paragraph in paragraphs:
        for start, end in paragraph_spans(paragraph, words):
            yield paragraph[start:end]


def _merged(pieces: Iterable[str], words: int, tiny: int) -> Iterator[str]:
    held, count = "", 0
    for piece in pieces:
        more = _count(piece)
        if held and count + more <= words and min(count, more) < tiny:
            held, count = f"{held}\n{piece}", count + more
            continue
        if held:
            yield held
        held, count = piece, more
    if held:
        yield held


def _count(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def paragraph_spans(paragraph: str, words: int = WORDS) -> list[tuple[int, int]]:
    """Character offsets of parts of at most `words` words, of similar length, ended at a sentence's end where one is near.

    A run of more than 60 characters without a space (a script without spaces, a link) counts as several words.
    """
    if words < 1:
        raise ValueError("a passage needs room for a word")
    tokens = [match.span() for match in _WORD.finditer(paragraph)]
    spans: list[tuple[int, int]] = []
    first = 0
    while first < len(tokens):
        left = len(tokens) - first
        last = first + left if left <= words else _break(paragraph, tokens, first, words)
        spans.append((tokens[first][0], tokens[last - 1][1]))
        first = last
    return spans


def _break(paragraph: str, tokens: list[tuple[int, int]], first: int, words: int) -> int:
    """Where to end a part that begins at token `first`: the sentence end nearest an even share of what is left."""
    left = len(tokens) - first
    even = first + math.ceil(left / math.ceil(left / words))
    places = range(first + max(1, words // 3), first + words + 1)
    ends = [place for place in places if _SENTENCE_END.search(paragraph[slice(*tokens[place - 1])])]
    return min(ends, key=lambda place: abs(place - even), default=even)


def sound_windows(seconds: float, length: float = WINDOW, hop: float = WINDOW) -> list[tuple[float, float]]:
    """Windows (start, end) in seconds that cover a sound from 0 to `seconds`, `length` long, begun every `hop`.

    The last is shorter where the sound ends; one that would hold less than a twentieth of `length` is added to the
    window before. Gaps are left only if `hop` is greater than `length`.
    """
    if length <= 0 or hop <= 0:
        raise ValueError("a window needs a positive length and hop")
    windows: list[tuple[float, float]] = []
    number = 0
    while (start := number * hop) < seconds:
        end = min(start + length, seconds)
        if windows and windows[-1][1] >= seconds:
            break
        if windows and end - start < length / 20:
            windows[-1] = (windows[-1][0], seconds)
            break
        windows.append((start, end))
        number += 1
    return windows
