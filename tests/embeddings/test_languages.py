"""Which encoder reads a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.languages import Languages, main_script

KNOWN = frozenset("a the dog dogs two in snow running red hand".split())


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages(KNOWN.__contains__)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("a dog", "LATIN"),
        ("狗在雪地里", "CJK"),
        ("犬が雪の中を走る", "HIRAGANA"),
        ("собака", "CYRILLIC"),
        ("كلب في الثلج", "ARABIC"),
        ("สุนัข", "THAI"),
        ("한국어", "HANGUL"),
        ("iPhone 里的照片都在这里", "CJK"),
        ("2021-03-04 🐕", None),
        ("", None),
    ],
)
def test_the_script_of_most_letters(text: str, script: str | None) -> None:
    assert main_script(text) == script


@pytest.mark.parametrize(
    "text",
    [
        "two dogs running in the snow",
        "DOGS!",
        "an invoice from the water company of last year",
        "xylophone",
        "",
        "12:30",
        "…",
        "Where was this photograph taken, and by whom?",
    ],
)
def test_english_is_read_as_english(languages: Languages, text: str) -> None:
    assert languages.reader(text) == "english"


@pytest.mark.parametrize(
    "text",
    [
        "狗",
        "Ein Hund läuft durch den Schnee.",
        "Leuchtturm",
        "un perro corre por la nieve",
        "Deux chiens jouent dans la neige",
        "собака в снегу",
        "كلب",
        "雪の中の犬",
        "눈 속의 개",
        "สุนัขวิ่งในหิมะ",
    ],
)
def test_other_languages_are_read_by_the_other_encoder(languages: Languages, text: str) -> None:
    assert languages.reader(text) == "multilingual"


@pytest.mark.parametrize("text", ["Ένας σκύλος τρέχει", "कुत्ता बर्फ में दौड़ता है", "כלב רץ בשלג", "ძაღლი"])
def test_scripts_that_neither_reads(languages: Languages, text: str) -> None:
    assert languages.reader(text) == "none"


@given(st.text(max_size=200))
def test_any_text_has_a_reader(text: str) -> None:
    assert LANGUAGES.reader(text) in ("english", "multilingual", "none")


LANGUAGES = Languages(KNOWN.__contains__)
