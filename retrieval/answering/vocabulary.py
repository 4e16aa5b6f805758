"""Names that a picture may be given, by category, each with a caption of such a picture, from `vocabulary.csv`.

The common space tells which of them fits best: classification without examples (A. Radford et al., "Learning
transferable visual models from natural language supervision", 2021).
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import COMMON, Vector, Vectors
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.answering.scope import Scope
from crossmedia.retrieval.answering.sighting import odds
from crossmedia.retrieval.documents import Moment
from crossmedia.retrieval.relevance import probabilities

FILE: Final = Path(__file__).with_name("vocabulary.csv")
PAIRS: Final[tuple[tuple[str, str, str], ...]] = (
    (r"indoors?|inside", "indoors in a room of a house", "outdoors"),
    (r"outdoors?|outside", "outdoors", "indoors in a room of a house"),
    (r"(?:at )?night(?:time)?|dark", "at night in the dark", "during the day in bright light"),
    (r"(?:during the )?day(?:time|light)?", "during the day in bright light", "at night in the dark"),
)
"""What is one or the other: how it is asked, its words, those of its opposite."""
CATEGORY_PATTERNS: Final[tuple[tuple[str, str], ...]] = (
    (r"\b(?:animals?|creature)\b", "animal"),
    (r"\b(?:vehicles?|transport)\b", "vehicle"),
    (r"\bsports?\b|\bgame\b", "sport"),
    (r"\b(?:riding|ride|rides)\b", "riding"),
    (r"\b(?:hold|holding|holds|carrying|in (?:his|her|their) hands?)\b", "holding"),
    (r"\b(?:wear|wearing|wears|dressed)\b", "wearing"),
    (r"\b(?:eat|eating|food|dish)\b", "food"),
    (r"\binstruments?\b", "instrument"),
    (r"\bweather\b", "weather"),
    (r"\btime of (?:the )?day\b", "time"),
    (r"\bseason\b", "season"),
    (r"\b(?:doing|do|happening|going on|happens|activity)\b", "doing"),
    (r"\b(?:place|room|where|location|kind of scene|setting)\b", "place"),
)
"""Which category a question asks for."""


@cache
def categories() -> dict[str, tuple[tuple[str, str], ...]]:
    """Category → (phrase, prompt)."""
    rows_of: dict[str, list[tuple[str, str]]] = {}
    with FILE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            rows_of.setdefault(row["category"], []).append((row["phrase"], row["prompt"]))
    return {name: tuple(some) for name, some in rows_of.items()}


def category_of(text: str) -> str | None:
    """The category that a question asks for.

    >>> category_of("what is the man riding"), category_of("what animal is it"), category_of("what is this")
    ('riding', 'animal', None)
    """
    return next((name for pattern, name in CATEGORY_PATTERNS if re.search(pattern, text.lower())), None)


class Vocabulary:
    """Names with their vectors, each encoded once."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._held: dict[tuple[str, ...], Vectors] = {}

    def rank(
        self, category: str, subject: str, moment: Moment, vector: Vector, scope: Scope
    ) -> list[tuple[str, float, float]]:
        """Names of a category for what a moment shows, likeliest first: the name, its share among them, its own
        relevance.

        `subject`: who or what does it, put before verbs.
        """
        phrases = categories()[category]
        verbal = category in ("doing", "riding", "holding", "wearing", "instrument")
        prompts = tuple(f"{subject} {prompt}".strip() if verbal else prompt for _, prompt in phrases)
        return self._rank([phrase for phrase, _ in phrases], prompts, moment, vector, scope)

    def either(self, asked: str, moment: Moment, vector: Vector, scope: Scope) -> float | None:
        """How likely a moment is what a text of `PAIRS` says rather than the opposite; None where it is none of
        them."""
        prompts = next(((one, other) for pattern, one, other in PAIRS if re.search(rf"\b(?:{pattern})\b", asked)), None)
        if prompts is None:
            return None
        ranked = self._rank(["yes", "no"], prompts, moment, vector, scope)
        return next(share for name, share, _ in ranked if name == "yes")

    def _rank(
        self, names: list[str], prompts: tuple[str, ...], moment: Moment, vector: Vector, scope: Scope
    ) -> list[tuple[str, float, float]]:
        if prompts not in self._held:
            self._held[prompts] = self._profile.text.encode(list(prompts)).vectors[COMMON]
        logits = odds(scope, self._held[prompts], moment, vector)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        own = probabilities(logits)
        order = np.argsort(-shares, kind="stable")
        return [(names[i], float(shares[i]), float(own[i])) for i in order.tolist()]
