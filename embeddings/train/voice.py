"""Export the GE2E voice encoder of Resemblyzer, calibrate its cosines and measure it.

    python -m crossmedia.embeddings.train.voice --data ../shared/data --out embeddings/bundled

writes `voice.onnx`, `backgrounds-voice.json` and the card `voice.md`, and prints the figures and what to pin in
`embeddings/cards.toml`. Two minutes on two cores. Weights: `pretrained.pt` of the package `resemblyzer` (Apache-2.0),
of which nothing else is used, so install it with --no-deps.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.train import graph, voice_card, voice_measure

BANDS, WIDTH, LAYERS = 40, 256, 3
MIN_COMPRESSED_ELEMENTS: Final = 10_000
"""Elements from which a table is stored in fewer bits."""


class GE2E(nn.Module):  # type: ignore[misc]
    """`mel` (N, T, 40) → `voice` (N, 256), unit length: the last state of the last layer, projected and cut at zero."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, WIDTH, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.load_state_dict({name: table for name, table in weights.items() if not name.startswith("similarity")})

    def forward(self, mel: Tensor) -> Tensor:
        _, (hidden, _) = self.lstm(mel)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


def source() -> Path:
    """The weight file of the installed package, found without importing it: that would ask for librosa."""
    package = find_spec("resemblyzer")
    if package is None or package.origin is None:
        raise DependencyMissing("resemblyzer is not installed", "pip install --no-deps resemblyzer==0.1.4")
    return Path(package.origin).with_name("pretrained.pt")


def export(path: Path) -> None:
    """The float network."""
    # The file holds an optimiser's state too, hence more than tensors; its SHA-256 is in the card.
    weights = torch.load(source(), map_location="cpu", weights_only=True)["model_state"]
    axes = {"mel": {0: "n", 1: "t"}, "voice": {0: "n"}}
    graph.export(GE2E(weights), [torch.rand(2, 160, BANDS)], path, ["mel"], ["voice"], axes)


def compact(path: Path, small: Path) -> None:
    """Stores the tables in fewer bits, written so that onnxruntime makes them floats when it opens the file.

    int8 with a scale a row, except what the first layer is made of: its inputs are powers over many decades and what is
    lost there is lost for all above, so that is stored in half precision. Arithmetic stays in floats: with dynamic
    activations in int8 the mean cosine to the float network is 0.7, and depends on what else is in the batch.
    """
    model = onnx.load(str(path))
    first = next(node for node in model.graph.node if node.op_type == "LSTM")
    unpacked = []
    for table in list(model.graph.initializer):
        values = numpy_helper.to_array(table)
        if values.size < MIN_COMPRESSED_ELEMENTS:
            continue
        model.graph.initializer.remove(table)
        stored, name = f"{table.name}/stored", table.name
        if name in first.input:
            model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), stored))
            unpacked.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
            continue
        scale = np.abs(values).max(-1, keepdims=True) / 127
        rounded = np.round(values / scale).astype(np.int8)
        model.graph.initializer.append(numpy_helper.from_array(rounded, stored))
        model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}/scale"))
        unpacked.append(helper.make_node("Cast", [stored], [f"{name}/whole"], to=TensorProto.FLOAT))
        unpacked.append(helper.make_node("Mul", [f"{name}/whole", f"{name}/scale"], [name]))
    nodes = [*unpacked, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(small))


def main() -> None:
    """Parse the command line, export, calibrate, write, print."""
    parser = argparse.ArgumentParser(description="Export, calibrate and measure the voice encoder.")
    parser.add_argument("--data", type=Path, required=True, help="folder with speakers/")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "voice.onnx"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "voice.onnx"
        export(whole)
        compact(whole, path)
        measured: dict[str, Any] = voice_measure.measure(asked.data / "speakers", path.parent, whole.parent)
    (asked.out / "backgrounds-voice.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
    voice_card.write(asked.out, source(), measured["figures"])
    print(json.dumps(measured, indent=1))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
