"""Answer where: the place that a picture shows, where in it something is, the coordinates a camera wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.finding import find_files
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import label_evidence, vectors_of
from crossmedia.retrieval.answering.things import MIN_COUNTED_SCORE, PEOPLE, ground_of, labels_of, thing_of
from crossmedia.retrieval.answering.vocabulary import Vocabulary
from crossmedia.retrieval.documents import Box, Moment
from crossmedia.retrieval.query import Evidence

MODEL: Final = "answers-places@1"
OF_PICTURE: Final = re.compile(
    r"\b(?:taken|photographed|filmed|shot|this|it|picture|photo|photos|image|scene|place|they|he|she|doing)\b"
)
IN_PICTURE: Final = re.compile(r"\bin the (?:photo|picture|image)\b|\bside\b")
WIDE, LOW = 0.3, 0.6
"""Share of a picture from which an area is its ground, and how far down a thing reaches that stands there."""
MIN_PLACE_SHARE: Final = 0.2
"""Probability among places from which the best is given as an answer."""


class Places:
    """Tells places and positions."""

    model: str = MODEL

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower()
        if not scope.single:
            hits = find_files(scope, question.topic, question.medium, 3)
            return Reply(hits[0].path, hits[0].relevance * 0.9, hits, MODEL) if hits and question.medium else None
        located = scope.asset.coordinates if scope.asset else None
        if located and re.search(r"\b(?:taken|photographed|coordinates|country|city)\b", plain):
            cited = scope.cite(scope.moments[0]) if scope.moments else ()
            return Reply("{:.5f}, {:.5f}".format(*located), 0.95, cited, MODEL)
        if re.search(r"\bwhich (?:country|city|town|street)\b|\b(?:country|city) is\b", plain):
            return None
        thing = thing_of(question.topic)
        people = any(word in PEOPLE for word in question.words)
        for moment in scope.stills()[:12]:
            if re.search(r"\bwhere in\b|\bwhich side\b", plain) or (
                thing and not people and not OF_PICTURE.search(plain)
            ):
                reply = self._position(thing.value if thing else "", moment, scope)
                around = self._place(moment, scope, "place") if not IN_PICTURE.search(plain) else None
                if reply and around and around.confidence >= 0.5:
                    return replace(reply, answer=f"{around.answer}, {reply.answer}")
                if reply or around:
                    return reply or around
                continue
            return self._place(moment, scope, "room" if re.search(r"\broom\b", plain) else "place")
        return None

    def _place(self, moment: Moment, scope: Scope, category: str) -> Reply | None:
        vector = vectors_of(scope, [moment]).get(moment.id)
        if vector is None:
            return None
        name, share, relevance = self._vocabulary.rank(category, "", moment, vector, scope)[0]
        if share < MIN_PLACE_SHARE:
            return None
        why = Evidence("common", round(share, 4), round(relevance, 4), 1, query=name, moment=moment.id)
        return Reply(name, share * (0.5 + relevance / 2), scope.cite(moment, [why], relevance), MODEL)

    def _position(self, value: str, moment: Moment, scope: Scope) -> Reply | None:
        objects = [label for label in labels_of(moment, "object", value, MIN_COUNTED_SCORE) if label.box]
        if not objects or objects[0].box is None:
            return None
        text, rests, ground = position(objects[0].box), objects[:1], ground_of(moment)
        if ground and ground.score >= WIDE and objects[0].box[3] > LOW:
            text = f"{'in' if ground.value == 'water' else 'on'} the {ground.value}, {text}"
            rests.append(ground)
        score = objects[0].score
        return Reply(text, score**0.5 * 0.8, scope.cite(moment, [label_evidence(rests, moment)], score), MODEL)


def position(box: Box) -> str:
    """Where in a picture a box lies, in words.

    >>> position((0.0, 0.7, 0.2, 1.0)), position((0.3, 0.3, 0.7, 0.7))
    ('on the left, at the bottom', 'in the middle')
    """
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    across = "on the left" if x < 0.38 else "on the right" if x > 0.62 else ""
    down = "at the top" if y < 0.33 else "at the bottom" if y > 0.67 else ""
    return ", ".join(part for part in (across, down) if part) or "in the middle"
