"""EfficientNet-Lite2 → ONNX → int8: photos as (N, 260, 260, 3) uint8 in, pooled features and class logits out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import CalibrationDataReader
from onnxruntime.quantization.shape_inference import quant_pre_process

from crossmedia.embeddings.train import graph, lite2

ZERO, SCALE = 127, 1 / 128
"""The weights were trained on (value − 127) / 128."""


class Tapped:
    """An int8 network that also gives what the trained blocks read. `scale`, `zero`: how those bytes are meant."""

    def __init__(self, path: Path) -> None:
        model = onnx.load(str(path))
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        node = next(n for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == lite2.TAPPED)
        self.scale, self.zero = float(constants[node.input[1]]), int(constants[node.input[2]])
        self._tap = node.output[0]
        model.graph.output.append(helper.make_tensor_value_info(self._tap, TensorProto.UINT8, None))
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """(N, 260, 260, 3) → maps (N, C, H, W) uint8, logits (N, 1000)."""
        maps, logits = self._session.run((self._tap, "logits"), {"pixels": pixels})
        return maps, logits


class Batches(CalibrationDataReader):  # type: ignore[misc]
    """Calibration photos, a few at a time."""

    def __init__(self, pixels: NDArray[np.uint8], size: int = 16) -> None:
        self.batches: Iterator[dict[str, Any]] = iter(
            {"x": normalise(pixels[i : i + size])} for i in range(0, len(pixels), size)
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self.batches, None)


def normalise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, 3) uint8 → (N, 3, H, W) float32 as the network wants it."""
    return ((pixels.astype(np.float32) - ZERO) * SCALE).transpose(0, 3, 1, 2).copy()


def export(net: lite2.Lite2, path: Path) -> None:
    """The float network, input `x` (N, 3, 260, 260) float32."""
    example = torch.zeros(1, 3, lite2.SIDE, lite2.SIDE)
    names = ("x", "features", "logits")
    graph.export(net, [example], path, names[:1], names[1:], {name: {0: "n"} for name in names})


def fold_pads(model: onnx.ModelProto) -> onnx.ModelProto:
    """Move every zero padding into the convolution after it: apart, it costs more time than the convolution.

    Expects a graph whose constants are folded.
    """
    network = model.graph
    made = {node.output[0]: node for node in network.node}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in network.initializer}
    for node in network.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    for conv in [node for node in network.node if node.op_type == "Conv"]:
        pad = made.get(conv.input[0])
        if pad is None or pad.op_type != "Pad":
            continue
        sizes = constants[pad.input[1]].reshape(2, 4)[:, 2:].ravel()
        kept = [attribute for attribute in conv.attribute if attribute.name != "pads"]
        del conv.attribute[:]
        conv.attribute.extend([*kept, helper.make_attribute("pads", [int(n) for n in sizes])])
        conv.input[0] = pad.input[0]
        network.node.remove(pad)
    return model


def quantise(source: Path, calibration: NDArray[np.uint8], path: Path) -> None:
    """Static int8 (weights per channel, activations uint8 per tensor, min-max ranges), input `pixels`.

    `calibration`: (N, 260, 260, 3) uint8.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready, rough = Path(folder) / "ready.onnx", Path(folder) / "rough.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        onnx.save(fold_pads(onnx.load(str(ready))), str(ready))
        quantize_static(
            str(ready),
            str(rough),
            Batches(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        onnx.save(read_bytes(onnx.load(str(rough))), str(path))


def read_bytes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the quantisation of the float input by the bytes themselves, which are already quantised.

    A photo's bytes are (value − 127) / 128 in fixed point: taking them as such saves the normalisation and its error.
    """
    network = model.graph
    first = next(node for node in network.node if "x" in node.input)
    if first.op_type != "QuantizeLinear":
        raise ValueError(f"the input feeds {first.op_type}, not QuantizeLinear")
    second = next(node for node in network.node if first.output[0] in node.input)
    network.initializer.extend(
        [
            numpy_helper.from_array(np.array(SCALE, np.float32), "pixel_scale"),
            numpy_helper.from_array(np.array(ZERO, np.uint8), "pixel_zero"),
        ]
    )
    second.input[:] = [first.output[0], "pixel_scale", "pixel_zero"]
    swap = helper.make_node("Transpose", ["pixels"], [first.output[0]], name="planes", perm=[0, 3, 1, 2])
    network.node.remove(first)
    network.node.insert(0, swap)
    del network.input[:]
    shape = ["n", lite2.SIDE, lite2.SIDE, 3]
    network.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape))
    onnx.checker.check_model(model)
    return model
