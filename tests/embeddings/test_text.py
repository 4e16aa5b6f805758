"""The words: golden numbers, unit vectors, and no influence of a text's neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords
from crossmedia.embeddings.errors import ModelCorrupt, ModelMissing
from crossmedia.embeddings.text import MiniLM
from crossmedia.embeddings.train import probes
from crossmedia.embeddings.train.strangers import strangers


@pytest.fixture(scope="module")
def encoder() -> MappedWords:
    return towers(Catalog())[0]


def test_golden_numbers(encoder: MappedWords) -> None:
    vectors = encoder.encode(["A brown dog runs along the beach."]).vectors
    np.testing.assert_allclose(vectors["text"][0, :4], [0.0551, 0.0360, 0.0531, -0.0679], atol=2e-3)
    np.testing.assert_allclose(vectors["common"][0, :4], [0.0105, -0.0155, 0.0065, 0.0242], atol=2e-3)


def test_every_space_has_unit_rows_of_its_dimension(encoder: MappedWords) -> None:
    texts = ["dog", "", "   ", "?!", "日本語", "word " * 2000, "\x00"]
    vectors = encoder.encode(texts).vectors
    assert set(vectors) == {space.name for space in encoder.spaces} == {"text", "common"}
    for space in encoder.spaces:
        assert vectors[space.name].shape == (len(texts), space.dim)
        assert vectors[space.name].dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors[space.name], axis=1), 1, atol=1e-5)


def test_words_that_training_did_not_meet_take_a_text_away_from_all_pictures(encoder: MappedWords) -> None:
    plain, sentence, strange = encoder.encode(["dog", "two dogs run on the beach", "thermostat xylophone"]).vectors[
        "common"
    ]
    assert strange[-1] < min(plain[-1], sentence[-1]) - 0.05
    np.testing.assert_allclose([plain[-2], sentence[-2]], 0.5**0.5, atol=0.02)


def test_sentences_are_minilms(encoder: MappedWords) -> None:
    texts = ["a cat", "Two children play football in the snow."]
    alone = MiniLM(BUNDLED).encode(texts).vectors
    assert set(alone) == {"text"}
    np.testing.assert_array_equal(alone["text"], encoder.encode(texts).vectors["text"])


def test_an_empty_batch_gives_empty_arrays(encoder: MappedWords) -> None:
    assert {name: rows.shape for name, rows in encoder.encode([]).vectors.items()} == {
        "text": (0, 384),
        "common": (0, 514),
    }


def test_a_text_does_not_depend_on_its_neighbours(encoder: MappedWords) -> None:
    texts = ["a cat", "two children play football in the snow while their parents watch", "bicycle"]
    together = encoder.encode(texts).vectors
    for n, text in enumerate(texts):
        alone = encoder.encode([text]).vectors
        np.testing.assert_array_equal(together["text"][n], alone["text"][0])
        # Products of matrices add up in another order with other numbers of rows.
        np.testing.assert_allclose(together["common"][n], alone["common"][0], atol=1e-6)


def test_meaning_beats_wording(encoder: MappedWords) -> None:
    rows = encoder.encode(["a puppy on the sand", "a young dog at the beach", "interest rates of a bank"]).vectors
    # The common space adds one and halves (`embeddings/query_bank.py`), so its gaps are half as wide.
    for space, gap in (("text", 0.3), ("common", 0.15)):
        near, far = rows[space][0] @ rows[space][1], rows[space][0] @ rows[space][2]
        assert near > far + gap


def test_a_folder_without_files_is_missing_and_a_broken_one_corrupt(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        MiniLM(tmp_path)
    (tmp_path / "minilm-int8.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelCorrupt, match=r"minilm-int8\.onnx"):
        MiniLM(tmp_path)
    (tmp_path / "minilm-int8.onnx").write_bytes((Catalog().resolve("minilm-l6-v2") / "minilm-int8.onnx").read_bytes())
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.json"):
        MiniLM(tmp_path)


def test_a_broken_map_of_words_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        MappedWords(BUNDLED, tmp_path / MAP)
    (tmp_path / MAP).write_bytes(b"not arrays")
    with pytest.raises(ModelCorrupt):
        MappedWords(BUNDLED, tmp_path / MAP)
    np.savez(tmp_path / MAP, linear=np.zeros((2, 2), np.int8))
    with pytest.raises(ModelCorrupt, match="hidden"):
        MappedWords(BUNDLED, tmp_path / MAP)


def test_the_cut_off_is_not_measured_on_what_the_head_was_trained_with() -> None:
    trained = set(strangers(4000, seed=7))
    assert not trained & {*probes.ABSENT, *probes.gibberish(50, seed=3)}
    assert len(set(probes.ABSENT)) == 60
