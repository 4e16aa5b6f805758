"""Keywords that stand for several things at once, and their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crossmedia.retrieval.documents import Label

APART: Final = "\0"
"""Between the parts of a keyword that stands for several."""
HIGHEST: Final = "\U0010ffff"
COUNTED: Final = 999
"""Labels of a kind and value on one moment that can be counted."""


def folded(value: str) -> str:
    """A label's value as it is compared: without regard to case."""
    return value.casefold().replace(APART, " ")


def label_tokens(labels: Iterable[Label]) -> list[str]:
    """`kind, value, score` as one keyword: a range of keywords is a value with at least a score. `kind, value, n,
    score` is the n-th best score of it: a range of those is at least n of them. The same for each kind, whatever its
    values, under an empty one.
    As quick as nested documents, without the documents (`python -m crossmedia.eval.bench.labels`)."""
    scores: dict[tuple[str, str], list[float]] = {}
    for label in labels:
        for value in dict.fromkeys((folded(label.value), "")):
            scores.setdefault((label.kind, value), []).append(label.score)
    return sorted(
        f"{kind}{APART}{value}{APART}{nth(n)}{scored(score)}"
        for (kind, value), some in scores.items()
        for n, score in enumerate(sorted(some, reverse=True)[:COUNTED], start=1)
    )


def tags(labels: Iterable[Label]) -> list[str]:
    """`kind, value` as one keyword: what is counted."""
    return sorted({f"{label.kind}{APART}{label.value}" for label in labels})


def nth(n: int) -> str:
    """What stands before the n-th best score; nothing before the best, and no score is mistaken for it: # sorts before
    digits."""
    return "" if n == 1 else f"#{n:03d}{APART}"


def scored(score: float) -> str:
    return f"{min(max(score, 0.0), 1.0):.6f}"


def label_prefix(kind: str, value: str) -> str:
    return f"{kind}{APART}{folded(value)}{APART}"
