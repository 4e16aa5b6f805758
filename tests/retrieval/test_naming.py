"""Words of a query that name labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.naming import find_names, relevance


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two dogs", {"dogs": 2, "dog": 2}),
        ("3 big brown dogs", {"dogs": 3, "dog": 3, "big": 3, "brown": 3}),
        ("a couple of people", {"people": 2, "person": 2}),
        ("one bus", {"bus": 1}),
        ("knives", {"knives": 1, "knife": 1}),
        ("grass", {"grass": 1}),
        ("cities", {"cities": 1, "city": 1}),
        ("a 1000 cups", {"1000": 1, "cups": 1, "cup": 1}),
    ],
)
def test_words_and_numbers(text: str, values: dict[str, int]) -> None:
    found = find_names(text).values
    assert {value: found.get(value) for value in values} == values


def test_names_of_several_words() -> None:
    found = find_names("Ada Lovelace with a teddy bear")
    assert {"ada lovelace", "teddy bear", "ada", "bear"} <= found.values.keys()
    coverage, score, named = found.score({"ada lovelace": [0.9], "teddy bear": [0.5], "bear": [0.8]})
    assert (coverage, score, named) == (1.0, pytest.approx(0.7), ("ada lovelace", "teddy bear"))


def test_what_is_counted_is_met_by_as_many() -> None:
    found = find_names("two dogs")
    assert found.score({"dog": [0.9, 0.4]}) == (1.0, 0.4, ("dog",))
    assert found.score({"dog": [0.9]}) == (0.5, 0.9, ("dog",))
    assert found.score({"cat": [0.9]}) == (0.0, 0.0, ())
    assert find_names("one dog").score({"dog": [0.9]})[0] == 1.0
    both = find_names("two dogs on a red sofa").score({"dog": [0.9, 0.8], "sofa": [0.6]})
    assert both[0] == 3 / 4


def test_a_query_that_names_nothing_is_no_leg() -> None:
    assert find_names("").phrases == find_names("?!").phrases == ()
    assert find_names("the of and").phrases == ()


@given(st.text(alphabet="abs 1two,dog\n", max_size=60), st.floats(0, 1))
def test_coverage_is_a_share_and_relevance_none_beyond_it(text: str, score: float) -> None:
    found = find_names(text)
    coverage, sure, named = found.score({value: [score] * count for value, count in found.values.items()})
    assert 0.0 <= coverage <= 1.0
    assert bool(named) == bool(found.phrases)
    assert 0.0 <= relevance(coverage, sure) < 1.0
