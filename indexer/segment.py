"""Decoded content → stretches that become moments: passages of text, sounds, scenes, runs of sentences. Pure
functions."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import Vectors
from crossmedia.indexer.decode.types import Page

PASSAGE_WORDS: Final = 120
"""What a sentence encoder of the MiniLM family reads with profit (its window is 256 word pieces)."""
TINY: Final = 25
"""Fewer words than this (a heading, a list's item) say little alone."""
MAX_PASSAGES: Final = 30_000
"""Of one text, that are indexed: some 3.6 million words. The rest of a longer one is left out."""
ENCODED_FIRST: Final = 24
"""Of one text, whose meaning is encoded before it can be found; that of the others comes with the pass `paragraphs`.
A passage takes a hundred times as long to encode as to cut and to store."""
MAX_ENCODED: Final = 2_048
"""Of one text, whose meaning is encoded at all: a quarter of a million words. Longer ones are found by all their words,
and by the meaning of as many passages, evenly from beginning to end."""
WINDOW: Final = 3.0
HOP: Final = 1.5
"""Of sound, s. Shorter windows are named less well: of ESC-10's, 5 s long, the shipped tower names 100, 83, 77 % by 5,
3, 2 s of them, 90, 88, 83 % of those rightly."""
MAX_EVENT_SECONDS: Final = 30.0
"""A longer sound is several moments, s."""
CHAPTER_REACH: Final = 45.0
"""How far apart two shots of the same may begin and still tie together what lies between, s."""
SILENCE: Final = 2.5
"""A pause that ends what is said in one go, s."""

_MAX_WORD_CHARACTERS: Final = 60
_WORD: Final = re.compile(rf"\S{{1,{_MAX_WORD_CHARACTERS}}}")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


@dataclass(frozen=True)
class Passage:
    """A piece of text to be found as one: at most `PASSAGE_WORDS` words, all from one page. `number` counts from 0 in
    the text."""

    text: str
    page: int | None
    number: int


def passages(
    pages: Iterable[Page], words: int = PASSAGE_WORDS, tiny: int = TINY, limit: int | None = None
) -> list[Passage]:
    """Long paragraphs split at sentence ends, tiny ones merged with a neighbour of their page; order kept, nothing
    lost but what comes after `limit` passages."""
    texts = ((text, page.number) for page in pages for text in _merge(_pieces(page.paragraphs, words), words, tiny))
    return [Passage(text, page, number) for number, (text, page) in enumerate(islice(texts, limit))]


def spread(count: int, most: int) -> list[int]:
    """At most `most` of so many numbers from 0, ascending, at even distances.

    >>> spread(10, 3), spread(3, 10)
    ([0, 3, 6], [0, 1, 2])
    """
    return [number * count // most for number in range(most)] if count > most else [*range(count)]


def encoded_first(count: int) -> list[int]:
    """Which of so many passages of a text are encoded before it can be found."""
    encoded = spread(count, MAX_ENCODED)
    return [encoded[place] for place in spread(len(encoded), ENCODED_FIRST)]


def encoded_later(count: int) -> list[int]:
    """Which of so many passages of a text are encoded, but not at once."""
    return sorted({*spread(count, MAX_ENCODED)}.difference(encoded_first(count)))


def truncation_warnings(count: int, whole: bool) -> list[str]:
    """What to say of a text that was cut to so many passages, or whose passages are not all encoded. `whole`: none was
    left out."""
    warnings = [] if whole else [f"the text is very long: only its first {count:,} passages are indexed"]
    if count > MAX_ENCODED:
        warnings.append(f"{MAX_ENCODED:,} of {count:,} passages are found by their meaning, all of them by their words")
    return warnings


def _pieces(paragraphs: Iterable[str], words: int) -> Iterator[tuple[str, int]]:
    """Parts of paragraphs with the number of their words."""
    for paragraph in paragraphs:
        if len(paragraph) <= min(words, _MAX_WORD_CHARACTERS):  # a page may hold a hundred thousand such
            if count := len(paragraph.split()):
                yield paragraph.strip(), count
            continue
        for start, end in paragraph_spans(paragraph, words):
            yield paragraph[start:end], _count(paragraph[start:end])


def _merge(pieces: Iterable[tuple[str, int]], words: int, tiny: int) -> Iterator[str]:
    held: list[str] = []
    count = 0
    for piece, more in pieces:
        if held and count + more <= words and min(count, more) < tiny:
            held.append(piece)
            count += more
            continue
        if held:
            yield "\n".join(held)
        held, count = [piece], more
    if held:
        yield "\n".join(held)


def _count(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def paragraph_spans(paragraph: str, words: int = PASSAGE_WORDS) -> list[tuple[int, int]]:
    """Character offsets of parts of at most `words` words, of similar length, ended at a sentence's end where one is
    near.

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


def sound_windows(seconds: float, length: float = WINDOW, hop: float = HOP) -> list[tuple[float, float]]:
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


def events(
    windows: Sequence[tuple[float, float]], kinds: Sequence[Hashable | None], longest: float = MAX_EVENT_SECONDS
) -> list[tuple[float, float]]:
    """Neighbouring windows of one kind as events (start, end) in seconds, split evenly where longer than `longest`.

    `kinds`: what is heard in each window, None for nothing. A single window that differs from two equal neighbours is
    taken for one of them. Where windows overlap, each speaks for its middle, up to half-way to the next.
    """
    heard = [
        kinds[n - 1] if 0 < n < len(kinds) - 1 and kinds[n - 1] == kinds[n + 1] else kind
        for n, kind in enumerate(kinds)
    ]
    spans: list[tuple[float, float]] = []
    first = 0
    for n in range(1, len(heard) + 1):
        if n < len(heard) and heard[n] == heard[first]:
            continue
        if heard[first] is not None:
            start = _between(windows, first) if first else windows[0][0]
            end = _between(windows, n) if n < len(windows) else windows[-1][1]
            parts = max(1, math.ceil((end - start) / longest))
            # The end as it is: computed, it may lie a rounding beyond the recording.
            edges = [*(start + (end - start) * part / parts for part in range(parts)), end]
            spans += pairwise(edges)
        first = n
    return spans


def _between(windows: Sequence[tuple[float, float]], number: int) -> float:
    """Where the window before ends to speak and this one begins to."""
    return (windows[number - 1][1] + windows[number][0]) / 2


def chapters(
    shots: Vectors, starts: Sequence[float], same: float, reach: float = CHAPTER_REACH
) -> list[tuple[int, int]]:
    """Shots grouped into scenes, as (first, last) shot of each, all shots in order.

    `shots`: (N, dim) unit vectors; `starts`: when each begins, s. Two shots of a cosine of `same` or more, begun within
    `reach` seconds, belong to one scene with everything between them, as in a dialogue that is cut to and fro:
    overlapping links (Hanjalic, Lagendijk and Biemond, "Automated high-level movie segmentation", 1999).
    """
    scenes: list[tuple[int, int]] = []
    first = last = 0
    for n, within in enumerate(np.searchsorted(starts, np.asarray(starts) + reach, side="right")):
        if n > last:
            scenes.append((first, last))
            first = n
        alike = np.flatnonzero(shots[n:within] @ shots[n] >= same)
        last = max(last, n, n + int(alike[-1]) if len(alike) else n)
    return [*scenes, (first, last)] if len(starts) else []


def runs(spoken: Sequence[tuple[float, float, int]]) -> list[tuple[int, int]]:
    """Runs of neighbouring sentences, as (first, last): what is said across the border of two sentences is said in one
    of them. `spoken`: start and end in seconds and number of words of each sentence.

    Two sentences make a run unless `SILENCE` lies between them or they are too long for one vector; runs overlap.
    """
    return [
        (n, n + 1)
        for n, (one, other) in enumerate(pairwise(spoken))
        if other[0] - one[1] <= SILENCE and one[2] + other[2] <= PASSAGE_WORDS
    ]
