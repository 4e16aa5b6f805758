"""Sample small frames of a video at even times, to track what moves; kept as JPEGs in a file, not in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import HANDED_OVER, Picture, map_arrays, write_arrays

SIDE: Final = 416
"""Longer side, px: what the detector of objects looks at."""
QUALITY: Final = 85
"""Of the JPEGs. They take some 20 kB each, so an hour at four a second 300 MB of disk while it is worked on."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledFrames:
    """`times`: (N,) float64, ascending, s; `ends`: (N,) int64, where each JPEG ends in `data`, (bytes,) uint8."""

    times: NDArray[np.float64]
    ends: NDArray[np.int64]
    data: NDArray[np.uint8]

    def within(self, start: float, end: float) -> Iterator[tuple[float, Picture]]:
        """Those shown from `start` on and before `end`, each decoded when it is asked for."""
        first, last = np.searchsorted(self.times, (start, end)).tolist()
        for number in range(first, last):
            begin = int(self.ends[number - 1]) if number else 0
            coded = self.data[begin : int(self.ends[number])]
            pixels = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            yield float(self.times[number]), Picture(np.asarray(pixels, dtype=np.uint8))

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process many go as a file, as sound does."""
        if self.data.nbytes < HANDED_OVER:
            return SampledFrames, (self.times, self.ends, self.data)
        return _sampled_frames, (self.times, self.ends, write_arrays([self.data]))


def _sampled_frames(times: NDArray[np.float64], ends: NDArray[np.int64], name: str) -> SampledFrames:
    return SampledFrames(times, ends, map_arrays(name, "u1"))


class FrameSampler:
    """Collects them: `wants` tells whether a frame shown at a time is one, `add` takes it."""

    def __init__(self, rate: float) -> None:
        """`rate`: at most so many a second."""
        self._gap = (1.0 - 1e-3) / rate
        self._times: list[float] = []
        self._ends: list[int] = []
        self._file = tempfile.TemporaryFile(prefix="crossmedia-")  # noqa: SIM115  # lives as long as the track

    def wants(self, time: float) -> bool:
        return not self._times or time - self._times[-1] >= self._gap

    def add(self, picture: Picture, time: float) -> None:
        """A picture of at most `SIDE`."""
        blue_first = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2BGR)
        _, coded = cv2.imencode(".jpg", blue_first, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        self._file.write(coded.data)
        self._times.append(time)
        self._ends.append((self._ends[-1] if self._ends else 0) + coded.nbytes)

    def finish(self) -> SampledFrames:
        """All of them, mapped from the file."""
        self._file.flush()
        empty = np.zeros(0, np.uint8)
        data = np.memmap(self._file, np.uint8, "r").view(np.ndarray) if self._ends else empty
        self._file.close()
        return SampledFrames(np.array(self._times), np.array(self._ends, dtype=np.int64), data)
