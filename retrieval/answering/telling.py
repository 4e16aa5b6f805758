"""Answer what was said or written about something: the sentence, with its second or page."""

from __future__ import annotations

import re
from typing import Final

from crossmedia.retrieval.answering.answerer import Reply
from crossmedia.retrieval.answering.kinds import QuestionKind
from crossmedia.retrieval.answering.passages import (
    DATED,
    LASTING,
    NUMBERED,
    PERSONAL,
    Sentence,
    rank_sentences,
    read_candidates,
)
from crossmedia.retrieval.answering.question import Question, content
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import word_evidence
from crossmedia.retrieval.query import Hit

MODEL: Final = "answers-telling@1"
MAX_QUOTED_SENTENCES: Final = 4
"""Sentences that are told where one asks for all that is said."""
SECOND_SENTENCE_SHARE: Final = 0.85
"""How near another sentence has to come to the best to be told as well, where one asks what was said."""
SHAPES: Final[dict[QuestionKind, tuple[re.Pattern[str], ...]]] = {
    "how many": (NUMBERED,),
    "how long": (NUMBERED, LASTING),
    "when": (DATED,),
    "who": (PERSONAL,),
}
"""What a sentence has to hold to answer such a question."""


class Telling:
    """Quotes the sentence that answers, of speech and documents."""

    model: str = MODEL

    def answer(self, question: Question, scope: Scope) -> Reply | None:
        if not content(question.topic):
            return _quote(question, scope) if question.kind == "what was said" and scope.single else None
        shapes = SHAPES.get(question.kind, ())
        fitting = [
            one for one in rank_sentences(question, scope)[:12] if all(shape.search(one.text) for shape in shapes)
        ]
        if not fitting:
            return None
        best = fitting[0]
        sentences = [best]
        if question.kind in ("what was said", "what does it say"):
            sentences += [
                one
                for one in fitting[1:3]
                if one.sureness >= SECOND_SENTENCE_SHARE * best.sureness and one.moment.asset == best.moment.asset
            ]
        text = " ".join(one.text for one in sorted(sentences, key=_place))
        cited = [hit for one in sentences for hit in cite(one, scope)]
        return Reply(text, best.sureness, tuple(cited), MODEL)


def _quote(question: Question, scope: Scope) -> Reply | None:
    """The first sentences of what is said, in all or in the stretch that is asked about."""
    spoken = sorted((m for m in read_candidates(question, scope) if m.kind == "speech"), key=lambda m: m.start or 0.0)[
        :MAX_QUOTED_SENTENCES
    ]
    if not spoken:
        return None
    cited = [hit for m in spoken for hit in scope.cite(m, [word_evidence(m, m.fields["transcript"], 0.9)], 0.9)]
    return Reply(" ".join(m.fields["transcript"] for m in spoken), 0.9, tuple(cited), MODEL)


def cite(one: Sentence, scope: Scope) -> tuple[Hit, ...]:
    """A sentence as a hit."""
    return scope.cite(one.moment, [word_evidence(one.moment, one.text, one.sureness, one.start, one.end)], one.sureness)


def _place(one: Sentence) -> tuple[str, float, str]:
    return one.moment.asset, one.start or 0.0, one.moment.id
