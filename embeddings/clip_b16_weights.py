"""The weights of CLIP ViT-B/16's picture tower, from the file that a package ships to what `clip_b16.py` runs.

The package quantises weights an output channel at a time and activations by the range of a whole picture, which a few
large channels take for themselves. So each input channel's activations are divided, and its weights multiplied, by a
number of its own (Xiao et al., "SmoothQuant", 2023) before the weights are quantised again, and activations are
quantised by the range of each token. What is done here are sums and products of single numbers, so the result is the
same on every machine, and its SHA-256 is pinned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.errors import ModelCorrupt

GRAPH, WEIGHTS = "clip-b16.onnx", "clip-b16.bin"
"""The network without its weights, which is bundled, and they."""
LAYOUT, SMOOTHING = "clip-b16.json", "clip-b16-smoothing.npz"
"""Bundled: where the tensors of the file lie, and how its channels are smoothed."""
LAYERS, HEADS = 12, 12
EPSILON, SIGMOID = np.float32(1e-5), np.float32(1.702)
"""Of the layers' normalisation, and of what bends between them."""
SMOOTHED: Final = ("qkv", "out", "fc1", "fc2")
"""The matrices of a layer, by what their input is smoothed with."""
ALIGNMENT: Final = 64
"""Bytes at whose multiples tensors begin."""

Tensor: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Source:
    """The package's file, and where its tensors lie in it: name → (offset, shape, dtype)."""

    path: Path
    tensors: Mapping[str, tuple[int, tuple[int, ...], str]]

    @cached_property
    def _bytes(self) -> NDArray[np.uint8]:
        return np.memmap(self.path, np.uint8, "r")

    def __getitem__(self, name: str) -> Tensor:
        offset, shape, dtype = self.tensors[name]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self._bytes[offset : offset + size].view(dtype).reshape(shape)

    def matrix(self, name: str) -> NDArray[np.float32]:
        """(inputs, outputs) of a quantised matrix as floats."""
        floats: NDArray[np.float32] = self[f"{name}.weight"].astype(np.float32) * self[f"{name}.scale"]
        return floats


def open_source(path: Path, layout: Path) -> Source:
    """The package's file with the layout that `train/clip_b16.py` wrote. Raises ModelCorrupt if it is another file."""
    known = json.loads(layout.read_text("utf-8"))
    if sha256(path) != known["sha256"]:
        raise ModelCorrupt(f"{path.name} is not the file that was converted", "fetch it again")
    tensors = {name: (offset, tuple(shape), dtype) for name, (offset, shape, dtype) in known["tensors"].items()}
    return Source(path, tensors)


def weights(source: Source, smoothing: Mapping[str, NDArray[np.float32]]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of the network in the order of its file, by name.

    `smoothing`: for each layer and each of `SMOOTHED`, as `0.qkv`, what the channels of its input are divided by.
    """
    yield "patches", source["patches"]
    yield "class", source["class"].reshape(1, 1, -1)
    yield "positions", source["positions"][None]
    yield from _norm(source, "before", None)
    for layer in range(LAYERS):
        yield from _layer(source, layer, {name: smoothing[f"{layer}.{name}"] for name in SMOOTHED})
    yield from _norm(source, "after", None)
    yield "projection", source.matrix("projection")


def _layer(source: Source, layer: int, smooth: Mapping[str, NDArray[np.float32]]) -> Iterator[tuple[str, Tensor]]:
    here = f"{layer}."
    yield from _norm(source, f"{here}norm1", smooth["qkv"])
    parts = {name: source.matrix(f"{here}{name}") * smooth["qkv"][:, None] for name in "qkv"}
    # What attention gives is a mean of values, so their matrix divides for the one that follows.
    parts["v"] = parts["v"] / smooth["out"]
    biases = [source[f"{here}{name}.bias"] for name in "qk"] + [source[f"{here}v.bias"] / smooth["out"]]
    yield from _quantised(f"{here}qkv", np.concatenate(list(parts.values()), axis=1), np.concatenate(biases))
    out = source.matrix(f"{here}out") * smooth["out"][:, None]
    yield from _quantised(f"{here}out", out, source[f"{here}out.bias"])
    yield from _norm(source, f"{here}norm2", smooth["fc1"])
    yield from _quantised(f"{here}fc1", source.matrix(f"{here}fc1") * smooth["fc1"][:, None], source[f"{here}fc1.bias"])
    yield f"{here}fc2.smoothing", 1 / smooth["fc2"]
    yield from _quantised(f"{here}fc2", source.matrix(f"{here}fc2") * smooth["fc2"][:, None], source[f"{here}fc2.bias"])


def _norm(source: Source, name: str, smooth: NDArray[np.float32] | None) -> Iterator[tuple[str, Tensor]]:
    for part in ("weight", "bias"):
        values = source[f"{name}.{part}"]
        yield f"{name}.{part}", values if smooth is None else values / smooth


def _quantised(name: str, matrix: NDArray[np.float32], bias: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Weights as int8 with a scale for each output."""
    scale = np.abs(matrix).max(0) / np.float32(127)
    yield f"{name}.weight", np.round(matrix / scale).astype(np.int8)
    yield f"{name}.scale", scale
    yield f"{name}.bias", bias


def write(source: Source, smoothing: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """All tensors into one file, each at a multiple of `ALIGNMENT`."""
    with path.open("wb") as file:
        for _, tensor in weights(source, smoothing):
            file.write(np.ascontiguousarray(tensor).tobytes())
            file.write(bytes(-file.tell() % ALIGNMENT))


def read_smoothing(path: Path) -> dict[str, NDArray[np.float32]]:
    """What `train/clip_b16.py` wrote, in half precision."""
    with np.load(path) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def convert(path: Path, folder: Path) -> None:
    """Put the network's two files into `folder`. `path`: the package's file; raises ModelCorrupt if it is another."""
    source = open_source(path, BUNDLED / LAYOUT)
    write(source, read_smoothing(BUNDLED / SMOOTHING), folder / WEIGHTS)
    (folder / GRAPH).write_bytes((BUNDLED / GRAPH).read_bytes())
