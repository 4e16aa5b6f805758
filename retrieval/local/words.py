"""Full-text search over FTS5: a free text becomes a safe match expression, matches become coverage."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from retrieval.documents import FIELDS

OPEN, CLOSE = "\x02", "\x03"
SNIPPET_WORDS = 24

STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "she",
        "so",
        "some",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "up",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "you",
        "your",
        "show",
        "find",
        "photo",
        "photos",
        "picture",
        "pictures",
        "image",
        "images",
        "video",
    ]
)
_WORD = re.compile(r"\w+", re.UNICODE)


def content_words(text: str) -> list[str]:
    """The words of a query that carry meaning, in order, one of each stem; all of them if none does."""
    words = _WORD.findall(unicodedata.normalize("NFC", text))
    kept = [word for word in words if word.lower() not in STOP_WORDS] or words
    return list({stem(word): word for word in reversed(kept)}.values())[::-1]


def quoted(words: Iterable[str], joiner: str) -> str:
    """A match expression of literal strings: nothing in them is syntax."""
    return joiner.join('"' + word.replace('"', '""') + '"' for word in words)


def match_expressions(words: Sequence[str], needed: Sequence[str], without: Sequence[str]) -> list[str]:
    """What to look for, in turn until there is enough: texts with all of the words, with one of the needed, with any.

    Each counts all the words, and none admits the phrases of `without`.
    """
    anything = f"({quoted(words, ' OR ')})"
    wanted = [f"({quoted(words, ' AND ')})", f"({quoted(needed, ' OR ')}) AND {anything}", anything]
    phrases = [quoted(_WORD.findall(unicodedata.normalize("NFC", text)), " + ") for text in without]
    unwanted = "".join(f" NOT ({phrase})" for phrase in phrases if phrase)
    return list(dict.fromkeys(f"({expression}){unwanted}" for expression in (wanted if len(words) > 1 else wanted[2:])))


def needed_words(words: Sequence[str], information: Mapping[str, float], enough: float) -> list[str]:
    """The fewest, rarest words such that a text without any of them covers less than `enough` of the information.

    What they leave out could not have passed, so the long lists of the common words need not be read (the idea of WAND,
    Broder et al. 2003).
    """
    whole = sum(information.values())
    rest, needed = 1.0, []
    for word in sorted(words, key=lambda word: -information[stem(word)]):
        if rest < enough:
            break
        needed.append(word)
        rest -= information[stem(word)] / whole
    return needed


_stemming = threading.Lock()


@cache
def _tokenizer() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.execute('CREATE VIRTUAL TABLE one USING fts5 (word, tokenize="porter unicode61 remove_diacritics 2")')
    connection.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (one, row)")
    return connection


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The term the index holds for a word, by the index's own tokenizer."""
    with _stemming:
        connection = _tokenizer()
        connection.execute("DELETE FROM one")
        connection.execute("INSERT INTO one VALUES (?)", (word,))
        row = connection.execute("SELECT term FROM terms LIMIT 1").fetchone()
    return str(row[0]) if row else word


class Frequencies:
    """In how many moments a term stands, remembered until the collection has grown or shrunk by a tenth."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._total = 0

    def information(self, connection: sqlite3.Connection, words: Sequence[str]) -> dict[str, float]:
        """idf of each word's stem among the moments (Robertson & Spärck Jones 1976, smoothed to stay positive)."""
        total = connection.execute("SELECT max(id) FROM moment_words_docsize").fetchone()[0] or 0
        if abs(total - self._total) > self._total / 10:
            self._held, self._total = {}, total
        counts = self._held
        found: dict[str, float] = {}
        for term in {stem(word) for word in words}:
            if term not in counts:
                row = connection.execute("SELECT doc FROM moment_terms WHERE term = ?", (term,)).fetchone()
                counts[term] = row[0] if row else 0
            held = min(counts[term], total)
            found[term] = math.log(1 + (total - held + 0.5) / (held + 0.5))
        return found


def marked(highlighted: str) -> list[str]:
    """The words between the marks, each once, as they stand in the text."""
    inside = re.findall(f"{OPEN}(.*?){CLOSE}", highlighted, re.DOTALL)
    return list(dict.fromkeys(w for part in inside for w in _WORD.findall(part)))


def best_field(columns: Sequence[str | None]) -> int:
    """Which of the highlighted columns (in the order of FIELDS) holds most matches; text before titles on a tie."""
    counts = [(column or "").count(OPEN) for column in columns]
    return max(range(len(FIELDS)), key=lambda i: (counts[i], FIELDS[i] != "title"))


def snippet(highlighted: str) -> str:
    """The densest stretch of about SNIPPET_WORDS words, without marks, with an ellipsis where it was cut."""
    words = highlighted.split()
    if len(words) > SNIPPET_WORDS:
        hits = [1 if OPEN in word else 0 for word in words]
        window = sum(hits[:SNIPPET_WORDS])
        best, at = window, 0
        for i in range(1, len(words) - SNIPPET_WORDS + 1):
            window += hits[i + SNIPPET_WORDS - 1] - hits[i - 1]
            if window > best:
                best, at = window, i
        tail = " …" if at + SNIPPET_WORDS < len(words) else ""
        words = (["…"] if at else []) + words[at : at + SNIPPET_WORDS]
        words[-1] += tail
    return " ".join(words).replace(OPEN, "").replace(CLOSE, "")
