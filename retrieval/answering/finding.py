"""Answer which file: the best hit of a search, the longest, the one with that plate."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.question import Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.documents import Asset
from crossmedia.retrieval.query import Hit

MODEL: Final = "answers-finding@1"
MAX_CITATIONS: Final = 3
EXTREMES: Final[dict[str, tuple[str, bool]]] = {
    "longest": ("seconds", True),
    "shortest": ("seconds", False),
    "largest": ("size", True),
    "biggest": ("size", True),
    "smallest": ("size", False),
    "newest": ("captured", True),
    "latest": ("captured", True),
    "oldest": ("captured", False),
}


class Finding:
    """Names the file that answers; further ones are cited after it."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        if scope.single:
            return None
        for word in question.words:
            if word in EXTREMES:
                return _extreme(question, scope, *EXTREMES[word])
        hits = find_files(scope, question.topic, question.medium, MAX_CITATIONS)
        if not hits:
            return None
        return Reply(hits[0].path, hits[0].relevance, hits, MODEL)


def find_files(scope: Scope, topic: str, medium: Medium | None, k: int) -> tuple[Hit, ...]:
    """The files of a medium that are of a topic, each once, best first."""
    if not content(topic):
        return ()
    media = (medium,) if medium and not scope.within.media else scope.within.media
    return scope.find(topic, k, filters=replace(scope.within, media=media), group=True)


def _extreme(question: Question, scope: Scope, by: str, most: bool) -> Reply | None:
    def value(asset: Asset) -> float | str | None:
        if by == "size":
            return float(asset.size)
        if by == "captured":
            return asset.captured or None
        return asset.seconds

    known = [(v, a) for a in scope.assets if question.medium in (None, a.media) and (v := value(a)) is not None]
    if not known:
        return None
    _, chosen = (max if most else min)(known, key=lambda one: one[0])
    moments = scope.store.moments(chosen.id)
    hits = scope.cite(moments[0]) if moments else ()
    return (
        Reply(hits[0].path if hits else chosen.title, 0.95, hits, MODEL)
        if not re.search(r"\bplate\b", question.text)
        else None
    )
