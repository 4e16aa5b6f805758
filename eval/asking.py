"""Ask the benchmark's questions and score the answers: right, wrong, or left open.

Half of the questions (odd numbers) may be looked at while the answerer is tuned; the other half only counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossmedia.api.service import Service
from crossmedia.api.use_cases.asking import AskRequest
from crossmedia.embeddings.catalog import sha256
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.questions import BenchmarkQuestion, is_right, questions


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question with what was answered."""

    asked: BenchmarkQuestion
    answer: str
    answered: bool
    confidence: float
    kind: str
    model: str
    right: bool
    cited: bool
    seconds: float

    @property
    def answerable(self) -> bool:
        return bool(self.asked.answers)


def ask_all(service: Service, folder: Path, tell: Callable[[str], None]) -> list[AnsweredQuestion]:
    """Every question, put to a service in which the corpus in `folder` is indexed."""
    answered = []
    for number, one in enumerate(questions(), start=1):
        started = time.perf_counter()
        asset = sha256(folder / one.scope) if one.scope else None
        answer = service.asking.ask(AskRequest(question=one.text, asset=asset))
        paths = [hit.path for hit in answer.citations]
        good = answer.answered and is_right(one, answer.answer, paths)
        seconds = time.perf_counter() - started
        answered.append(
            AnsweredQuestion(
                one,
                answer.answer.replace(f"{folder}/", ""),
                answer.answered,
                answer.confidence,
                answer.kind,
                answer.model,
                good,
                bool(paths),
                seconds,
            )
        )
        if number % 50 == 0:
            tell(f"{number} questions")
    return answered


def sections(told: list[AnsweredQuestion]) -> list[Section]:
    """All, the half that was never looked at, by kind, and what is worth a look."""
    parts = []
    for title, some in (
        ("All questions", told),
        ("The half that tuning never saw", [t for t in told if t.asked.number % 2 == 0]),
    ):
        can, cannot = [t for t in some if t.answerable], [t for t in some if not t.answerable]
        said = [t for t in can if t.answered]
        figures = (
            share("right, of those that can be answered", [t.right for t in can]),
            share("answered, of those that can be", [t.answered for t in can]),
            share("right, of what was answered", [t.right for t in said]),
            share("left open, of those that nothing tells", [not t.answered for t in cannot], "90 %"),
            share("answers that cite something", [t.cited for t in said]),
            share("kind told as it was written down", [t.kind == t.asked.kind for t in can]),
            Figure("time of an answer, mean", sum(t.seconds for t in some) / len(some), "s", len(some)),
            Figure("confidence less how often right, mean", _gap(said), "", len(said)),
        )
        parts.append(Section(title, "eval/questions.csv", figures, (), sum(t.seconds for t in some)))
    kinds = sorted({t.asked.kind for t in told})
    by_kind = tuple(share(kind, [t.right for t in told if t.answerable and t.asked.kind == kind]) for kind in kinds)
    odd = [t for t in told if t.asked.number % 2 == 1]
    missed = tuple(_line(t) for t in odd if (not t.right if t.answerable else t.answered))
    parts.append(Section("By kind", "Right, of those that can be answered.", by_kind, missed))
    return parts


def _gap(said: list[AnsweredQuestion]) -> float:
    """Mean confidence beyond the share that is right."""
    return (
        round(sum(t.confidence for t in said) / len(said) - sum(t.right for t in said) / len(said), 4) if said else 0.0
    )


def _line(t: AnsweredQuestion) -> str:
    wanted = " or ".join(t.asked.answers) or "nothing tells"
    said = f"{t.answer} ({t.confidence:.2f}, {t.kind}, {t.model})"
    return f"{t.asked.number} `{t.asked.scope or 'all'}` {t.asked.text} → {said}; {wanted}"
