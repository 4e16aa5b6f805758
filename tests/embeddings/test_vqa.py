"""BLIP and ViLT from tiny checkpoints that are made here; what is said where the package or the folder is absent."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.vqa import TransformersVqa

GREY = Picture(np.full((32, 48, 3), 128, np.uint8))
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "what", "is", "it", "red", "dog", "[DEC]", "[ENC]"]
installed = pytest.mark.skipif(
    find_spec("transformers") is None or find_spec("torch") is None, reason='pip install "crossmedia[vqa]"'
)


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"config\.json"):
        TransformersVqa(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelMissing, match="no weights"):
        TransformersVqa(str(tmp_path))


@pytest.mark.skipif(find_spec("transformers") is not None, reason="transformers is installed")
def test_without_the_package_the_command_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(DependencyMissing) as raised:
        TransformersVqa(str(tmp_path)).answer(GREY, "what is it")
    assert "pip install" in raised.value.hint


@installed
@pytest.mark.parametrize("kind", ["vilt", "blip"])
def test_a_tiny_checkpoint_answers(tmp_path: Path, kind: str) -> None:
    import torch
    import transformers

    torch.manual_seed(0)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    if kind == "vilt":
        config = transformers.ViltConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            image_size=32,
            patch_size=16,
            id2label={0: "red", 1: "dog", 2: "two"},
            label2id={"red": 0, "dog": 1, "two": 2},
        )
        network = transformers.ViltForQuestionAnswering(config)
        processor = transformers.ViltProcessor(
            transformers.ViltImageProcessor(size={"shortest_edge": 32}, size_divisor=16), tokenizer
        )
    else:
        small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        ids = {"bos_token_id": 10, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
        config = transformers.BlipConfig(
            text_config={**small, "vocab_size": len(WORDS), "encoder_hidden_size": 16, **ids},
            vision_config={**small, "image_size": 32, "patch_size": 16},
            projection_dim=8,
        )
        network = transformers.BlipForQuestionAnswering(config)
        processor = transformers.BlipProcessor(
            transformers.BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer
        )
    network.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    found = TransformersVqa(str(tmp_path)).answer(GREY, "what is it")
    assert all(isinstance(text, str) and 0 <= share <= 1 for text, share in found)
    if kind == "vilt":
        assert {text for text, _ in found} == {"red", "dog", "two"}
        assert sum(share for _, share in found) == pytest.approx(1, abs=1e-4)


@installed
def test_another_kind_of_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(ModelCorrupt, match="bert"):
        TransformersVqa(str(tmp_path)).answer(GREY, "what is it")
