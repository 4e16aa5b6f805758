"""From similarities to relevance: what a number of one leg means beside that leg's calibration."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Calibration

FloatT = TypeVar("FloatT", bound=np.floating)

UNKNOWN = Calibration(mean=0.1, std=0.1, bias=0.5, slope=20.0)
"""For a pair of modalities nobody has measured: cautious."""


def logistic(logit: float) -> float:
    """log-odds → probability, safe at the extremes."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))


def probabilities(log_odds: NDArray[FloatT]) -> NDArray[FloatT]:
    """The same of an array, in its precision."""
    likely: NDArray[FloatT] = 1 / (1 + np.exp(-np.clip(log_odds, -60, 60)))
    return likely


SURE = 0.95
"""Relevance of a text that holds every word of the query: it may still mean something else by them."""


def of_words(coverage: float) -> float:
    """Share of the query's information that a text holds (0..1) → relevance.

    All of it is strong evidence, half of it is not yet any: "red bicycle" is not answered by every "red".
    """
    return SURE * coverage**2


def coverage_for(relevance: float) -> float:
    """The least coverage that gives a relevance."""
    return math.sqrt(min(1.0, relevance / SURE))
