"""Decoded media as values: plain NumPy, made by `indexer/decode`, read by encoders and enrichers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Medium: TypeAlias = Literal["text", "image", "audio", "video", "mesh"]
MEDIA: Final[tuple[Medium, ...]] = ("text", "image", "audio", "video", "mesh")
SAMPLE_RATE: Final = 16_000
FULL_SCALE: Final = 32_768
"""What 1.0 is in 16-bit samples."""
HANDED_OVER: Final = 4 << 20
"""Bytes from which sound or pictures cross between processes as a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """`pixels`: H×W×3 uint8, RGB, upright (EXIF orientation already applied)."""

    pixels: NDArray[np.uint8]

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono sound at 16 kHz. `pcm`: float32 in [-1, 1], or int16 as a long recording is kept, often mapped from a
    file."""

    pcm: NDArray[np.float32] | NDArray[np.int16]

    @property
    def samples(self) -> NDArray[np.float32]:
        """Float32 in [-1, 1]: `pcm` itself, or made from it at each call. Cut a long recording first."""
        if self.pcm.dtype == np.float32:
            return cast("NDArray[np.float32]", self.pcm)
        return np.multiply(self.pcm, np.float32(1 / FULL_SCALE), dtype=np.float32)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_RATE

    def cut(self, start: float, end: float) -> Waveform:
        """The part between two times in seconds, a view of the same samples."""
        return Waveform(self.pcm[max(0, int(start * SAMPLE_RATE)) : max(0, int(end * SAMPLE_RATE))])

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process a long recording goes as a file, which it maps instead of copying hours of sound."""
        if self.pcm.nbytes < HANDED_OVER:
            return Waveform, (self.pcm,)
        return _waveform, (write_arrays([self.pcm]), self.pcm.dtype.str)


def _waveform(name: str, kind: str) -> Waveform:
    return Waveform(map_arrays(name, kind))


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Pictures of a video with the times they are shown at (s, from PTS, ascending) and its sound track."""

    pictures: tuple[Picture, ...]
    times: tuple[float, ...]
    waveform: Waveform | None
    seconds: float

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process many pictures go as one file, as a long recording does."""
        fields = (self.times, self.waveform, self.seconds)
        if sum(picture.pixels.nbytes for picture in self.pictures) < HANDED_OVER:
            return Clip, (self.pictures, *fields)
        shapes = [picture.pixels.shape for picture in self.pictures]
        return _clip, (write_arrays([picture.pixels for picture in self.pictures]), shapes, *fields)


def _clip(name: str, shapes: list[tuple[int, ...]], *told: Any) -> Clip:
    pixels = map_arrays(name, "u1")
    ends = np.cumsum([np.prod(shape) for shape in shapes]).tolist()
    parts = zip([0, *ends], ends, shapes, strict=False)
    return Clip(tuple(Picture(pixels[start:end].reshape(shape)) for start, end, shape in parts), *told)


def write_arrays(arrays: Sequence[NDArray[Any]]) -> str:
    """Write arrays one after the other into a temporary file and return its name: little can cross between processes
    otherwise."""
    descriptor, name = tempfile.mkstemp(prefix="crossmedia-")
    with os.fdopen(descriptor, "wb") as file:
        for array in arrays:
            file.write(np.ascontiguousarray(array).data)
    return name


def map_arrays(name: str, kind: str) -> NDArray[Any]:
    """What the file holds, read when it is looked at; the file is gone as soon as that is."""
    mapped = np.memmap(name, np.dtype(kind), mode="r")
    Path(name).unlink()
    return mapped.view(np.ndarray)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """`vertices`: V×3 float32; `faces`: F×3 int32 indices into them."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]


Media: TypeAlias = str | Picture | Waveform | Clip | Mesh
