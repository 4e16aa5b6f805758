"""Scores of names: what is ordinary in a collection counts, and what an example shows."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Calibration, Vectors, normalise
from crossmedia.retrieval.vocabularies.scoring import (
    MAX_LABELS,
    MIN_SAMPLE,
    MIN_SCORE,
    POOLED,
    Scorer,
    Weights,
    sample_step,
    standard_scores,
)

DIM = 8
CALIBRATION = Calibration(mean=0.0, std=0.1, bias=0.3, slope=20.0)


def pictures(count: int, seed: int = 1) -> Vectors:
    return normalise(np.random.default_rng(seed).normal(size=(count, DIM)))


def scorer(labels: int, ordinary: Vectors, **more: object) -> Scorer:
    names = pictures(labels, seed=2)
    return Scorer([f"label{n}" for n in range(labels)], names, ordinary, POOLED, CALIBRATION, **more)  # type: ignore[arg-type]


def expected(weights: Weights, names: Vectors, ordinary: Vectors, shown: Vectors) -> Vectors:
    near = standard_scores(names, ordinary, CALIBRATION)
    prior = weights.mean * near.mean(axis=0) + weights.std * near.std(axis=0) + weights.constant
    odds = weights.score * standard_scores(names, shown, CALIBRATION) + np.minimum(prior, weights.max_prior)
    return 1 / (1 + np.exp(-odds))


def test_a_score_is_that_of_the_regression() -> None:
    ordinary, shown = pictures(MIN_SAMPLE, seed=3), pictures(5, seed=4)
    found = scorer(6, ordinary).scores(shown)
    assert np.allclose(found, expected(POOLED.with_sample, pictures(6, seed=2), ordinary, shown), atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, MIN_SAMPLE - 1])
def test_few_pictures_tell_nothing_of_what_is_ordinary(count: int) -> None:
    shown = pictures(5, seed=4)
    found = scorer(6, pictures(count, seed=3)).scores(shown)
    assert np.allclose(
        found, expected(POOLED.without_sample, pictures(6, seed=2), pictures(MIN_SAMPLE), shown), atol=1e-4
    )


def test_no_name_is_likelier_beforehand_than_where_it_was_fitted() -> None:
    """All pictures of a collection are near to a name: what is a little less near does not show it."""
    [name] = pictures(1, seed=2)
    alike = normalise(name + 0.1 * pictures(MIN_SAMPLE, seed=3))
    unbounded = POOLED._replace(with_sample=POOLED.with_sample._replace(max_prior=np.inf))
    farther = normalise(0.2 * name[None] + pictures(1, seed=5))
    given = [Scorer(["dog"], name[None], alike, one, CALIBRATION).scores(farther)[0, 0] for one in (unbounded, POOLED)]
    assert given[1] < given[0]
    assert given[1] == pytest.approx(expected(POOLED.with_sample, name[None], alike, farther)[0, 0], abs=1e-4)


def test_the_best_labels_are_kept_and_only_probable_ones() -> None:
    many = scorer(200, pictures(MIN_SAMPLE, seed=3))
    shown = pictures(600, seed=4)
    for row, found in zip(many.scores(shown), many.find(shown), strict=True):
        kept = [score for _, score in found]
        assert kept == sorted(kept, reverse=True)
        assert len(kept) == min(MAX_LABELS, int((row >= MIN_SCORE).sum()))
        assert all(row[int(label.removeprefix("label"))] == pytest.approx(score) for label, score in found)
    assert many.find(pictures(0)) == []


def test_what_is_like_an_example_shows_it_and_nothing_less() -> None:
    example, other = pictures(2, seed=9)
    alike = Calibration(mean=0.0, std=0.1, bias=0.9, slope=50.0)
    with_example = scorer(3, pictures(MIN_SAMPLE, seed=3), examples=[(1, example), (1, other)], alike=alike)
    without = scorer(3, pictures(MIN_SAMPLE, seed=3))
    shown = np.stack([example, other, -example])
    difference = with_example.scores(shown) - without.scores(shown)
    assert (with_example.scores(shown)[:2, 1] > 0.99).all()
    assert (difference[:, [0, 2]] == 0).all()
    assert difference[2, 1] == 0


def test_a_collection_is_measured_again_when_it_has_grown_fourfold() -> None:
    assert [sample_step(count) for count in (0, 19, 20, 79, 80, 320, 1_000, 10**7)] == [0, 0, 1, 1, 2, 3, 3, 3]
