"""Answer what something says: writing in pictures, plates, documents."""

from __future__ import annotations

import re
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.finding import find_files
from crossmedia.retrieval.answering.question import Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import label_evidence, word_evidence
from crossmedia.retrieval.answering.telling import Telling
from crossmedia.retrieval.answering.things import labels_of
from crossmedia.retrieval.documents import Label, Moment

MODEL: Final = "answers-reading@1"
PLATE: Final = re.compile(r"\b(?:plate|plates|registration|licence|license)\b")
NUMBER: Final = re.compile(r"\bnumbers?\b")
MIN_TEXT_SCORE: Final = 0.6
"""Score from which a line of writing is read out."""
MAX_READ_CHARACTERS: Final = 400
"""Characters that are read out."""


class Reading:
    """Tells writing as it was read."""

    model: str = MODEL

    def __init__(self) -> None:
        self._telling = Telling()

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        plain = question.text.lower()
        moments: list[Moment] = list(scope.moments)
        if not scope.single:
            reply = self._telling.answer(question, scope)
            if reply is not None and reply.confidence >= 0.5:
                return reply
            hits = find_files(scope, question.topic, question.medium, 3)
            moments = [m for hit in hits for m in scope.store.load([hit.moment]).values()]
        if PLATE.search(plain):
            return _plate(moments, scope)
        if re.search(r"\btitle\b", plain) and scope.asset is not None:
            return Reply(scope.asset.title, 0.9, scope.cite(moments[0]) if moments else (), MODEL)
        written = [(m, label) for m in moments for label in labels_of(m, "text", None, MIN_TEXT_SCORE)]
        if written:
            return _read_writing(written, NUMBER.search(plain) is not None, scope)
        if scope.asset is not None and scope.asset.media == "text":
            about = [word for word in content(question.topic) if word not in ("page", "document", "title", "heading")]
            return self._telling.answer(question, scope) if about else _beginning(scope)
        return None


def _plate(moments: list[Moment], scope: Scope) -> Reply | None:
    plates = [(m, label) for m in moments for label in labels_of(m, "plate")]
    if not plates:
        return None
    moment, best = max(plates, key=lambda one: one[1].score)
    return Reply(
        best.value, max(0.5, best.score), scope.cite(moment, [label_evidence([best], moment)], best.score), MODEL
    )


def _read_writing(written: list[tuple[Moment, Label]], numbers: bool, scope: Scope) -> Reply | None:
    first = written[0][0]
    lines = [label for moment, label in written if moment.id == first.id]
    if numbers:
        lines = [line for line in lines if re.search(r"\d", line.value)]
        if not lines:
            return None
    # In the order in which it is read, not by score.
    order = [label for label in first.labels if label in lines]
    text = " ".join(label.value for label in order)
    sure = sum(label.score for label in lines) / len(lines)
    shown = text if len(text) <= MAX_READ_CHARACTERS else text[: MAX_READ_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
    return Reply(shown, sure * 0.9, scope.cite(first, [label_evidence(order, first)], sure), MODEL)


def _beginning(scope: Scope) -> Reply | None:
    pages = [m for m in scope.moments if m.kind == "paragraph" and m.fields.get("text")]
    if not pages:
        return None
    text = pages[0].fields["text"]
    shown = text if len(text) <= MAX_READ_CHARACTERS else text[: MAX_READ_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
    return Reply(shown, 0.7, scope.cite(pages[0], [word_evidence(pages[0], shown, 0.7)]), MODEL)
