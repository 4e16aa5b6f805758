"""Words and stems of queries and texts, and the snippets that are shown."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from crossmedia.embeddings.stop_words import STOP_WORDS, UNSPACED_STOP_WORDS
from crossmedia.retrieval import analysis
from crossmedia.retrieval.analysis import Token
from crossmedia.retrieval.documents import FIELDS

OPEN, CLOSE = "\x02", "\x03"
SNIPPET_WORDS = 24
_WORD = re.compile(r"\w+", re.UNICODE)
_UNSPACED_STOP_WORDS = re.compile("|".join(map(re.escape, sorted(UNSPACED_STOP_WORDS, key=len, reverse=True))))


def words_of(text: str) -> list[str]:
    """Runs of letters, digits and underscores, with accents as one character."""
    return _WORD.findall(unicodedata.normalize("NFC", text))


@dataclass(frozen=True)
class QueryWords:
    """The words of a query, each as the terms that it is looked up by: one, or the pairs of characters of a run."""

    words: tuple[tuple[str, ...], ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(term for word in self.words for term in word))

    def coverage(self, held: Container[str], information: Mapping[str, float]) -> float:
        """The share of the query's information that a text with the terms `held` holds, 0..1.

        A character of a run is held with either of its pairs, and tells half of what the more common one does. So a
        text with 灯塔 and 停电 holds all of 灯塔停电, though nobody writes 塔停; one with either holds about half.
        """
        whole = covered = 0.0
        for terms, weight in self._parts():
            share = weight * min(information[term] for term in terms)
            whole += share
            covered += share if any(term in held for term in terms) else 0.0
        return min(1.0, covered / whole) if whole else 0.0

    def _parts(self) -> Iterator[tuple[Sequence[str], float]]:
        """What is held or not, by any of these terms: a word, or a character of a run; and what it counts."""
        for terms in self.words:
            if len(terms) == 1:
                yield terms, 1.0
            else:
                yield from ((terms[max(0, n - 1) : n + 1], 0.5) for n in range(len(terms) + 1))


def content_words(text: str, read: Callable[[str], Iterable[tuple[str, ...]]] = analysis.words) -> QueryWords:
    """The words of a query that carry meaning, in order, one of each stem; all of them if none does."""
    words = list(read(_UNSPACED_STOP_WORDS.sub(" ", text))) or list(read(text))
    kept = [word for word in words if len(word) > 1 or word[0].lower() not in STOP_WORDS] or words
    return QueryWords(tuple({tuple(map(stem, word)): word for word in reversed(kept)}.values())[::-1])


_stemming = threading.Lock()


@cache
def _tokenizer() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.execute('CREATE VIRTUAL TABLE one USING fts5 (word, tokenize="porter unicode61 remove_diacritics 2")')
    connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (one, row)")
    return connection


def stem(word: str) -> str:
    """The term the index holds for a word, by the index's own tokenizer."""
    return word if analysis.is_unspaced(word) else _stem(word)


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    with _stemming:
        connection = _tokenizer()
        connection.execute("DELETE FROM one")
        connection.execute("INSERT INTO one VALUES (?)", (analysis.encoded(word),))
        row = connection.execute("SELECT term FROM terms LIMIT 1").fetchone()
    return analysis.decoded(str(row[0])) if row else word


def terms_of(text: str) -> list[str]:
    """All that the index holds of a text, in its order."""
    return [stem(word) for word in analysis.written(text)]


def parts(term: str) -> list[str]:
    """What the index makes of a term of a query: words that are joined by _ are terms of their own, in a row."""
    return [part for part in term.split("_") if part]


class Finder:
    """Finds the terms of a query in texts as the index does. `read`: the tokens of a text; `stem_of`: what the index
    holds for a token, None where it leaves it out."""

    def __init__(
        self,
        terms: Iterable[str],
        read: Callable[[str], Iterable[Token]] = analysis.tokens,
        stem_of: Callable[[str], str | None] | None = None,
    ) -> None:
        self._read = read
        self._stem_of: Callable[[str], str | None] = stem_of or stem
        stems = {term: [self._stem_of(part) for part in parts(term)] for term in terms}
        self._stems = {term: {stem for stem in each if stem is not None} for term, each in stems.items()}
        self._wanted = {stem for each in self._stems.values() for stem in each}
        # A stem begins as its word does, so that most tokens need not be looked up.
        self._initials = None if stem_of else {stem[:1] for stem in self._wanted}

    def mark(self, texts: Iterable[str]) -> tuple[list[str], set[str]]:
        """The texts with marks around what was found, and the terms that are in them with all of their parts."""
        marked, held = [], set[str]()
        for text in texts:
            highlighted, stems = _mark(text, self._read(text), self._stem)
            marked.append(highlighted)
            held |= stems
        return marked, {term for term, stems in self._stems.items() if stems and held >= stems}

    def _stem(self, token: str) -> str | None:
        """The wanted stem that a token is held as."""
        if self._initials is not None and token.isascii() and token[0].lower() not in self._initials:
            return None
        stem = self._stem_of(token)
        return stem if stem in self._wanted else None


def _mark(text: str, tokens: Iterable[Token], stem_of: Callable[[str], str | None]) -> tuple[str, set[str]]:
    """The text with marks around tokens that have a stem, and those stems. What touches or overlaps is marked as one,
    words joined by _ too."""
    held: set[str] = set()
    spans: list[list[int]] = []
    for term, start, end in tokens:
        stem = stem_of(term)
        if stem is None:
            continue
        held.add(stem)
        if spans and not text[spans[-1][1] : start].strip("_"):
            spans[-1][1] = max(end, spans[-1][1])
        else:
            spans.append([start, end])
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], OPEN, text[start:end], CLOSE]
        at = end
    return "".join([*pieces, text[at:]]), held


def marked_words(highlighted: str) -> list[str]:
    """What is between the marks, each once, as it stands in the text."""
    return list(dict.fromkeys(re.findall(f"{OPEN}(.*?){CLOSE}", highlighted, re.DOTALL)))


def best_field(columns: Sequence[str | None]) -> int:
    """Which of the highlighted columns (in the order of FIELDS) holds most matches; text before titles on a tie."""
    counts = [(column or "").count(OPEN) for column in columns]
    return max(range(len(FIELDS)), key=lambda i: (counts[i], FIELDS[i] != "title"))


def snippet(highlighted: str) -> str:
    """The densest stretch of about SNIPPET_WORDS words, without marks, with an ellipsis where it was cut. Where there
    are no blanks, two characters are a word."""
    plain = highlighted.replace(OPEN, "").replace(CLOSE, "")
    units = [match.span() for match in analysis.units(plain)]
    if len(units) <= SNIPPET_WORDS:
        return " ".join(plain.split())
    inside = _inside(highlighted)
    hits = [any(start < last and first < end for first, last in inside) for start, end in units]
    window = sum(hits[:SNIPPET_WORDS])
    best, at = window, 0
    for i in range(1, len(units) - SNIPPET_WORDS + 1):
        window += hits[i + SNIPPET_WORDS - 1] - hits[i - 1]
        if window > best:
            best, at = window, i
    after = at + SNIPPET_WORDS
    shown = " ".join(plain[units[at][0] : units[after - 1][1]].split())
    return f"{'… ' if at else ''}{shown}{' …' if after < len(units) else ''}"


def _inside(highlighted: str) -> list[tuple[int, int]]:
    """Where in the text without marks the marked stretches are."""
    spans: list[tuple[int, int]] = []
    at = 0
    for n, part in enumerate(re.split(f"[{OPEN}{CLOSE}]", highlighted)):
        if n % 2:
            spans.append((at, at + len(part)))
        at += len(part)
    return spans


def information(total: int, holding: int) -> float:
    """The information of a word that `holding` of `total` texts contain: idf (Robertson & Spärck Jones 1976), smoothed
    to stay positive."""
    holding = min(holding, total)
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
