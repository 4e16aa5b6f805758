"""The model card of the detector of objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crossmedia.embeddings.catalog import sha256

SHIPPED: Final = "half"
"""Which of the networks ships: in int8 its tables alone lose objects, its convolutions most of them, and neither is
faster; floats are twice the size for nothing."""

CARD = """# objects.onnx: YOLOX-nano over the 80 classes of COCO, in half precision

Source: {weights} as published by its authors (Megvii), SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.objects --models ../shared/models --data ../shared/data --out
embeddings/bundled`.
Licence of the weights: Apache-2.0. Method: Z. Ge, S. Liu, F. Wang, Z. Li and J. Sun, "YOLOX: Exceeding YOLO series in
2021" (arXiv:2107.08430). Trained by its authors on COCO train2017 (T.-Y. Lin et al. 2014; annotations CC BY 4.0, photos
of Flickr under their own licences). Published: AP 25.8 on COCO val2017 (0.5 to 0.95), 0.91 million parameters, 1.08
GFLOPs.
Made by: opset 17, any number of pictures, bytes of red, green and blue instead of floats of blue, green and red (the
first convolution's table is turned round), constants folded, tables of the convolutions in half precision, which
onnxruntime makes floats when it opens the file; the names of the classes lie in the file's metadata.
In: `pixels` (N, 416, 416, 3) uint8 RGB, the picture's longer side scaled to 416, at the left top of a square of grey
114. Out:
`raw` (N, 3549, 85): cells at strides 8, 16, 32; each dx, dy, log w, log h in strides, the probability of any object,
those of 80 classes. Boxes are made of it, and doubles taken out, in `embeddings/objects.py`.
Meaning of a score: probability of an object times that of its class, as the network gives them. It ranks; it is no
measured frequency of being right.
Limits: small things in large pictures are seldom found; pictures longer than
2.5 to 1 are therefore looked at in tiles as well.
Drawings, pictures turned on their side and things that are none of the 80 classes get what looks most like
them. It is a very small network: what it tells at a score near the least is as often wrong as right.

Measured by the command above on the 500 dev photos of Flickr8k, against the network as published (objects with a score
of 0.3; one is the same where its class is and boxes overlap by a half):

| network | bytes | objects | F1 | scores apart | overlap | ms a photo |
|---|---|---|---|---|---|---|
{rows}

`half` ships. ms: two threads on the machine that ran the command, which other work may have shared; only their order
counts.
"""


def write(out: Path, weights: Path, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Put `objects.md` beside the network in `out`."""
    network = out / "objects.onnx"
    text = CARD.format(
        weights=weights.name,
        given=sha256(weights),
        size=network.stat().st_size,
        digest=sha256(network),
        rows="\n".join(_row(name, row) for name, row in figures.items()),
    )
    (out / "objects.md").write_text(text, "utf-8")


def _row(name: str, row: Mapping[str, float]) -> str:
    cells = f"{row['F1']:.3f} | {row['score apart']:.4f} | {row['overlap']:.3f} | {row['ms']:.1f}"
    return f"| {name} | {row['bytes']:.0f} | {row['objects']:.0f} | {cells} |"
