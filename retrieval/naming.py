"""Find the words of a query that may name labels, and how many of each: "two dogs on a sofa" may be two of `dog` and
one `sofa`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crossmedia.embeddings.stop_words import STOP_WORDS
from crossmedia.retrieval.morphology import parse_number, singulars
from crossmedia.retrieval.relevance import SURE
from crossmedia.retrieval.wording import words_of

MAX_PHRASE_WORDS: Final = 3
"""Words that the value of a label has at most, where a query names it."""
BEFORE: Final = 3
"""So many words before what is counted its number may stand: "two big brown dogs"."""


@dataclass(frozen=True)
class Phrase:
    """Words that may be a label's value: `values` as it may be written, lower case; `covers`: which of the query's
    words they are, the number included; `number`: which of them that is."""

    values: tuple[str, ...]
    covers: frozenset[int]
    count: int = 1
    number: int | None = None


@dataclass(frozen=True)
class NamedWords:
    """A query's phrases, longer ones first, among `words` words that carry meaning."""

    phrases: tuple[Phrase, ...]
    words: int

    @property
    def values(self) -> dict[str, int]:
        """What is looked for, with how many of each."""
        counts: dict[str, int] = {}
        for phrase in self.phrases:
            for value in phrase.values:
                counts[value] = max(phrase.count, counts.get(value, 0))
        return counts

    def score(self, scores: Mapping[str, Sequence[float]]) -> tuple[float, float, tuple[str, ...]]:
        """What labels with these scores (by value, best first) say of the query: the share of its words that they name,
        how sure they are, and which values those are.

        Three of four words named is no answer yet (`relevance.of_words`); a number counts like a word, and is met by as
        many.
        """
        met: set[int] = set()
        sure: list[float] = []
        named: list[str] = []
        for phrase in self.phrases:
            value = max((v for v in phrase.values if v in scores), key=lambda v: len(scores[v]), default=None)
            if value is None or met & (phrase.covers - {phrase.number}):
                continue
            enough = min(phrase.count, len(scores[value]))
            met |= phrase.covers if enough == phrase.count else phrase.covers - {phrase.number}
            sure.append(scores[value][enough - 1])
            named.append(value)
        return (len(met) / self.words, sum(sure) / len(sure), tuple(named)) if sure else (0.0, 0.0, ())


def relevance(coverage: float, score: float) -> float:
    """The share of a query's words that labels name, and the mean of their scores (0..1) → relevance.

    The root of a score is about how often the detector of objects is right at it: as often as not where it just tells
    something (0.3).
    """
    return SURE * coverage**2 * math.sqrt(score)


def find_names(text: str) -> NamedWords:
    """Phrases of a text that may name labels.

    >>> [(p.values, p.count) for p in find_names("two dogs and a cat").phrases]
    [(('two dogs', 'two dog'), 1), (('dogs', 'dog'), 2), (('cat',), 1)]
    """
    words = [word.lower() for word in words_of(text)]
    kept = [n for n, word in enumerate(words) if word not in STOP_WORDS]
    numbers = {n: count for n in kept if (count := parse_number(words[n])) is not None}
    phrases = [
        _phrase(words, span, numbers)
        for length in range(min(MAX_PHRASE_WORDS, len(words)), 0, -1)
        for span in _spans(words, kept, numbers, length)
    ]
    return NamedWords(tuple(phrases), max(1, len(kept)))


def _spans(words: Sequence[str], kept: Sequence[int], numbers: Mapping[int, int], length: int) -> Iterator[range]:
    """Runs of so many words that begin and end with one that carries meaning, and are no number."""
    for first in kept:
        span = range(first, first + length)
        if span[-1] in kept and not (length == 1 and first in numbers) and span[-1] < len(words):
            yield span


def _phrase(words: Sequence[str], span: range, numbers: Mapping[int, int]) -> Phrase:
    said = [words[n] for n in span]
    values = tuple(dict.fromkeys(" ".join([*said[:-1], last]) for last in (said[-1], *singulars(said[-1]))))
    number = next((n for n in range(span[0] - 1, max(-1, span[0] - 1 - BEFORE), -1) if n in numbers), None)
    covers = frozenset(n for n in span if words[n] not in STOP_WORDS)
    if number is None or words[number] == "one":
        return Phrase(values, covers | ({number} if number is not None else set()))
    return Phrase(values, covers | {number}, numbers[number], number)
