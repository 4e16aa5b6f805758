"""Open ONNX networks: the one place that knows onnxruntime's options."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing, Remedy

_GRAPH: Final = 0x3A
"""Protobuf's key of a model's graph (field 7, a message)."""
_OUTPUT: Final = 0x62
"""Of a graph's output (field 12)."""
_NAME: Final = 0x0A
"""Of an output's name (field 1)."""
_FLOATS: Final = b"\x12\x04\x0a\x02\x08\x01"
"""An output's type (field 2): a tensor (1) whose elements (1) are floats (1)."""


def session(path: Path, threads: int | None = None, inner: Sequence[str] = (), *, lean: bool = False) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU for the network at `path`.

    `threads`: workers within one operator, default as many as this process may use. `inner`: tensors of floats within
    the network that it is to give out as well. `lean`: give what a run needed back after it, for networks that look at
    a file once; those that answer searches would wait for it each time.

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
    try:
        network = path.read_bytes() + outputs(inner) if inner else str(path)
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


def _field(key: int, content: bytes) -> bytes:
    """A field of protobuf: its key, its length seven bits at a time, its content."""
    length, left = bytearray(), len(content)
    while left > 127:
        length.append(left & 127 | 128)
        left >>= 7
    return bytes([key, *length, left]) + content
