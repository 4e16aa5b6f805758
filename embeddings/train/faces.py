"""Makes the bundled detector of faces from the published YuNet, and measures it.

    python -m crossmedia.embeddings.train.faces --models ../shared/models --data ../shared/data --out embeddings/bundled

writes `faces.onnx` and its card `faces.md`, and prints the figures and what to pin in `embeddings/cards.toml`. Needs
the package `onnx`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter
from PIL import Image

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.faces import STRIDES, FaceDetector
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import overlap
from crossmedia.embeddings.train.data import flickr8k, picture
from crossmedia.embeddings.train.objects import OPSET, compact
from crossmedia.embeddings.train.objects_measure import pairs

ORDER: Final = ("cls", "obj", "bbox", "kps")
"""Outputs of each stride, as they lie beside each other in a row of `raw`."""

CARD = """# faces.onnx: YuNet, faces and five points of each, in half precision

Source: {weights} as published by its authors (S. Yu's libfacedetection.train), SHA-256 {given}.
Result: {size} bytes, SHA-256 {digest}.
Command: `python -m crossmedia.embeddings.train.faces --models ../shared/models --data ../shared/data --out
embeddings/bundled`.
Licence of the weights: BSD-3-Clause. Method: W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector"
(Machine Intelligence Research 20, 2023). Trained by its authors on WIDER FACE (S. Yang et al. 2016). Published: AP
0.887, 0.871, 0.768 on its easy, medium and hard part; 75,856 parameters.
Made by: opset 17, any number of pictures of any size, bytes of red, green and blue instead of floats of blue, green and
red (the first convolution's table is turned round), the twelve outputs as one, tables of the convolutions in half
precision, which onnxruntime makes floats when it opens the file.
In: `pixels` (N, H, W, 3) uint8 RGB, H and W multiples of 32. Out: `raw` (N, cells, 16): cells at strides 8, 16, 32, row
by row; each the probability of a face and of something at all, dx, dy, log w, log h in strides, five points as dx, dy.
Boxes are made of it, and doubles taken out, in `embeddings/faces.py`, which looks at a picture in two sizes, and in
tiles where it is very long or shows a crowd.
Meaning of a score: the root of both probabilities, as in OpenCV. It ranks; it is no measured frequency of being right.
It finds faces and tells nobody from anybody: no vector comes out of it, and nothing it gives is biometric data.
Limits: faces under some fifteen pixels, from behind, or turned by more than a quarter are seldom found; drawings and
statues are sometimes.

Measured by the command above against the network as published (faces with the default score; one is the same where
boxes overlap by a half), on the 500 dev photos of Flickr8k and the 225 faces of ../shared/data/faces:

| network | bytes | photos: faces | F1 | scores apart | overlap | faces found |
|---|---|---|---|---|---|---|
{rows}

`half` ships.
"""


def convert(model: onnx.ModelProto) -> onnx.ModelProto:
    """Input `pixels` (N, H, W, 3) uint8 RGB instead of BGR planes in floats; output `raw` (N, cells, 16) instead of
    twelve."""
    model = version_converter.convert_version(model, OPSET)
    network = model.graph
    stem = next(node for node in network.node if node.op_type == "Conv")
    table = next(one for one in network.initializer if one.name == stem.input[1])
    weights = numpy_helper.to_array(table)
    table.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(weights[:, ::-1]), table.name))
    first = [
        helper.make_node("Transpose", ["pixels"], ["planes"], name="planes", perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], [network.input[0].name], name="floats", to=TensorProto.FLOAT),
    ]
    rows = [
        helper.make_node("Concat", [f"{what}_{stride}" for what in ORDER], [f"rows_{stride}"], axis=2)
        for stride in STRIDES
    ]
    whole = helper.make_node("Concat", [f"rows_{stride}" for stride in STRIDES], ["raw"], axis=1)
    nodes = [*first, *network.node, *rows, whole]
    del network.node[:], network.input[:], network.output[:], network.value_info[:]
    network.node.extend(nodes)
    network.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "height", "width", 3]))
    network.output.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, ["n", "cells", 16]))
    onnx.checker.check_model(model)
    return model


def measure(path: Path, float_path: Path, photos: Sequence[Picture], faces: Sequence[Picture]) -> dict[str, float]:
    """Of what the network in floats and the one at `path` find in the photos: which share is found by both (F1), how
    far scores and boxes are apart; and in which share of the faces the latter finds one."""
    ours, original = (FaceDetector(one.parent, 2, one.name) for one in (path, float_path))
    truth, found = original.detect(photos), ours.detect(photos)
    matched = [pair for one, other in zip(truth, found, strict=True) for pair in pairs(one, other)]
    total = sum(map(len, truth)) + sum(map(len, found))
    return {
        "bytes": path.stat().st_size,
        "faces": sum(map(len, found)),
        "F1": 2 * len(matched) / max(1, total),
        "score apart": float(np.mean([abs(a.score - b.score) for a, b in matched])),
        "overlap": float(np.mean([overlap(a.box, b.box) for a, b in matched])),
        "found": float(np.mean([bool(one) for one in ours.detect(faces)])),
    }


def write_card(out: Path, weights: Path, figures: Mapping[str, Mapping[str, float]]) -> None:
    """Put `faces.md` beside the network in `out`."""
    network = out / "faces.onnx"
    rows = [
        f"| {name} | {row['bytes']:.0f} | {row['faces']:.0f} | {row['F1']:.3f} | {row['score apart']:.4f} "
        f"| {row['overlap']:.3f} | {row['found']:.3f} |"
        for name, row in figures.items()
    ]
    text = CARD.format(
        weights=weights.name,
        given=sha256(weights),
        size=network.stat().st_size,
        digest=sha256(network),
        rows="\n".join(rows),
    )
    (out / "faces.md").write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    given = asked.models / "yunet_n_dynamic.onnx"
    photos = [picture(photo) for photo in flickr8k(asked.data / "flickr8k", "dev")]
    faces = [
        Picture(np.asarray(Image.open(path).convert("RGB"))) for path in sorted((asked.data / "faces").glob("*/*.png"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        onnx.save(convert(onnx.load(str(given))), str(room / "float.onnx"))
        compact(room / "float.onnx", room / "half.onnx", half=True)
        compact(room / "float.onnx", room / "tables.onnx", half=False)
        figures: dict[str, Any] = {
            name: measure(room / f"{name}.onnx", room / "float.onnx", photos, faces)
            for name in ("float", "half", "tables")
        }
        asked.out.mkdir(parents=True, exist_ok=True)
        path = asked.out / "faces.onnx"
        path.write_bytes((room / "half.onnx").read_bytes())
    write_card(asked.out, given, figures)
    print(json.dumps(figures, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
