"""Words and stems of queries and texts, and the snippets that are shown."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from crossmedia.embeddings.stop_words import STOP_WORDS
from crossmedia.retrieval.documents import FIELDS

OPEN, CLOSE = "\x02", "\x03"
SNIPPET_WORDS = 24
_WORD = re.compile(r"\w+", re.UNICODE)


def words_of(text: str) -> list[str]:
    """Runs of letters, digits and underscores, with accents as one character."""
    return _WORD.findall(unicodedata.normalize("NFC", text))


def content_words(text: str) -> list[str]:
    """The words of a query that carry meaning, in order, one of each stem; all of them if none does."""
    words = words_of(text)
    kept = [word for word in words if word.lower() not in STOP_WORDS] or words
    return list({stem(word): word for word in reversed(kept)}.values())[::-1]


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


def marked_words(highlighted: str) -> list[str]:
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


def information(total: int, holding: int) -> float:
    """The information of a word that `holding` of `total` texts contain: idf (Robertson & Spärck Jones 1976), smoothed
    to stay positive."""
    holding = min(holding, total)
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
