"""What encoders on PyTorch share: importing it, the device, the number format, the source of weights.

PyTorch and the model libraries are an extra; nothing here or above imports them before an encoder is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar, get_args

from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing, ModelCorrupt, ModelMissing

Precision: TypeAlias = Literal["auto", "fp32", "fp16", "bf16"]

EXTRA: Final = 'pip install "crossmedia[clip]"'
ALLOW_HUB: Final = "give a local path, or let the hub be asked: CROSSMEDIA_ALLOW_HUB=true"
WEIGHTS: Final = ("*.safetensors", "*.bin", "*.pt", "*.pth")

ItemT = TypeVar("ItemT")


class DeviceMissing(CrossmediaError):
    """The device that was asked for is not on this machine, or is none that PyTorch knows."""

    code = "device_missing"
    status = 503


class UnknownPrecision(CrossmediaError):
    """A number format that is none of `Precision`."""

    code = "unknown_precision"
    status = 422


@dataclass(frozen=True, eq=False)
class Graph:
    """A tower's network as something to trace: `forward(*example)` gives (N, dim) vectors, not yet of unit length.

    `module`: the parameters `forward` uses, on the CPU in float32; `inputs`: names of its arguments; `axes`: for each
    of them the numbers of the dimensions that may change.
    """

    module: Any
    forward: Callable[..., Any]
    inputs: tuple[str, ...]
    example: tuple[Any, ...]
    axes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Placement:
    """Where a network runs (`device` as PyTorch spells it) and the number format of its matrix products."""

    device: str
    precision: Literal["fp32", "fp16", "bf16"]

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Autocast for half precision; weights stay float32, so that one file serves every format."""
        if self.precision == "fp32":
            return nullcontext()
        torch = require("torch")
        dtype = torch.float16 if self.precision == "fp16" else torch.bfloat16
        held: AbstractContextManager[Any] = torch.autocast(self.device.split(":")[0], dtype=dtype)
        return held


def require(module: str) -> Any:
    """Import an optional package. Raises `DependencyMissing` if it, or something it needs, is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise DependencyMissing(f"{module} cannot be imported: {error}", EXTRA) from error


def place(device: str, precision: Precision) -> Placement:
    """`auto`: CUDA where there is a GPU, else the CPU; half precision (fp16) on a GPU, float32 on the CPU.

    Raises `DeviceMissing`, `UnknownPrecision`, or `DependencyMissing` without PyTorch.
    """
    torch = require("torch")
    if precision not in get_args(Precision):
        raise UnknownPrecision(f"no precision {precision!r}", f"one of {', '.join(get_args(Precision))}")
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        kind = torch.device(chosen).type
    except RuntimeError as error:
        raise DeviceMissing(f"no device {device!r}", "one of auto, cpu, cuda, cuda:0, …") from error
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise DeviceMissing(f"PyTorch has no {chosen} here", "use device auto or cpu, or install PyTorch for your GPU")
    if precision == "auto":
        return Placement(chosen, "fp16" if kind == "cuda" else "fp32")
    if precision == "fp16" and kind == "cpu":
        raise UnknownPrecision("fp16 needs a GPU", "on the CPU use auto, fp32 or bf16")
    return Placement(chosen, precision)


@contextmanager
def quiet() -> Iterator[None]:
    """Within it transformers draws no progress bars: who loads a model is a service or a command with output of its
    own."""
    logging = require("transformers").utils.logging
    before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            logging.enable_progress_bar()


@contextmanager
def hub(allowed: bool) -> Iterator[None]:
    """Within it the model hub's client reaches no network unless `allowed`; its cache is read either way.

    The client's switch belongs to the process: load models from one thread.
    """
    constants = require("huggingface_hub").constants
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def folder(model: str, marker: str, prefix: str, allow_hub: bool) -> Path:
    """The folder of a model kept as a folder of files: `model` itself, else the hub's snapshot of it.

    `marker`: the file that such a folder has. `prefix`: the owner of hub names without one. Raises `ModelMissing`.
    """
    local = Path(model).expanduser()
    if local.is_dir():
        if not (local / marker).is_file():
            raise ModelMissing(f"{local.name} has no {marker}", f"give a folder that has a {marker} and the weights")
        return local
    repository = model if "/" in model else f"{prefix}/{model}"
    client = require("huggingface_hub")
    try:
        with hub(allow_hub):
            snapshot = client.snapshot_download(
                repository, local_files_only=not allow_hub, ignore_patterns=["*.onnx", "onnx/*", "openvino/*", "*.h5"]
            )
    except (OSError, ValueError) as error:
        # The hub's own errors and those of the connection are OSErrors; a name it cannot have is a ValueError.
        raise ModelMissing(
            f"no folder {model!r}, and the hub's {repository} is not here: {error}", ALLOW_HUB
        ) from error
    return Path(snapshot)


def revision(files: Sequence[Path]) -> str:
    """The first twelve hex digits of the SHA-256 over the files' own, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(files, key=lambda file: file.name):
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:12]


def weight_files(root: Path) -> list[Path]:
    """The weights in a folder and below: the safetensors where there are any, as the libraries choose, else the rest.

    Raises `ModelMissing` if there are none, `ModelCorrupt` if one is empty.
    """
    files = sorted(root.rglob(WEIGHTS[0])) or sorted(path for pattern in WEIGHTS[1:] for path in root.rglob(pattern))
    if not files:
        raise ModelMissing(f"{root.name} holds no weights", f"put one of {', '.join(WEIGHTS)} there")
    for path in files:
        if not path.stat().st_size:
            raise ModelCorrupt(f"{path.name} in {root.name} is empty", "fetch the file again")
    return files
