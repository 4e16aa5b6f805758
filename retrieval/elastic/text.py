"""A search by words as a query of the server, and its hits as matches: what of the query they cover, and where."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from crossmedia.retrieval import analysis, wording
from crossmedia.retrieval.analysis import Token
from crossmedia.retrieval.documents import FIELDS
from crossmedia.retrieval.elastic.connection import Connection
from crossmedia.retrieval.elastic.docs import Doc, searchable
from crossmedia.retrieval.elastic.filters import conditions
from crossmedia.retrieval.elastic.index import OWN
from crossmedia.retrieval.store import TextMatch, TextQuery
from crossmedia.retrieval.wording import QueryWords

ANALYSED: Final = tuple(f"words.{name}" for name in FIELDS)
ALL_WORDS: Final = 1000.0
"""What a text with all words of the query gains: it comes before those with some, as in the local store."""
REMEMBERED: Final = 20_000
TOKEN: Final = re.compile(r"[^\W_]+")

Stems = Callable[[Iterable[str]], Mapping[str, str]]
"""Tokens → the terms that the index holds for them; those that it does not hold are left out."""


class Reading:
    """How an index is read: as terms of ours, or as the words that an analyser of the server makes of texts."""

    def __init__(self, ours: bool, stems: Stems) -> None:
        self._ours = ours
        self._stems = stems

    def words(self, text: str) -> QueryWords:
        """The words of a query that the index may hold."""
        content = wording.content_words(text, analysis.words if self._ours else _words)
        return QueryWords(tuple(word for word in content.words if self._searchable(word[0])))

    def query(self, said: TextQuery, terms: Sequence[str]) -> Doc:
        """The search body: the k best by BM25 over all fields as one (BM25F, Robertson et al. 2004)."""
        each = [self._holding(term) for term in terms]
        unwanted = [self._searchable(text, phrase=True) for text in said.without]
        body: dict[str, Any] = {
            "must": [{"bool": {"should": each, "minimum_should_match": 1}}],
            "filter": [{"term": {"type": "moment"}}, *conditions(said.filters)],
            "must_not": [_phrase(text) for text in unwanted if text],
        }
        if len(each) > 1:
            body["should"] = [{"constant_score": {"filter": {"bool": {"filter": each}}, "boost": ALL_WORDS}}]
        return {"query": {"bool": body}, "size": said.k, "_source": ["fields"], "track_total_hits": False}

    def counts(self, terms: Sequence[str]) -> Doc:
        """The search body that counts the moments each term stands in, without regard to filters; the server remembers
        the answer until the index changes."""
        return {
            "query": {"term": {"type": "moment"}},
            "size": 0,
            "track_total_hits": True,
            "aggs": {str(number): {"filter": self._holding(term)} for number, term in enumerate(terms)},
        }

    def matches(
        self, hits: Sequence[Mapping[str, Any]], counted: Mapping[str, Any], words: QueryWords, least: float
    ) -> list[TextMatch]:
        """In the order of the hits; those that cover less than `least` are left out."""
        total = counted["hits"]["total"]["value"]
        information = {
            term: wording.information(total, counted["aggregations"][str(number)]["doc_count"])
            for number, term in enumerate(words.terms)
        }
        texts = [
            [unicodedata.normalize("NFC", hit["_source"]["fields"].get(name, "")) for name in FIELDS] for hit in hits
        ]
        finder = self._finder(words.terms, texts)
        matching = []
        for hit, each in zip(hits, texts, strict=True):
            marked, held = finder.mark(each)
            coverage = words.coverage(held, information)
            if coverage < least:
                continue
            best = wording.best_field(marked)
            score = hit["_score"] - (ALL_WORDS if hit["_score"] >= ALL_WORDS else 0)
            shown, as_written = wording.snippet(marked[best]), wording.marked_words(" ".join(marked))
            matching.append(TextMatch(hit["_id"], score, coverage, FIELDS[best], shown, tuple(as_written)))
        return matching

    def _finder(self, terms: Sequence[str], texts: Sequence[Sequence[str]]) -> wording.Finder:
        if self._ours:
            return wording.Finder(terms)
        stems = self._stems(
            {token for each in texts for text in each for token in TOKEN.findall(text)}
            | {part for term in terms for part in wording.parts(term)}
        )
        return wording.Finder(terms, _tokens, stems.get)

    def _searchable(self, text: str, phrase: bool = False) -> str:
        """A word, or a phrase, as it is in the index: parts of it in a row."""
        if not self._ours:
            return searchable(text)
        terms = [term for word in analysis.words(text) for term in word] if phrase else [text]
        return " ".join(wording.stem(part) for term in terms for part in wording.parts(term))

    def _holding(self, term: str) -> Doc:
        """A text with this term in any field. One of several parts is a phrase."""
        plain = self._searchable(term)
        if " " in plain:
            return _phrase(plain)
        return {"combined_fields": {"query": plain, "fields": list(ANALYSED), "operator": "and"}}


class Analysed:
    """The terms that the index's own analyser makes of tokens, remembered. The default one stems as the local store
    does, which needs no question."""

    def __init__(self, connection: Connection, index: str) -> None:
        self._connection, self._index = connection, index
        self._known: dict[str, dict[str, str | None]] = {}
        self._lock = threading.Lock()

    def by(self, analyser: str) -> Stems:
        """Those of one analyser."""
        if analyser == OWN:
            return lambda tokens: {token: wording.stem(token) for token in tokens}
        return lambda tokens: self._terms(analyser, list(tokens))

    def _terms(self, analyser: str, wanted: Sequence[str]) -> dict[str, str]:
        with self._lock:
            known = self._known.setdefault(analyser, {})
            unknown = [token for token in wanted if token not in known]
            if len(known) + len(unknown) > REMEMBERED:
                known.clear()
                unknown = list(wanted)
            if unknown:
                known |= self._ask(analyser, unknown)
            return {token: term for token in wanted if (term := known[token]) is not None}

    def _ask(self, analyser: str, tokens: Sequence[str]) -> dict[str, str | None]:
        text = "\n".join(tokens)
        answer = self._connection.ask(
            self._connection.client.indices.analyze, index=self._index, analyzer=analyser, text=text
        )
        at: dict[int, str] = {}
        for found in answer["tokens"]:
            at.setdefault(found["start_offset"], found["token"])
        terms: dict[str, str | None] = {}
        start = 0
        for token in tokens:
            terms[token] = at.get(start)
            start += len(token.encode("utf-16-le")) // 2 + 1  # the server counts in UTF-16
        return terms


def _phrase(plain: str) -> Doc:
    return {"multi_match": {"query": plain, "type": "phrase", "fields": list(ANALYSED)}}


def _words(text: str) -> Iterator[tuple[str, ...]]:
    return ((word,) for word in wording.words_of(text))


def _tokens(text: str) -> Iterator[Token]:
    return (Token(match.group(), match.start(), match.end()) for match in TOKEN.finditer(text))
