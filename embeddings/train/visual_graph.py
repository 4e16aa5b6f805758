"""Export the visual answerer to ONNX with compressed tables; what is calculated stays float."""

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
from torch import nn

from crossmedia.embeddings.visual_answers import CELLS, CHANNELS, MAX_QUESTION_WORDS, SENTENCE, SIGHT, Floats

MIN_COMPRESSED_VALUES: Final = 10_000
"""Values from which a table is made small; those with two dimensions bear eight bits and a scale a column."""
HALF: Final = ("kernel.weights", "kernel.showing.weights")
"""Thousands of these cancel each other, so eight bits cost a point of accuracy."""
FEW: Final = "kernel.asking.words"
"""Of hundreds of words a question has some."""


def export(net: nn.Module, path: Path, about: Mapping[str, object]) -> None:
    """As ONNX, and what it needs to be read with as its metadata."""
    example = (
        torch.zeros(1, 2, CELLS, CHANNELS),
        torch.zeros(1, 2, sum(SIGHT)),
        torch.zeros(1, 2, SENTENCE),
        torch.zeros(1, 2, MAX_QUESTION_WORDS, dtype=torch.int64),
    )
    names = ["cells", "sights", "sentence", "words"]
    with tempfile.TemporaryDirectory() as room:
        plain = Path(room) / "plain.onnx"
        torch.onnx.export(
            net, example, str(plain), input_names=names, output_names=["logits"], opset_version=18, dynamo=False
        )
        model = onnx.load(plain)
    _shrink(model.graph)
    for name, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, json.dumps(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _shrink(graph: onnx.GraphProto) -> None:
    """Keeps the tables small; they are floats again when the file is read."""
    floats = [one for one in graph.initializer if one.data_type == onnx.TensorProto.FLOAT]
    for table in [one for one in floats if np.prod(one.dims) >= MIN_COMPRESSED_VALUES]:
        values = numpy_helper.to_array(table)
        graph.initializer.remove(table)
        way = _sparse if table.name == FEW else _in_half if table.name in HALF or values.ndim != 2 else _in_eight
        way(graph, table.name, values)


def _in_eight(graph: onnx.GraphProto, name: str, values: Floats) -> None:
    scale = (np.abs(values).max(0) / 127).clip(min=1e-12).astype(np.float32)
    whole = np.round(values / scale).astype(np.int8)
    parts = {f"{name}.eight": whole, f"{name}.scale": scale, f"{name}.zero": np.zeros(len(scale), np.int8)}
    graph.initializer.extend(numpy_helper.from_array(part, end) for end, part in parts.items())
    graph.node.insert(0, helper.make_node("DequantizeLinear", list(parts), [name], axis=1))


def _in_half(graph: onnx.GraphProto, name: str, values: Floats) -> None:
    graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
    graph.node.insert(0, helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))


def _sparse(graph: onnx.GraphProto, name: str, values: Floats) -> None:
    places = np.flatnonzero(values)
    nonzero = numpy_helper.from_array(values.reshape(-1)[places], name)
    where = numpy_helper.from_array(places.astype(np.int64), f"{name}.places")
    graph.sparse_initializer.append(helper.make_sparse_tensor(nonzero, where, values.shape))
