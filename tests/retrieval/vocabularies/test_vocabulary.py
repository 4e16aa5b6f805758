"""Vocabularies as people write them: what is read, what is refused and why, and where they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.label_kinds import OBJECT, said_kinds
from crossmedia.retrieval.vocabularies.bundled import bundled, read_bundled
from crossmedia.retrieval.vocabularies.folder import NoVocabulary, Vocabularies
from crossmedia.retrieval.vocabularies.vocabulary import MAX_ENTRIES, BadVocabulary, Entry, Vocabulary, parse

ASSET = "ab" * 32


def test_a_label_a_line_with_synonyms_and_examples() -> None:
    text = f"\ufeff# on the wall\r\n moka  pot, espresso maker,,espresso maker\n\n狗\nBobby, @ {ASSET}, our dog\n"
    assert parse("kitchen", text).entries == (
        Entry("moka pot", ("espresso maker",)),
        Entry("狗"),
        Entry("Bobby", ("our dog",), (ASSET,)),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has 0 labels"),
        ("# only a comment\n", "has 0 labels"),
        ("dog\ncat\nDOG\n", "line 3 of mine: 'DOG' stands there a second time"),
        (f"dog\n@{ASSET}\n", "line 2 of mine: no label"),
        ("dog, @dog.jpg\n", "no id of an asset"),
        ("me@home\n", "characters that no name has"),
        ("a\x1b[2Jb\n", "characters that no name has"),
        ("\u202egod\n", "characters that no name has"),
        (f"{'x' * 101}\n", "too long"),
        (f"@{ASSET}, #1 dog\n", "a label begins with #"),
        ("\n".join(f"dog{n}, @{n:064x}" for n in range(1001)), "1,001 examples"),
        (", ".join(f"dog{n}" for n in range(20_001)), "20,001 names"),
        ("\n".join(map(str, range(MAX_ENTRIES + 1))), "has 10,001 labels"),
        ("x" * (5 << 20), "is too long"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadVocabulary, match=why) as refused:
        parse("mine", text)
    assert refused.value.hint


@pytest.mark.parametrize("name", ["", "Mine", "2xmas", "a b", "../x", "x" * 41, ".x", OBJECT.name])
def test_names_that_a_vocabulary_cannot_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadVocabulary):
        parse(name, "dog\n")
    with pytest.raises(BadVocabulary):
        Vocabularies(tmp_path).load(name)


cells = st.text(st.characters(categories=("L", "N", "S", "P"), exclude_characters=",@"), min_size=1, max_size=20)
entries = st.builds(
    Entry,
    cells,
    st.lists(cells, max_size=3, unique=True).map(tuple),
    st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=2, unique=True).map(tuple),
)


@given(st.lists(entries, min_size=1, max_size=8, unique_by=lambda entry: entry.label.casefold()))
def test_what_is_written_is_read_again(several: list[Entry]) -> None:
    vocabulary = Vocabulary("mine", tuple(one for one in several if not one.label.startswith("#")))
    if vocabulary.entries:
        assert parse("mine", vocabulary.text) == vocabulary


def test_what_could_not_be_read_again_is_not_kept(tmp_path: Path) -> None:
    kept = Vocabularies(tmp_path)
    kept.save(parse("pets", "dog\n"))
    for odd in ("#1 dog", "a, b", " dog"):
        with pytest.raises(BadVocabulary):
            kept.save(Vocabulary("pets", (Entry(odd),)))
    assert [entry.label for entry in kept.load("pets").entries] == ["dog"]
    assert [path.name for path in tmp_path.iterdir()] == ["pets.csv"]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        vocabulary = parse("mine", text)
    except BadVocabulary:
        return
    assert parse("mine", vocabulary.text) == vocabulary


def test_a_folder_keeps_them(tmp_path: Path) -> None:
    kept = Vocabularies(tmp_path / "vocabularies")
    assert not kept.used
    assert kept.names() == []
    kept.save(parse("pets", "dog\n"))
    first = kept.version()
    kept.save(parse("pets", "dog\ncat, kitty\n"))
    kept.save(parse("boats", f"kayak\nNellie, @{ASSET}\n"))
    assert kept.names() == ["boats", "pets"]
    assert [entry.label for entry in kept.load("pets").entries] == ["dog", "cat"]
    assert kept.version() != first
    kinds = kept.kinds()
    assert [*kinds][-2:] == ["boats", "pets"]
    assert kinds["pets"].facet
    assert {name for name in ("boats", "pets") if kinds[name].said} == {"boats"} == {*kept.said()} - {*said_kinds()}
    kept.remove("pets")
    with pytest.raises(NoVocabulary, match="pets"):
        kept.load("pets")
    assert kept.names() == ["boats"]
    assert kept.used


def test_a_file_that_somebody_broke_is_told(tmp_path: Path) -> None:
    kept = Vocabularies(tmp_path)
    kept.save(parse("pets", "dog\n"))
    (tmp_path / "pets.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadVocabulary, match="cannot be read"):
        kept.all()
    assert "pets" not in kept.said(), "a search does not fail for it"
    kept.remove("pets")
    assert kept.all() == []


@pytest.mark.parametrize("name", bundled())
def test_those_that_come_along(name: str) -> None:
    vocabulary = read_bundled(name)
    names = [name for entry in vocabulary.entries for name in (entry.label, *entry.synonyms)]
    assert len(vocabulary.entries) > 900
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(entry.label.split()) <= 3 for entry in vocabulary.entries), "a query names at most three words"
    with pytest.raises(NoVocabulary, match=name):
        read_bundled(f"{name}x")
