"""How alike a hit and an example are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import Calibration
from crossmedia.retrieval.fusion import Fused, like_first
from crossmedia.retrieval.likeness import LEVELS, Likeness, likeness, most_alike
from crossmedia.retrieval.query import Evidence

CALIBRATION = Calibration(mean=0.0, std=0.1, bias=0.4, slope=10.0)


@pytest.mark.parametrize(
    ("cosine", "level"),
    [(1.0, "same"), (0.99, "same"), (0.9, "near-duplicate"), (0.6, "similar"), (0.45, "same kind"), (0.1, "nearest")],
)
def test_levels(cosine: float, level: Likeness) -> None:
    assert likeness(CALIBRATION, cosine, CALIBRATION.relevance(cosine)) == level


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 0.95), st.floats(1, 60))
def test_what_is_nearer_is_no_less_alike(one: float, other: float, bias: float, slope: float) -> None:
    known = Calibration(0.0, 0.1, bias, slope)
    near, far = (LEVELS.index(likeness(known, x, known.relevance(x))) for x in (max(one, other), min(one, other)))
    assert near <= far


def test_the_leg_that_says_most_counts() -> None:
    assert most_alike(["nearest", None, "same kind"]) == "same kind"
    assert most_alike([None]) is None


def test_like_goes_before_cross_and_the_merely_nearest_last() -> None:
    def fused(moment: str, relevance: float, level: Likeness | None) -> Fused:
        return Fused(moment, relevance, relevance, (Evidence("sound", 0.5, relevance, 1, likeness=level),))

    bark, dog, rain = fused("bark", 0.6, "same kind"), fused("dog", 0.99, None), fused("rain", 0.2, "nearest")
    known = fused("said", 0.9, "nearest")  # another leg is sure of it
    copy = fused("copy", 0.5, "same")
    assert like_first([known, dog, rain, bark, copy]) == [copy, bark, known, dog, rain]
