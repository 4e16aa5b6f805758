"""The built-in answerer, without a language model: the kind of question chooses who answers, confidence who is
believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.question_kinds import QuestionKinds
from crossmedia.retrieval.answering.answerer import MIN_CONFIDENCE, Answerer, Reply, abstain
from crossmedia.retrieval.answering.colours import Colouring
from crossmedia.retrieval.answering.counting import Counting
from crossmedia.retrieval.answering.finding import Finding
from crossmedia.retrieval.answering.foreign import ForeignAnswerers
from crossmedia.retrieval.answering.kinds import QuestionKind
from crossmedia.retrieval.answering.naming_people import People
from crossmedia.retrieval.answering.places import Places
from crossmedia.retrieval.answering.presence import Presence
from crossmedia.retrieval.answering.question import Question, parse_question, understand
from crossmedia.retrieval.answering.reading import Reading
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.seeing import Seeing
from crossmedia.retrieval.answering.summarising import Summarising
from crossmedia.retrieval.answering.telling import Telling
from crossmedia.retrieval.answering.times import HowLong, When
from crossmedia.retrieval.answering.visual import Looks, Visual
from crossmedia.retrieval.answering.vocabulary import Vocabulary

MODEL: Final = "answers-builtin@1"
MIN_KIND_SHARE: Final = 0.25
"""A kind of question that is as likely as this is tried after the likeliest, where that has no answer."""
VISUAL_KINDS: Final[tuple[QuestionKind, ...]] = ("how many", "what colour", "what is", "where", "which", "who")
"""Kinds of question that the learned answerer of pictures has learned."""


class BuiltIn:
    """Answers by kind. `sentences`: the built-in text tower, whose sentence vectors tell kinds, whatever the profile
    has."""

    model: str = MODEL

    def __init__(self, profile: Profile, sentences: Encoder[str], looks: Looks | None = None) -> None:
        self._kinds = QuestionKinds()
        self._sentences = sentences
        self._visual = Visual(looks) if looks is not None else None
        self._foreign = ForeignAnswerers(profile)
        vocabulary = Vocabulary(profile)
        telling, seeing, counting = Telling(), Seeing(vocabulary), Counting()
        self._by_kind: Mapping[QuestionKind, Sequence[Answerer]] = {
            "yes/no": (Presence(vocabulary),),
            "how many": (counting, telling),
            "what colour": (Colouring(), telling),
            "what is": (seeing, telling),
            "who": (People(), telling),
            "when": (When(),),
            "where": (Places(vocabulary), telling),
            "what does it say": (Reading(), telling),
            "what was said": (telling,),
            "how long": (HowLong(),),
            "which": (Finding(), seeing, telling),
            "summarise": (Summarising(), telling),
        }

    def parse(self, text: str) -> list[Question]:
        """The question as its likely kinds have it, likeliest first."""
        vector = self._sentences.encode([text]).vectors["text"][0]
        shares = self._kinds.classify(vector)
        first = understand(text, shares)
        others = [kind for kind, share in shares[:3] if share >= MIN_KIND_SHARE and kind != first.kind]
        return [first, *(parse_as(text, kind, dict(shares)[kind]) for kind in others)]

    def reply(self, text: str, scope: Scope) -> tuple[Question, Reply]:
        """The question as it was understood, and the answer; one that nothing tells is abstained from."""
        questions = self.parse(text)
        for question in questions:
            reply = (
                self._foreign.answer_claimed(question, scope)
                or self._own(question, scope)
                or self._foreign.of_kind(question, scope)
            )
            if reply is not None:
                return question, reply
        return questions[0], abstain(questions[0], scope, self.model)

    def _own(self, question: Question, scope: Scope) -> Reply | None:
        """The first confident answer; the last answerer is heard in any case, and believed where it is surer."""
        *earlier, last = self._answerers(question.kind)
        replies = (answerer.answer(question, scope) for answerer in earlier)
        first = next((one for one in replies if one is not None and one.confidence >= MIN_CONFIDENCE), None)
        final = last.answer(question, scope)
        if final is None or final.confidence < MIN_CONFIDENCE:
            return first
        return final if first is None or final.confidence > first.confidence else first

    def _answerers(self, kind: QuestionKind) -> Sequence[Answerer]:
        if self._visual is None or kind not in VISUAL_KINDS:
            return self._by_kind[kind]
        return *self._by_kind[kind], self._visual


def parse_as(text: str, kind: str, share: float) -> Question:
    """Parse a question as if it were of another kind."""
    return parse_question(text, kind, share)  # type: ignore[arg-type]
