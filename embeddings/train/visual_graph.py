"""The network of visual answers as a file: its layers in eight bits, its kernel machine in as few as it bears."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from embeddings.visual_answers import CELLS, CHANNELS, LONGEST, OBJECTS, SIGHT

KERNEL: Final = "kernel."
EIGHT: Final = ("kernel.sentences", "kernel.sights", "kernel.basis")
"""What is compared: a scale a column is enough."""
HALF: Final = "kernel.weights"
"""Thousands of these cancel each other, so eight bits cost a point of accuracy."""


def export(net: nn.Module, path: Path, about: Mapping[str, object]) -> None:
    """As ONNX, and what it needs to be read with as its metadata."""
    example = (
        torch.zeros(1, CELLS, CHANNELS), torch.zeros(1, 642), torch.zeros(1, 3 * OBJECTS), torch.zeros(1, 384),
        torch.zeros(1, LONGEST, dtype=torch.int64), torch.zeros(1, 2, sum(SIGHT)),
    )  # fmt: skip
    names = ["cells", "whole", "objects", "sentence", "words", "sights"]
    with tempfile.TemporaryDirectory() as room:
        plain = Path(room) / "plain.onnx"
        torch.onnx.export(
            net.eval(), example, str(plain), input_names=names, output_names=["logits"], opset_version=18, dynamo=False
        )
        kernel = [n.name for n in onnx.load(plain).graph.node if any(one.startswith(KERNEL) for one in n.input)]
        quantize_dynamic(plain, path, weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=kernel)
    model = onnx.load(path)
    _shrink(model.graph)
    for name, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _shrink(graph: onnx.GraphProto) -> None:
    """Keeps the kernel machine's matrices small; they are floats again when the network is read."""
    kept = {one.name: one for one in graph.initializer}
    for name in (*EIGHT, HALF):
        values = numpy_helper.to_array(kept[name])
        graph.initializer.remove(kept[name])
        if name == HALF:
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            node = helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        else:
            scale = (np.abs(values).max(0) / 127).clip(min=1e-12).astype(np.float32)
            whole = np.round(values / scale).astype(np.int8)
            parts = (("eight", whole), ("scale", scale), ("zero", np.zeros(len(scale), np.int8)))
            graph.initializer.extend(numpy_helper.from_array(part, f"{name}.{end}") for end, part in parts)
            node = helper.make_node("DequantizeLinear", [f"{name}.{end}" for end, _ in parts], [name], axis=1)
        graph.node.insert(0, node)
