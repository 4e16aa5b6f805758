from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.eval.metrics import average_precision, mean, ndcg_at, reciprocal_rank, success_at

rankings = st.lists(st.integers(0, 30), unique=True)
relevants = st.sets(st.integers(0, 30), min_size=1)


def test_by_hand() -> None:
    ranking, relevant = ["x", "a", "y", "b", "z"], {"a", "b", "c"}
    assert [success_at(ranking, relevant, k) for k in (1, 2)] == [0, 1]
    assert reciprocal_rank(ranking, relevant) == 0.5
    assert average_precision(ranking, relevant) == pytest.approx((1 / 2 + 2 / 4) / 3)
    gains = {"a": 3.0, "b": 1.0}
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg_at(ranking, gains, 5) == pytest.approx((3 / math.log2(3) + 1 / math.log2(5)) / best)
    assert mean([]) == 0


@given(rankings, relevants, st.integers(1, 40))
def test_bounds_and_order(ranking: list[int], relevant: set[int], k: int) -> None:
    assert success_at(ranking, relevant, k) <= success_at(ranking, relevant, k + 1) <= 1
    assert 0 <= average_precision(ranking, relevant) <= 1
    assert 0 <= ndcg_at(ranking, dict.fromkeys(relevant, 1.0), k) <= 1 + 1e-9


@given(relevants)
def test_perfect_ranking_is_one(relevant: set[int]) -> None:
    ranking = [*sorted(relevant), 99]
    assert reciprocal_rank(ranking, relevant) == 1
    assert average_precision(ranking, relevant) == pytest.approx(1)
    assert ndcg_at(ranking, dict.fromkeys(relevant, 2.0), len(ranking)) == pytest.approx(1)


def test_repeated_item_counts_once() -> None:
    assert average_precision(["a", "a"], {"a"}) == 1
    assert ndcg_at(["a", "a"], {"a": 1.0}, 2) == 1


def test_nothing_relevant_is_zero() -> None:
    assert (
        success_at([1], set(), 1)
        == average_precision([1], set())
        == ndcg_at([1], {}, 1)
        == reciprocal_rank([1], set())
        == 0
    )
