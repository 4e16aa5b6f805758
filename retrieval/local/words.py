"""Full-text search over FTS5: words become safe match expressions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from crossmedia.retrieval import analysis
from crossmedia.retrieval.wording import QueryWords, information, stem


def quoted(words: Iterable[str], joiner: str) -> str:
    """A match expression of literal strings: nothing in them is syntax."""
    return joiner.join('"' + analysis.encoded(word).replace('"', '""') + '"' for word in words)


def match_expressions(words: Sequence[str], needed: Sequence[str], without: Sequence[str]) -> list[str]:
    """What to look for, in turn until there is enough: texts with all of the words, with one of the needed, with any.

    Each counts all the words, and none admits the phrases of `without`.
    """
    anything = f"({quoted(words, ' OR ')})"
    wanted = [f"({quoted(words, ' AND ')})", f"({quoted(needed, ' OR ')}) AND {anything}", anything]
    phrases = [quoted((term for word in analysis.words(text) for term in word), " + ") for text in without]
    unwanted = "".join(f" NOT ({phrase})" for phrase in phrases if phrase)
    return list(dict.fromkeys(f"({expression}){unwanted}" for expression in (wanted if len(words) > 1 else wanted[2:])))


def needed_terms(words: QueryWords, information: Mapping[str, float], enough: float) -> list[str]:
    """The rarest terms, as few as suffice, such that a text without any of them covers less than `enough` of the
    information.

    What they leave out could not have passed, so the long lists of the common words need not be read (the idea of WAND,
    Broder et al. 2003).
    """
    rest = set(words.terms)
    needed: list[str] = []
    for term in sorted(words.terms, key=lambda term: -information[term]):
        if words.coverage(rest, information) < enough:
            break
        needed.append(term)
        rest.discard(term)
    return needed


class Frequencies:
    """In how many moments a term stands, remembered until the collection has grown or shrunk by a tenth."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._total = 0

    def information(self, connection: sqlite3.Connection, words: Sequence[str]) -> dict[str, float]:
        """What each word tells among the moments."""
        total = connection.execute("SELECT max(id) FROM moment_words_docsize").fetchone()[0] or 0
        if abs(total - self._total) > self._total / 10:
            self._held, self._total = {}, total
        counts = self._held
        found: dict[str, float] = {}
        for word in words:
            term = analysis.encoded(stem(word))
            if term not in counts:
                row = connection.execute("SELECT doc FROM moment_terms WHERE term = ?", (term,)).fetchone()
                counts[term] = row[0] if row else 0
            found[word] = information(total, counts[term])
        return found
