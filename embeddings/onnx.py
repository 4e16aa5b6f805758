"""Open ONNX networks: the one place that knows onnxruntime's options."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing, Remedy

_GRAPH: Final = 0x3A
"""Protobuf's key of a model's graph (field 7, a message)."""
_NODE: Final = 0x0A
"""Of a graph's node (field 1)."""
_NODE_INPUT, _NODE_OUTPUT, _OPERATOR, _ATTRIBUTE, _DOMAIN = 0x0A, 0x12, 0x22, 0x2A, 0x3A
"""Of a node's parts (fields 1, 2, 4, 5, 7)."""
_FLOAT_VALUE, _INTEGER_VALUE, _KIND = 0x15, 0x18, b"\xa0\x01"
"""Of an attribute's value (fields 2 and 3) and of what kind it is (field 20: 1 a float, 2 an integer)."""
_OUTPUT: Final = 0x62
"""Of a graph's output (field 12)."""
_NAME: Final = 0x0A
"""Of an output's name (field 1)."""
_FLOATS: Final = b"\x12\x04\x0a\x02\x08\x01"
"""An output's type (field 2): a tensor (1) whose elements (1) are floats (1)."""


def session(
    path: Path,
    threads: int | None = None,
    inner: Sequence[str] = (),
    *,
    lean: bool = False,
    nodes: Sequence[bytes] = (),
) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU for the network at `path`.

    `threads`: workers within one operator, default as many as this process may use. `inner`: tensors of floats within
    the network that it is to give out as well. `lean`: give what a run needed back after it, for networks that look at
    a file once; those that answer searches would wait for it each time. `nodes`: further ones, as `node` makes them,
    after those of the file; what they make can be among `inner`.

    Raises `ModelMissing` if there is no such file, `ModelCorrupt` if onnxruntime cannot read it, `DependencyMissing`
    without onnxruntime.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise DependencyMissing("onnxruntime is not installed", 'pip install "crossmedia"') from error

    if not path.is_file():
        raise ModelMissing(f"no network at {path}", "reinstall the package", Remedy.LIST_MODELS)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = not lean
    # Spinning workers would take the other core away from whoever prepares the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights in a file of their own lie beside the graph; of one that comes as bytes nobody knows where that is.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    try:
        added = _field(_GRAPH, b"".join(nodes)) + outputs(inner) if inner or nodes else b""
        network = path.read_bytes() + added if added else str(path)
        return ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions have no common base of their own; every one of them here means an unreadable file.
        raise ModelCorrupt(f"{path.name} cannot be opened: {error}", "reinstall the package") from error


def outputs(names: Sequence[str]) -> bytes:
    """What makes tensors within a network outputs of it, put after its bytes.

    Protobuf joins a message that comes twice, so a second graph with nothing but outputs adds them to the first. The
    file itself, whose SHA-256 is pinned, stays as it is, and the package `onnx` is not needed.

    >>> outputs(["a"]).hex(" ")
    '3a 0b 62 09 0a 01 61 12 04 0a 02 08 01'
    """
    return _field(_GRAPH, b"".join(_field(_OUTPUT, _field(_NAME, name.encode()) + _FLOATS) for name in names))


def node(
    operator: str,
    inputs: Sequence[str],
    output: str,
    *,
    domain: str = "",
    attributes: Mapping[str, int | float] | None = None,
) -> bytes:
    """A node with one output, to be put behind a network's own.

    >>> node("Neg", ["a"], "b").hex(" ")
    '0a 0b 0a 01 61 12 01 62 22 03 4e 65 67'
    """
    parts = [_field(_NODE_INPUT, name.encode()) for name in inputs]
    parts += [_field(_NODE_OUTPUT, output.encode()), _field(_OPERATOR, operator.encode())]
    parts += [_field(_ATTRIBUTE, _attribute(name, value)) for name, value in (attributes or {}).items()]
    parts += [_field(_DOMAIN, domain.encode())] if domain else []
    return _field(_NODE, b"".join(parts))


def _attribute(name: str, value: int | float) -> bytes:
    """Negative integers are those of 64 bits, as protobuf writes them."""
    named = _field(_NAME, name.encode())
    if isinstance(value, float):
        return named + bytes([_FLOAT_VALUE]) + struct.pack("<f", value) + _KIND + b"\x01"
    return named + bytes([_INTEGER_VALUE]) + _number(value % 2**64) + _KIND + b"\x02"


def _field(key: int, content: bytes) -> bytes:
    """A field of protobuf: its key, its length, its content."""
    return bytes([key]) + _number(len(content)) + content


def _number(left: int) -> bytes:
    """A whole number of protobuf, seven bits at a time, the lowest first."""
    digits = bytearray()
    while left > 127:
        digits.append(left & 127 | 128)
        left >>= 7
    return bytes([*digits, left])
