"""The kinds of question."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

QuestionKind: TypeAlias = Literal[
    "yes/no",
    "how many",
    "what colour",
    "what is",
    "who",
    "when",
    "where",
    "what does it say",
    "what was said",
    "how long",
    "which",
    "summarise",
]
QUESTION_KINDS: Final[tuple[QuestionKind, ...]] = get_args(QuestionKind)
