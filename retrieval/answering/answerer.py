"""The answerer protocol: a question and a scope in, an answer with its evidence out, or None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.query import Hit

CANNOT_TELL: Final = "The indexed files do not answer this question."
"""What is said where there is too little evidence."""
MIN_CONFIDENCE: Final = 0.5
"""Confidence from which an answer is given: below, it is as likely wrong as right."""


@dataclass(frozen=True)
class Reply:
    """An answer, how likely it is right in [0, 1], what it rests on (best first), and who gave it.

    `model` is an id and revision; `notes`: what the asker should know beside it.
    """

    answer: str
    confidence: float
    citations: tuple[Hit, ...]
    model: str
    notes: tuple[str, ...] = ()
    answered: bool = True


class Answerer(Protocol):
    """Answers some kinds of question. None says that it knows nothing to say; a guess is a Reply of little
    confidence."""

    model: str

    def answer(self, question: Question, scope: Scope) -> Reply | None: ...


def best_of(replies: Sequence[Reply | None]) -> Reply | None:
    """The one of most confidence; of equals the first."""
    said = [reply for reply in replies if reply is not None]
    return max(said, key=lambda reply: reply.confidence, default=None)


def abstain(question: Question, scope: Scope, model: str, notes: Sequence[str] = ()) -> Reply:
    """The reply that the indexed files do not answer, with the nearest hits."""
    nearest = scope.nearest(question.topic or question.text)
    return Reply(CANNOT_TELL, 0.0, nearest, model, tuple(notes), answered=False)
