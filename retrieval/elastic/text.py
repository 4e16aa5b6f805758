"""A search by words as a query of the server, and its hits as matches: what of the query they cover, and where."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from crossmedia.retrieval import wording
from crossmedia.retrieval.documents import FIELDS
from crossmedia.retrieval.elastic.connection import Connection
from crossmedia.retrieval.elastic.docs import Doc, searchable
from crossmedia.retrieval.elastic.filters import conditions
from crossmedia.retrieval.store import TextMatch, TextQuery

ANALYSED: Final = tuple(f"words.{name}" for name in FIELDS)
ALL_WORDS: Final = 1000.0
"""What a text with all words of the query gains: it comes before those with some, as in the local store."""
REMEMBERED: Final = 20_000
TOKEN: Final = re.compile(r"[^\W_]+")

Stems = Callable[[Iterable[str]], Mapping[str, str]]
"""Tokens → the terms that the index holds for them; those that it does not hold are left out."""


def query(said: TextQuery, words: Sequence[str]) -> Doc:
    """The search body: the k best by BM25 over all fields as one (BM25F, Robertson et al. 2004)."""
    each = [_holding(word) for word in words]
    body: dict[str, Any] = {
        "must": [{"bool": {"should": each, "minimum_should_match": 1}}],
        "filter": [{"term": {"type": "moment"}}, *conditions(said.filters)],
        "must_not": [_phrase(text) for text in map(searchable, said.without) if text],
    }
    if len(each) > 1:
        body["should"] = [{"constant_score": {"filter": {"bool": {"filter": each}}, "boost": ALL_WORDS}}]
    return {"query": {"bool": body}, "size": said.k, "_source": ["fields"], "track_total_hits": False}


def counts(words: Sequence[str]) -> Doc:
    """The search body that counts the moments each word stands in, without regard to filters; the server remembers the
    answer until the index changes."""
    return {
        "query": {"term": {"type": "moment"}},
        "size": 0,
        "track_total_hits": True,
        "aggs": {str(number): {"filter": _holding(word)} for number, word in enumerate(words)},
    }


def matches(
    hits: Sequence[Mapping[str, Any]], counted: Mapping[str, Any], words: Sequence[str], least: float, stems: Stems
) -> list[TextMatch]:
    """In the order of the hits; those that cover less than `least` are left out."""
    total = counted["hits"]["total"]["value"]
    told = [
        wording.information(total, counted["aggregations"][str(number)]["doc_count"]) for number in range(len(words))
    ]
    texts = [{name: unicodedata.normalize("NFC", text) for name, text in h["_source"]["fields"].items()} for h in hits]
    parts = [TOKEN.findall(word) for word in words]
    terms = stems(
        {token for one in texts for text in one.values() for token in TOKEN.findall(text)}
        | {p for w in parts for p in w}
    )
    asked = [[terms[part] for part in word if part in terms] for word in parts]
    wanted = {term for word in asked for term in word}
    found = []
    for hit, one in zip(hits, texts, strict=True):
        marked = {name: _marked(text, terms, wanted) for name, text in one.items()}
        as_written = wording.marked_words(" ".join(marked.get(name, "") for name in FIELDS))
        held = {terms[token] for written in as_written for token in TOKEN.findall(written) if token in terms}
        covered = [bool(word) and held.issuperset(word) for word in asked]
        coverage = min(1.0, sum(t for t, c in zip(told, covered, strict=True) if c) / sum(told))
        if coverage < least:
            continue
        best = wording.best_field([marked.get(name) for name in FIELDS])
        shown = wording.snippet(marked.get(FIELDS[best], ""))
        score = hit["_score"] - (ALL_WORDS if hit["_score"] >= ALL_WORDS else 0)
        found.append(TextMatch(hit["_id"], score, coverage, FIELDS[best], shown, tuple(as_written)))
    return found


class Analysed:
    """`Stems` by the index's own analyser, remembered. The default one stems as the local store does, which needs no
    question."""

    def __init__(self, connection: Connection, index: str, analyzer: Callable[[], str]) -> None:
        self._connection, self._index, self._analyzer = connection, index, analyzer
        self._known: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def __call__(self, tokens: Iterable[str]) -> Mapping[str, str]:
        if self._analyzer() == "words":
            return {token: wording.stem(token) for token in tokens}
        wanted = list(tokens)
        with self._lock:
            unknown = [token for token in wanted if token not in self._known]
            if len(self._known) + len(unknown) > REMEMBERED:
                self._known, unknown = {}, wanted
            if unknown:
                self._known |= self._ask(unknown)
            return {token: term for token in wanted if (term := self._known[token]) is not None}

    def _ask(self, tokens: Sequence[str]) -> dict[str, str | None]:
        text = "\n".join(tokens)
        answer = self._connection.ask(
            self._connection.client.indices.analyze, index=self._index, analyzer=self._analyzer(), text=text
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


def _holding(word: str) -> Doc:
    """A text with this word in any field. A word of several parts is a phrase."""
    plain = searchable(word)
    if " " in plain:
        return _phrase(plain)
    return {"combined_fields": {"query": plain, "fields": list(ANALYSED), "operator": "and"}}


def _phrase(plain: str) -> Doc:
    return {"multi_match": {"query": plain, "type": "phrase", "fields": list(ANALYSED)}}


def _marked(text: str, terms: Mapping[str, str], wanted: set[str]) -> str:
    def mark(match: re.Match[str]) -> str:
        token = match.group()
        return f"{wording.OPEN}{token}{wording.CLOSE}" if terms.get(token) in wanted else token

    return TOKEN.sub(mark, text)
