"""Measures of a ranking: what was returned, best first, against the set of what is relevant. A repeated item counts
once.

>>> success_at(["b", "a", "c"], {"a"}, 1), success_at(["b", "a", "c"], {"a"}, 2)
(0.0, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np

ItemT = TypeVar("ItemT")


def success_at(ranking: Sequence[ItemT], relevant: Collection[ItemT], k: int) -> float:
    """1 if any relevant item is among the first k. What the captioning literature calls R@k, where several captions
    fit one picture.

    >>> success_at(["x", "a"], {"a", "b"}, 2)
    1.0
    """
    return float(any(item in relevant for item in ranking[:k]))


def reciprocal_rank(ranking: Sequence[ItemT], relevant: Collection[ItemT]) -> float:
    """1 / rank of the first relevant item, 0 if there is none; its mean over queries is MRR.

    >>> reciprocal_rank(["x", "a"], {"a"})
    0.5
    """
    return next((1 / rank for rank, item in enumerate(ranking, start=1) if item in relevant), 0.0)


def average_precision(ranking: Sequence[ItemT], relevant: Collection[ItemT]) -> float:
    """Mean over the relevant items of the precision at their rank (0 for those not returned); its mean is mAP.

    >>> round(average_precision(["a", "x", "b"], {"a", "b"}), 4)
    0.8333
    """
    if not relevant:
        return 0.0
    found, total = 0, 0.0
    for rank, item in enumerate(dict.fromkeys(ranking), start=1):
        if item in relevant:
            found += 1
            total += found / rank
    return total / len(relevant)


def ndcg_at(ranking: Sequence[ItemT], gains: Mapping[ItemT, float], k: int) -> float:
    """Discounted gain of the first k over that of the best order (Järvelin & Kekäläinen 2002), log base 2.

    >>> ndcg_at(["a", "b"], {"a": 1.0, "b": 1.0}, 2)
    1.0
    """
    ideal = sum(
        gain / math.log2(rank + 1) for rank, gain in enumerate(sorted(gains.values(), reverse=True)[:k], start=1)
    )
    if ideal == 0:
        return 0.0
    once = list(dict.fromkeys(ranking))[:k]
    return sum(gains.get(item, 0.0) / math.log2(rank + 1) for rank, item in enumerate(once, start=1)) / ideal


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def precision_at(ranking: Sequence[ItemT], relevant: Collection[ItemT], k: int) -> float:
    """Share of relevant items among the first k places, empty places counting as wrong.

    >>> precision_at(["a", "x", "b"], {"a", "b"}, 4)
    0.5
    """
    return sum(item in relevant for item in ranking[:k]) / k


def first_rank(ranking: Sequence[ItemT], relevant: Collection[ItemT]) -> int | None:
    """Rank of the first relevant item, counted from 1; None if there is none. Its median is medR.

    >>> first_rank(["x", "a"], {"a"})
    2
    """
    return next((rank for rank, item in enumerate(ranking, start=1) if item in relevant), None)


def interval(values: Sequence[float], resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """95 % confidence interval of the mean by the percentile bootstrap over queries (Efron 1979)."""
    if not values:
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    array = np.asarray(values, dtype=np.float64)
    means = np.array([array[rng.integers(0, len(array), len(array))].mean() for _ in range(resamples)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
