"""Answer when something is said or seen, when a file was made, how long it is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply, best_of
from crossmedia.retrieval.answering.finding import find_files
from crossmedia.retrieval.answering.passages import Sentence, rank_sentences
from crossmedia.retrieval.answering.question import MEDIA_WORDS, Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.telling import Telling, cite
from crossmedia.retrieval.clock import clock
from crossmedia.retrieval.documents import Asset
from crossmedia.retrieval.query import Hit

TIMES_MODEL: Final = "answers-times@1"
TAKEN_PATTERN: Final = re.compile(r"\b(?:taken|made|recorded|created|shot|photographed|captured|dated?|filmed)\b")
MENTION_PATTERN: Final = re.compile(
    r"\b(?:mention\w*|said|sa(?:y|ys)|talk\w*|spoken|speaks?|told|tells?|hear\w*|appear\w*|see|seen|shown?|visible|second|minute|point)\b"
)
MIN_MENTION: Final = 0.6
"""Coverage or relevance from which a sentence is where something is mentioned."""


class When:
    """Seconds, dates of capture, and times that are told."""

    model: str = TIMES_MODEL

    def __init__(self) -> None:
        self._telling = Telling()

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower()
        if TAKEN_PATTERN.search(plain) and (scope.single or question.medium) and not MENTION_PATTERN.search(plain):
            return _capture_time(question, scope)
        reply = self._telling.answer(question, scope)
        if MENTION_PATTERN.search(plain) or (
            scope.asset is not None and scope.asset.media in ("audio", "video") and reply is None
        ):
            return best_of([_find_mention(question, scope), _find_appearance(question, scope)]) or reply
        return reply


class HowLong:
    """Lengths of files, and what is told to take how long."""

    model: str = TIMES_MODEL

    def __init__(self) -> None:
        self._telling = Telling()

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower().rstrip(" ?!.")
        about = [
            w
            for w in content(question.topic)
            if w not in ("long", "last", "longest", "shortest", "length", "duration", "run", "runs")
        ]
        if scope.asset is not None and not about:
            return _length(scope.asset, scope)
        superlative = re.search(r"\b(longest|shortest)\b", plain)
        if superlative and not scope.single:
            return _extreme(question, scope, superlative[1])
        reply = self._telling.answer(question, scope)
        if reply is not None and reply.confidence >= 0.5:
            return reply
        named = re.match(r"(?:how long|what).*\b(?:" + "|".join(MEDIA_WORDS) + r")\b", plain)
        if named and not scope.single and about:
            hits = find_files(scope, " ".join(about), question.medium, 1)
            asset = scope.store.asset(hits[0].asset) if hits else None
            if asset is not None:
                length = _length(asset, scope)
                return None if length is None else replace(length, confidence=hits[0].relevance * 0.9, citations=hits)
        return reply


def _find_mention(question: Question, scope: Scope) -> Reply | None:
    """The second in which a sentence mentions the topic."""
    topic = [word for word in content(question.topic) if not MENTION_PATTERN.fullmatch(word)]
    if not topic:
        return None
    narrowed = replace(question, topic=" ".join(topic))
    timed = [one for one in rank_sentences(narrowed, scope) if one.start is not None]
    held = [one for one in timed if one.coverage >= MIN_MENTION or one.sureness >= 0.6]
    if not held:
        return None
    best = max(held, key=lambda one: (round(one.coverage, 1), one.sureness))
    first = min(
        (one for one in held if one.coverage >= best.coverage - 0.05 and one.moment.asset == best.moment.asset),
        key=_start,
    )
    start = _word_start(first, topic)
    return Reply(
        f"{start:.1f} s ({clock(start)})", max(first.sureness, 0.9 * first.coverage), cite(first, scope), TIMES_MODEL
    )


def _find_appearance(question: Question, scope: Scope) -> Reply | None:
    """The second in which a video first shows the topic."""
    topic = " ".join(word for word in content(question.topic) if not MENTION_PATTERN.fullmatch(word))
    filters = replace(scope.within, kinds=("shot", "frame", "sound"))
    hits = scope.find(topic, 5, filters=filters) if topic and scope.shown is None else ()
    if not hits or hits[0].start is None:
        return None
    first = min((hit for hit in hits if hit.relevance >= 0.8 * hits[0].relevance), key=lambda hit: hit.start or 0.0)
    return Reply(f"{first.start or 0.0:.1f} s ({clock(first.start or 0.0)})", first.relevance, (first,), TIMES_MODEL)


def _capture_time(question: Question, scope: Scope) -> Reply | None:
    asset = scope.asset
    cited: tuple[Hit, ...] = ()
    if asset is None:
        hits = find_files(scope, question.topic, question.medium, 1)
        asset, cited = (scope.store.asset(hits[0].asset), hits) if hits else (None, ())
    if asset is None or not asset.captured or "+" in asset.captured:
        return None  # a date with an offset is the file's, not the camera's
    cited = cited or (scope.cite(scope.moments[0]) if scope.moments else ())
    return Reply(asset.captured.replace("T", " "), 0.95, cited, TIMES_MODEL)


def _length(asset: Asset, scope: Scope) -> Reply | None:
    seconds = asset.seconds
    if seconds is None:
        return None
    moments = scope.store.moments(asset.id)
    return Reply(f"{seconds:.1f} s ({clock(seconds)})", 0.99, scope.cite(moments[0]) if moments else (), TIMES_MODEL)


def _extreme(question: Question, scope: Scope, which: str) -> Reply | None:
    media = (question.medium,) if question.medium else ("audio", "video")
    timed = [(a.seconds, a.id, a) for a in scope.assets if a.media in media and a.seconds is not None]
    if not timed:
        return None
    return _length((max if which == "longest" else min)(timed)[2], scope)


def _start(one: Sentence) -> float:
    return one.start or 0.0


def _word_start(one: Sentence, topic: list[str]) -> float:
    """When the first of the words is said."""
    for word in one.moment.words:
        if word.start >= (one.start or 0.0) - 0.05 and word.text.strip(" .,!?;:\"'").lower() in topic:
            return word.start
    return one.start or 0.0
