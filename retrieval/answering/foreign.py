"""Ask answerers of other packages, without letting their failures spoil an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crossmedia.embeddings.extensions import (
    ANSWERERS,
    Extension,
    ExtensionBroken,
    Extensions,
    blaming,
    collect,
    extensions,
)
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.answering.answerer import MIN_CONFIDENCE, Answerer, Reply
from crossmedia.retrieval.answering.kinds import QuestionKind
from crossmedia.retrieval.answering.question import Question
from crossmedia.retrieval.answering.scope import Scope


@dataclass(frozen=True, kw_only=True)
class AnswererSpec:
    """An answerer before it is built.

    It is asked first of all what it `claims` (the question in lower case), of whatever kind that is; and, where nobody
    of ours has an answer, questions of its `kinds`.
    """

    name: str
    build: Callable[[Profile], Answerer]
    kinds: tuple[QuestionKind, ...] = ()
    claims: Callable[[str], bool] | None = None


def foreign_answerers() -> Extensions[AnswererSpec]:
    """The answerers of other packages."""
    return extensions(ANSWERERS, AnswererSpec)


class ForeignAnswerers:
    """Those that are installed; one that fails has no answer, and the log says why. Raises ExtensionConflict."""

    def __init__(self, profile: Profile) -> None:
        self._built = list(_build(profile))

    def answer_claimed(self, question: Question, scope: Scope) -> Reply | None:
        """The first confident answer of those that claim the question."""
        return self._first(question, scope, _claims)

    def of_kind(self, question: Question, scope: Scope) -> Reply | None:
        """The first confident answer of those that answer questions of its kind."""
        return self._first(question, scope, lambda spec, asked: asked.kind in spec.kinds)

    def _first(self, question: Question, scope: Scope, meant: Callable[[AnswererSpec, Question], bool]) -> Reply | None:
        for extension, answerer in self._built:
            try:
                with blaming(extension):
                    reply = answerer.answer(question, scope) if meant(extension.declared, question) else None
            except ExtensionBroken:
                continue
            if reply is not None and reply.confidence >= MIN_CONFIDENCE:
                return reply
        return None


def _claims(spec: AnswererSpec, question: Question) -> bool:
    return spec.claims is not None and spec.claims(question.text.lower())


def _build(profile: Profile) -> Iterator[tuple[Extension[AnswererSpec], Answerer]]:
    for extension in collect((), foreign_answerers()).values():
        try:
            with blaming(extension):
                answerer = extension.declared.build(profile)
        except ExtensionBroken:
            continue
        yield extension, answerer
