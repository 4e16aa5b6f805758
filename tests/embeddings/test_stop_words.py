"""The lists of words that carry no meaning."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from crossmedia.embeddings import stop_words

LISTS = tomllib.loads(Path(stop_words.__file__).with_suffix(".toml").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_list_is_sorted_lower_case_and_names_no_word_twice(name: str) -> None:
    words = LISTS[name].split()
    assert words == sorted(set(words))
    assert all(word.isalpha() and word == word.lower() for word in words)
    assert all(word.isascii() for word in words) or name == "unspaced"


def test_words_of_a_question_do_not_repeat_those_of_a_query() -> None:
    assert not set(LISTS["question"].split()) & stop_words.STOP_WORDS
    assert stop_words.QUESTION_WORDS > stop_words.STOP_WORDS
