"""Makes the bundled detector of forged faces from the published MesoInception-4 (or Meso-4), and measures the
conversion.

    python -m crossmedia.embeddings.train.forgery --models ../shared/models --out embeddings/bundled

writes `forgery.onnx` and its card `forgery.md`, and prints the figures and what to pin in `embeddings/cards.toml`. The
Keras file holds tables only; the layers are those of the paper: D. Afchar, V. Nozick, J. Yamagishi and I. Echizen,
"MesoNet: a compact facial video forgery detection network" (WIFS 2018, arXiv:1809.00888). Needs the packages `h5py` and
`onnx`; how well it tells real faces from forged ones: `crossmedia eval trust`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.forgery import SIDE
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.train import forgery_card
from crossmedia.embeddings.train.forgery_layers import EPSILON, LEAK, MESO, Layer, forward

OPSET: Final = 17
Tables: TypeAlias = Mapping[str, NDArray[np.float32]]


def tables(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every table of a Keras file by its layer and name: `conv2d_5/kernel`."""
    import h5py

    tables_by_name: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            layer, _, table = name.partition("/")
            tables_by_name[f"{layer}/{table.rsplit('/', 1)[-1].removesuffix(':0')}"] = np.asarray(
                item, dtype=np.float32
            )

    with h5py.File(path) as file:
        file.visititems(keep)
    return tables_by_name


def build(weights: Tables, layers: tuple[Layer, ...]) -> onnx.ModelProto:
    """Input `pixels` (N, 256, 256, 3) uint8 RGB; output `forged` (N,): the network's own probability that a face is
    forged.

    Keras keeps channels last, which matters where the planes are laid out in a row: they are turned back for that.
    """
    stored: list[onnx.TensorProto] = []
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "white"], ["shares"]),
        helper.make_node("Transpose", ["shares"], ["x0"], perm=[0, 3, 1, 2]),
    ]
    stored.append(numpy_helper.from_array(np.float32(255), "white"))

    def table(name: str, values: NDArray[np.float32]) -> str:
        stored.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolved(name: str, given: str, dilation: int) -> str:
        kernel = weights[f"{name}/kernel"]
        edge = dilation * (kernel.shape[0] // 2)
        inputs = [
            given,
            table(f"{name}/kernel", kernel.transpose(3, 2, 0, 1)),
            table(f"{name}/bias", weights[f"{name}/bias"]),
        ]
        nodes.append(helper.make_node("Conv", inputs, [f"{name}/sum"], pads=[edge] * 4, dilations=[dilation] * 2))
        nodes.append(helper.make_node("Relu", [f"{name}/sum"], [name]))
        return name

    last = "x0"
    for layer in layers:
        ends = []
        for branch in layer.branches:
            end = last
            for name, dilation in branch:
                end = convolved(name, end, dilation)
            ends.append(end)
        joined = ends[0]
        if len(ends) > 1:
            joined = f"{layer.norm}/joined"
            nodes.append(helper.make_node("Concat", ends, [joined], axis=1))
        parts = [
            table(f"{layer.norm}/{part}", weights[f"{layer.norm}/{part}"])
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        ]
        nodes.append(helper.make_node("BatchNormalization", [joined, *parts], [layer.norm], epsilon=EPSILON))
        last = f"{layer.norm}/pooled"
        pool = [layer.pool] * 2
        nodes.append(helper.make_node("MaxPool", [layer.norm], [last], kernel_shape=pool, strides=pool))
    first, second = sorted({name.split("/")[0] for name in weights if name.startswith("dense")})
    dense = [
        table(f"{name}/{part}", weights[f"{name}/{part}"]) for name in (first, second) for part in ("kernel", "bias")
    ]
    nodes += [
        helper.make_node("Transpose", [last], ["rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["rows"], ["row"]),
        helper.make_node("Gemm", ["row", *dense[:2]], ["hidden"]),
        helper.make_node("LeakyRelu", ["hidden"], ["leaky"], alpha=LEAK),
        helper.make_node("Gemm", ["leaky", *dense[2:]], ["real"]),
        # It was trained to say 1 of a real face.
        helper.make_node("Neg", ["real"], ["against"]),
        helper.make_node("Sigmoid", ["against"], ["column"]),
        helper.make_node("Squeeze", ["column", "one"], ["forged"]),
    ]
    stored.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    network = helper.make_graph(
        nodes,
        "forgery",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("forged", TensorProto.FLOAT, ["n"])],
        stored,
    )
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def max_difference(path: Path, weights: Tables, layers: tuple[Layer, ...], count: int = 4) -> float:
    """The most by which the converted network differs from the layers computed one by one in NumPy, on noise of many
    scales."""
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (2, 8, 64, 256)][:count]
    squares = np.stack([np.kron(square, np.ones((SIDE // len(square),) * 2 + (1,), np.uint8)) for square in coarse])
    (told,) = session(path, 2).run(("forged",), {"pixels": squares})
    return float(np.abs(told - 1 + forward(squares, weights, layers)).max())


def main() -> None:
    """Parse the command line, convert, compare, write, print."""
    parser = argparse.ArgumentParser(description="Convert and compare the detector of forged faces.")
    parser.add_argument("--models", type=Path, required=True, help="folder with mesoinception_df.h5 and meso4_df.h5")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    parser.add_argument("--network", choices=sorted(MESO), default=forgery_card.SHIPPED, help="which of the two")
    asked = parser.parse_args()
    given = asked.models / f"{asked.network}_df.h5"
    weights, layers = tables(given), MESO[asked.network]
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "forgery.onnx"
    onnx.save(build(weights, layers), str(path))
    figures = {
        "parameters": sum(values.size for values in weights.values()),
        "apart": max_difference(path, weights, layers),
    }
    forgery_card.write(asked.out, given, asked.network, figures)
    print(json.dumps(figures, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
