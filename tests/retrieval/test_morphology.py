"""Plurals and numerals of English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.answering.things import KNOWN
from crossmedia.retrieval.morphology import (
    IRREGULAR_PLURALS,
    MAX_COUNT,
    NUMERALS,
    PLURAL_ONLY,
    parse_number,
    plural,
    singulars,
)

SHORT = {"tv"}
"""Their plurals have three letters, as `gas` and `bus` do."""


@pytest.mark.parametrize("noun", sorted((KNOWN | set(IRREGULAR_PLURALS)) - PLURAL_ONLY - SHORT))
def test_a_plural_leads_back_to_its_noun(noun: str) -> None:
    *before, last = plural(noun).split()
    assert noun in {" ".join([*before, singular]) for singular in singulars(last)}


@pytest.mark.parametrize("noun", sorted(PLURAL_ONLY))
def test_what_is_always_in_the_plural_stays_so(noun: str) -> None:
    assert plural(noun) == noun


@pytest.mark.parametrize("word", ["grass", "bus", "gas", "dog", "class", "s", ""])
def test_short_words_and_double_s_are_no_plurals(word: str) -> None:
    assert list(singulars(word)) == []


def test_numbers_are_read_as_digits_and_as_words() -> None:
    assert [parse_number(word) for word in NUMERALS] == [None, *range(1, 11)]
    assert [parse_number(str(n)) for n in (0, 1, MAX_COUNT, MAX_COUNT + 1)] == [None, 1, MAX_COUNT, None]
    assert parse_number("several") == 3
    assert parse_number("²") is parse_number("two dogs") is parse_number("") is None


@given(st.text(max_size=20))
def test_any_word_may_be_asked_about(word: str) -> None:
    assert all(len(singular) <= max(len(word), 6) for singular in singulars(word))
    count = parse_number(word)
    assert count is None or 1 <= count <= MAX_COUNT
