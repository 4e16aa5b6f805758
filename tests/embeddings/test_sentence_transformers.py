"""Sentence vectors through sentence-transformers, with the real weights of all-MiniLM-L6-v2."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing
from crossmedia.embeddings.sentence_transformer import SentenceTransformerEncoder
from tests.embeddings.tiny_models import INSTALL, assert_unit_rows, minilm_folder


@pytest.fixture(scope="module")
def encoder() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(str(minilm_folder()), device="cpu", batch_size=4)


def test_similarities_are_the_published_ones(encoder: SentenceTransformerEncoder) -> None:
    # From the quickstart of the sentence-transformers documentation.
    sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    rows = encoder.encode(sentences).vectors["text"]
    expected = [[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]]
    np.testing.assert_allclose(rows @ rows.T, expected, atol=2e-4)


def test_golden_numbers(encoder: SentenceTransformerEncoder) -> None:
    rows = encoder.encode(["a puppy on the sand"]).vectors["text"]
    np.testing.assert_allclose(rows[0, :4], [-0.02055, 0.02826, 0.07738, 0.03235], atol=1e-4)


def test_every_text_has_a_unit_vector_whatever_its_neighbours(encoder: SentenceTransformerEncoder) -> None:
    texts = ["dog", "", "   ", "日本語", "word " * 2000, "two children play football in the snow"]
    together = encoder.encode(texts).vectors["text"]
    assert_unit_rows(together, len(texts), 384)
    alone = np.concatenate([encoder.encode([text]).vectors["text"] for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert encoder.encode([]).vectors["text"].shape == (0, 384)


def test_the_space_says_what_made_it(encoder: SentenceTransformerEncoder) -> None:
    (space,) = encoder.spaces
    assert (space.name, space.dim, space.model) == ("text", 384, "st:model")
    assert space.revision == "6fceb34132ad"
    assert space.preprocessing.startswith("prompt '', first 256 tokens")


def test_half_precision_stays_in_the_space(encoder: SentenceTransformerEncoder) -> None:
    half = SentenceTransformerEncoder(str(minilm_folder()), device="cpu", precision="bf16")
    assert half.spaces == encoder.spaces
    texts = ["a cat", "interest rates of a bank"]
    cosine = (half.encode(texts).vectors["text"] * encoder.encode(texts).vectors["text"]).sum(axis=1)
    assert 0.999 < cosine.min() < 1 - 1e-7


def test_the_models_default_prompt_counts_and_names_another_space(
    encoder: SentenceTransformerEncoder, tmp_path: Path
) -> None:
    folder = shutil.copytree(minilm_folder(), tmp_path / "prompted")
    settings = {"prompts": {"passage": "passage: "}, "default_prompt_name": "passage"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings), encoding="utf-8")
    prompted = SentenceTransformerEncoder(str(folder), device="cpu")
    np.testing.assert_allclose(
        prompted.encode(["a cat"]).vectors["text"], encoder.encode(["passage: a cat"]).vectors["text"], atol=1e-5
    )
    assert prompted.spaces[0].preprocessing != encoder.spaces[0].preprocessing


def test_missing_and_broken_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentence_transformers", reason=INSTALL)
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ModelMissing) as caught:
        SentenceTransformerEncoder("no-such-model", device="cpu")
    assert "sentence-transformers/no-such-model" in caught.value.message
    assert "ALLOW_HUB" in caught.value.hint
    with pytest.raises(ModelMissing, match=r"modules\.json"):
        SentenceTransformerEncoder(str(tmp_path), device="cpu")
    (tmp_path / "modules.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelMissing, match="no weights"):
        SentenceTransformerEncoder(str(tmp_path), device="cpu")
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelCorrupt):
        SentenceTransformerEncoder(str(tmp_path), device="cpu")


def test_without_the_extra_the_hint_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(DependencyMissing) as caught:
        SentenceTransformerEncoder("all-MiniLM-L6-v2")
    assert caught.value.hint == 'pip install "crossmedia[clip]"'
