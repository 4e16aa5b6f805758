"""Answer questions about pictures with the trained network."""

from __future__ import annotations

from typing import Final, Protocol

from crossmedia.embeddings.media import Picture
from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.documents import Moment

STILLS: Final = 3
"""Key frames of a video that are looked at."""
HITS: Final = 1
"""Pictures of a collection that are looked at: the one that the question finds."""


class Looks(Protocol):
    """What `embeddings.visual_answers.VisualAnswers` does: answers to a question about a picture with their
    probabilities."""

    model: str

    def answer(self, picture: Picture, question: str) -> list[tuple[str, float]]: ...


class Visual:
    """Says what the network says, as surely as the network is right at that."""

    def __init__(self, network: Looks) -> None:
        self._network = network
        self.model = network.model

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        best: Reply | None = None
        for moment, fit in self._moments(question, scope):
            picture = scope.picture(moment)
            answers = self._network.answer(picture, question.text) if picture is not None else []
            if answers and (best is None or answers[0][1] * fit > best.confidence):
                text, probability = answers[0]
                best = Reply(text, probability * fit, scope.cite(moment, (), probability), self.model)
        return best

    def _moments(self, question: Question, scope: Scope) -> list[tuple[Moment, float]]:
        """What is looked at, and how likely the question is about it."""
        if scope.single:
            return [(m, 1.0) for m in scope.stills()[:STILLS]]
        hits = [hit for hit in scope.find(question.topic, HITS) if hit.media in ("image", "video")]
        loaded = scope.store.load([hit.moment for hit in hits])
        return [(loaded[hit.moment], hit.relevance) for hit in hits if hit.moment in loaded]
