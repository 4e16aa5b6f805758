"""Makes the bundled detector of objects from the published YOLOX-nano, and measures it.

    python -m crossmedia.embeddings.train.objects --models ../shared/models --data ../shared/data --out
    embeddings/bundled

writes `objects.onnx` and its card `objects.md`, and prints the figures and what to pin in `embeddings/cards.toml`.
Three networks are made of one: its tables in half precision, its tables in int8 (floats at run time, both), its
convolutions in int8. Needs the package `onnx`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.calibrate import CalibrationDataReader
from onnxruntime.quantization.shape_inference import quant_pre_process

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.objects import SIDE, letterbox
from crossmedia.embeddings.train import objects_card, objects_measure
from crossmedia.embeddings.train.data import flickr8k, picture

OPSET: Final = 17
CALIBRATION_PHOTOS: Final = 200
"""Photos of the training split, evenly spread, whose activations tell the ranges of int8."""
MIN_INT8_ELEMENTS: Final = 500
"""Elements from which a table is stored in int8."""
CELLS: Final = 3549


class Squares(CalibrationDataReader):  # type: ignore[misc]
    """The calibration photos one by one, as the network reads them."""

    def __init__(self, squares: Sequence[NDArray[np.uint8]]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(squares)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        square = next(self._left, None)
        return None if square is None else {"pixels": square[None]}


def read_bytes(model: onnx.ModelProto, classes: Sequence[str]) -> onnx.ModelProto:
    """Input `pixels` (N, 416, 416, 3) uint8 RGB instead of one picture of BGR planes in floats; output `raw`; the names
    inside.

    The colours are swapped in the first convolution's table, which reads four neighbouring pixels of three colours
    each.
    """
    model = version_converter.convert_version(model, OPSET)
    network = model.graph
    tables = {table.name: table for table in network.initializer}
    stem = next(node for node in network.node if node.op_type == "Conv")
    table = tables[stem.input[1]]
    weights = numpy_helper.to_array(table)
    swapped = weights.reshape(len(weights), 4, 3, *weights.shape[2:])[:, :, ::-1].reshape(weights.shape)
    table.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(swapped), table.name))
    given, told = network.input[0].name, network.output[0].name
    first = [
        helper.make_node("Transpose", ["pixels"], ["planes"], name="planes", perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], [given], name="floats", to=TensorProto.FLOAT),
    ]
    nodes = [*first, *network.node]
    for node in nodes:
        node.output[:] = ["raw" if name == told else name for name in node.output]
    del network.node[:], network.input[:], network.output[:], network.value_info[:]
    network.node.extend(nodes)
    network.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3]))
    network.output.append(helper.make_tensor_value_info("raw", TensorProto.FLOAT, ["n", CELLS, 5 + len(classes)]))
    helper.set_model_props(model, {"classes": "\n".join(classes)})
    onnx.checker.check_model(model)
    return model


def compact(source: Path, path: Path, *, half: bool) -> None:
    """Stores the tables of the convolutions in half precision, or in int8 with a scale an output channel; onnxruntime
    makes them floats when it opens the file."""
    model = onnx.load(str(source))
    network = model.graph
    read = {node.input[1] for node in network.node if node.op_type == "Conv"}
    unpacked = []
    for table in list(network.initializer):
        values = numpy_helper.to_array(table)
        if table.name not in read or values.size < MIN_INT8_ELEMENTS:
            continue
        network.initializer.remove(table)
        if half:
            stored = f"{table.name}/stored"
            network.initializer.append(numpy_helper.from_array(values.astype(np.float16), stored))
            unpacked.append(helper.make_node("Cast", [stored], [table.name], to=TensorProto.FLOAT))
            continue
        scale = (np.abs(values).reshape(len(values), -1).max(1) / 127).astype(np.float32).clip(1e-12)
        stored, by = f"{table.name}/stored", f"{table.name}/scale"
        shape = (-1, *[1] * (values.ndim - 1))
        network.initializer.append(
            numpy_helper.from_array(np.round(values / scale.reshape(shape)).astype(np.int8), stored)
        )
        network.initializer.append(numpy_helper.from_array(scale, by))
        unpacked.append(helper.make_node("DequantizeLinear", [stored, by], [table.name], axis=0))
    nodes = [*unpacked, *network.node]
    del network.node[:]
    network.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def quantise(source: Path, squares: Sequence[NDArray[np.uint8]], path: Path) -> None:
    """Static int8 (QDQ; weights per channel, activations uint8 per tensor, min-max) of all convolutions but the last
    ones.

    What those give is boxes in logarithms and probabilities: 256 steps of their whole range are too few.
    """
    ends = [node.name for node in onnx.load(str(source)).graph.node if "_preds" in node.name]
    quantize_static(
        str(source),
        str(path),
        Squares(squares),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=ends,
        calibrate_method=CalibrationMethod.MinMax,
    )


def read_class_names(path: Path) -> list[str]:
    """COCO's 80 names of the file's 91 lines: the others are `n/a`."""
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip() not in ("", "n/a")]


def main() -> None:
    """Parse the command line, convert, measure, write, print."""
    parser = argparse.ArgumentParser(description="Convert and measure the detector of objects.")
    parser.add_argument("--models", type=Path, required=True, help="folder with yolox_nano.onnx and coco_labels.txt")
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k/")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    asked = parser.parse_args()
    given = asked.models / "yolox_nano.onnx"
    photos = flickr8k(asked.data / "flickr8k", "train")
    squares = [letterbox(picture(photo)) for photo in photos[:: len(photos) // CALIBRATION_PHOTOS][:CALIBRATION_PHOTOS]]
    dev = [picture(photo) for photo in flickr8k(asked.data / "flickr8k", "dev")]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        onnx.save(
            read_bytes(onnx.load(str(given)), read_class_names(asked.models / "coco_labels.txt")),
            str(room / "bytes.onnx"),
        )
        quant_pre_process(str(room / "bytes.onnx"), str(room / "float.onnx"), skip_symbolic_shape=True)
        compact(room / "float.onnx", room / "half.onnx", half=True)
        compact(room / "float.onnx", room / "tables.onnx", half=False)
        quantise(room / "float.onnx", squares, room / "int8.onnx")
        paths = [room / f"{name}.onnx" for name in ("float", "half", "tables", "int8")]
        took = objects_measure.time_networks(paths, dev)
        figures: dict[str, Any] = {
            path.stem: {**objects_measure.measure(path, given, dev), "ms": ms}
            for path, ms in zip(paths, took, strict=True)
        }
        path = asked.out / "objects.onnx"
        asked.out.mkdir(parents=True, exist_ok=True)
        path.write_bytes((room / f"{objects_card.SHIPPED}.onnx").read_bytes())
    objects_card.write(asked.out, given, figures)
    print(json.dumps(figures, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
