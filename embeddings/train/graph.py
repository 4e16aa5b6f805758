"""Small moves on ONNX graphs shared by the two towers: export, join, compact weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnx import compose
from torch import Tensor, nn

OPSET: Final = 17


class Compact(nn.Module):  # type: ignore[misc]
    """A linear layer whose weights are stored as int8 with one scale an output channel.

    Written as cast and multiply, which onnxruntime folds into a float matrix when it opens the file: a quarter of the
    bytes on disk, float arithmetic at run time.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """`weight`: (outputs, inputs); `bias`: (outputs,)."""
        super().__init__()
        scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        self.register_buffer("weight", torch.round(weight / scale).to(torch.int8).T.contiguous())
        self.register_buffer("scale", scale.T.contiguous())
        self.register_buffer("bias", bias)

    def table(self) -> Tensor:
        """The (inputs, outputs) float matrix that the stored one stands for."""
        return self.weight.to(torch.float32) * self.scale

    def forward(self, x: Tensor) -> Tensor:
        y = x @ self.table()
        return y if self.bias is None else y + self.bias


def export(
    net: nn.Module, example: Sequence[Tensor], path: Path, inputs: Sequence[str], outputs: Sequence[str], axes: Any
) -> None:
    """Trace `net` on `example` into an ONNX file; `axes` names the dimensions that may change."""
    torch.onnx.export(
        net.eval(),
        tuple(example),
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=OPSET,
        do_constant_folding=not any(isinstance(part, Compact) for part in net.modules()),
        dynamo=False,
    )


def join(first: Path, second: Path, between: Sequence[str], path: Path) -> None:
    """Feed the outputs of one network that are named in `between` to the inputs so named of another, as one file.

    Other inputs of the second are those of the same names of the first; its outputs are those of the whole.
    """
    body = onnx.load(str(first))
    tail = compose.add_prefix(onnx.load(str(second)), "tail/")
    tail.ir_version = body.ir_version
    for entry in body.opset_import:
        if entry.domain not in {known.domain for known in tail.opset_import}:
            tail.opset_import.append(entry)
    whole = compose.merge_models(body, tail, [(name, f"tail/{name}") for name in between])
    network = whole.graph
    plain = {value.name: value.name.removeprefix("tail/") for value in (*network.input, *network.output)}
    for node in network.node:
        node.output[:] = [plain.get(name, name) for name in node.output]
        node.input[:] = [plain.get(name, name) for name in node.input]
    for value in network.output:
        value.name = plain[value.name]
    for value in [value for value in network.input if plain[value.name] != value.name]:
        network.input.remove(value)
    onnx.checker.check_model(whole)
    onnx.save(whole, str(path))
