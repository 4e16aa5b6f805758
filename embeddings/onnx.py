"""How ONNX networks are opened here: the one place that knows onnxruntime's options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing


def session(path: Path, threads: int | None = None) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU for the network at `path`.

    `threads`: workers within one operator, default as many as this process may use. Raises `ModelMissing` if there is
    no such file, `ModelCorrupt` if onnxruntime cannot read it, `DependencyMissing` without onnxruntime.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise DependencyMissing("onnxruntime is not installed", 'pip install "crossmedia"') from error

    if not path.is_file():
        raise ModelMissing(f"no network at {path}", "reinstall the package, or see `crossmedia models`")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning workers would take the other core away from whoever prepares the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions have no common base of their own; every one of them here means an unreadable file.
        raise ModelCorrupt(f"{path.name} cannot be opened: {error}", "reinstall the package") from error
