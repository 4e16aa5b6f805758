"""Terms of texts in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.retrieval import analysis, wording
from crossmedia.retrieval.analysis import Token

SCRIPTS = st.text(
    st.one_of(
        st.characters(),
        st.characters(max_codepoint=0x24F),
        st.sampled_from(
            "灯塔停電气氣狗々〇ラらｶﾞﾊﾟー등대가각ภาษาไทยกำນຳ မြန်မာភ"
            "ាសាالْمَدِينَةأإىیکشָלוֹם _-ßÆéЁё½²ﷺﬁ１Ａ\u0301\u3099\u00ad\u200d"
        ),
    )
)
FORMS = [
    ("燈塔停電", "灯塔停电"),
    ("Ｈｅｌｌｏ　１２３", "Hello 123"),
    ("ﾃﾚﾋﾞ", "テレビ"),
    ("ラーメン", "らーめん"),
    ("か\u3099っこう", "がっこう"),
    ("\u1103\u1173\u11bc\u1103\u1162", "등대"),
    ("กำ", "ก\u0e4dา"),
    ("الْمَدِينَةُ", "المدينه"),
    ("أحمد إلى آسيا", "احمد الي اسيا"),
    ("مـــرحبا", "مرحبا"),
    ("کتاب", "كتاب"),
    ("٣٤ ۵", "34 5"),
    ("שָׁלוֹם", "שלום"),
    ("за́мок ёлка", "замок елка"),
    ("ὁδός", "οδοσ"),
    ("Straße", "Strasse"),
    ("Æsop Øre Łódź", "AEsop Ore Lódź"),
    ("क़लम", "कलम"),
    ("soft\u00adhyphen ﬁnd", "softhyphen find"),
]


@pytest.mark.parametrize(("written", "other"), FORMS)
def test_forms_that_readers_take_for_the_same_are_the_same_terms(written: str, other: str) -> None:
    assert wording.terms_of(written) == wording.terms_of(other)
    assert list(analysis.words(written)) == list(analysis.words(other))


@pytest.mark.parametrize(
    ("one", "other"), [("Leser", "Löser "), ("й", "и"), ("ば", "は"), ("كتاب", "كاتب"), ("की", "का")]
)
def test_others_are_not(one: str, other: str) -> None:
    assert set(wording.terms_of(one)).isdisjoint(wording.terms_of(other))


@pytest.mark.parametrize("text", ["The dog’s café — a naïve résumé…", "Они видели собаку.", "IMG_0042-a.png", ""])
def test_texts_of_latin_and_cyrillic_letters_are_indexed_as_they_are(text: str) -> None:
    assert analysis.prepared(text) is None
    assert analysis.is_plain(text)


def test_english_beside_another_script_has_the_terms_it_has_alone() -> None:
    english = "The ponies’ café: don’t run, IMG_0042, naïve résumés of 3.5 running dogs"
    assert wording.terms_of(english + " 狗")[:-1] == wording.terms_of(english)


def test_runs_are_pairs_and_single_characters() -> None:
    assert analysis.prepared("我的狗，狗") == "我的 的狗 狗 我 的"
    assert analysis.tokens("狗 是iPhone!") == [Token("狗", 0, 1), Token("是", 2, 3), Token("iPhone", 3, 9)]
    assert list(analysis.words("灯塔停电 is 狗")) == [("灯塔", "塔停", "停电"), ("is",), ("狗",)]
    assert analysis.tokens("ที่กิน")[1] == Token("ที่กิ", 0, 5), "a letter with its marks is one character"


@settings(max_examples=300, deadline=None)
@given(SCRIPTS)
def test_any_text_has_terms(text: str) -> None:
    prepared = analysis.prepared(text)
    tokens = analysis.tokens(text)
    for term, start, end in tokens:
        assert 0 <= start < end <= len(text)
        assert term
        assert not set(term) & set(" \t\n_")
    if prepared is None:
        assert analysis.is_plain(text)
        return
    terms = prepared.split()
    assert set(terms) <= {token.term for token in tokens}
    assert analysis.prepared(prepared) in (None, prepared), "what was prepared is prepared"
    assert [analysis.decoded(analysis.encoded(term)) for term in terms] == terms
    composed = unicodedata.normalize("NFC", text)
    held = set(wording.terms_of(composed))
    for word in analysis.words(text):
        for term in word:
            assert {wording.stem(part) for part in wording.parts(term)} <= held, "a text is found by each of its words"


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_full_width_is_half_width(text: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in text)
    assert wording.terms_of(wide) == wording.terms_of(text)


@pytest.mark.parametrize(
    ("held", "least", "most"),
    [
        ({"灯塔", "塔停", "停电"}, 1, 1),
        ({"灯塔", "停电"}, 1, 1),
        ({"灯塔"}, 0.4, 0.6),
        ({"塔停"}, 0.4, 0.6),
        (set(), 0, 0),
    ],
)
def test_coverage_of_a_run_counts_its_characters(held: set[str], least: float, most: float) -> None:
    words = wording.content_words("灯塔停电")
    assert least <= words.coverage(held, {"灯塔": 2.0, "停电": 2.0, "塔停": 9.0}) <= most


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("灯塔什么时候停电？", [("灯塔",), ("停电",)]),
        ("燈塔什麼時候停電？", [("灯塔",), ("停电",)]),
        ("给我看狗的照片", [("狗",)]),
        ("图书馆在哪里", [("图书", "书馆")]),
        ("什么时候", [("什么", "么时", "时候")]),
    ],
)
def test_what_asks_is_no_word_of_a_query(asked: str, words: list[tuple[str, ...]]) -> None:
    assert list(wording.content_words(asked).words) == words


def test_a_snippet_of_a_long_line_without_blanks_shows_what_matches() -> None:
    line = "甲" * 200 + "，灯塔在午夜停电。" + "乙" * 200
    marked, held = wording.Finder(["灯塔", "停电"]).mark([line])
    assert held == {"灯塔", "停电"}
    shown = wording.snippet(marked[0])
    assert "灯塔在午夜停电" in shown
    assert len(shown) < 70
    assert (shown[0], shown[-1]) == ("…", "…")
    assert wording.marked_words(marked[0]) == ["灯塔", "停电"]


def test_what_touches_is_marked_as_one() -> None:
    [marked], _ = wording.Finder(["灯塔", "塔停", "停电"]).mark(["燈塔停電了"])
    assert wording.marked_words(marked) == ["燈塔停電"]
    [marked], held = wording.Finder(["IMG_0042", "dogs"]).mark(["IMG_0042.png: a dog"])
    assert wording.marked_words(marked) == ["IMG_0042", "dog"]
    assert held == {"IMG_0042", "dogs"}
