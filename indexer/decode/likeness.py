"""Measure how much two frames differ, on copies of a few hundred pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Small: TypeAlias = NDArray[np.uint8]
"""H×W×3, blue, green and red, longer side about 128."""

SIDE: Final = 32
"""Longer side of the copies: small enough that noise, and a step of a hand or of the camera, hardly change them."""
FLOOR: Final = 10.0
"""Grey levels of difference that count for nothing even in a picture without contrast: noise and coding."""
FLAT: Final = 7.0
"""A frame of less contrast shows nothing: black, white, a plain colour."""
JOLT: Final = 0.125
"""Of its width and height, by how much a picture may leap from one frame to the next and be the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Tiny:
    """`values`: every pixel's blue, green and red, float32 in [0, 255] less 128; `means` of the three; `contrast`:
    their root mean square about the means, in levels."""

    values: NDArray[np.float32]
    means: NDArray[np.float64]
    contrast: float

    @property
    def flat(self) -> bool:
        return self.contrast < FLAT


def tiny(small: Small) -> Tiny:
    """The copy of an H×W×3 uint8 frame, each of its pixels the mean of those it stands for."""
    height, width = small.shape[:2]
    scale = min(1.0, SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    pixels -= 128.0
    means, spreads = cv2.meanStdDev(pixels)
    contrast = float(np.sqrt(float(spreads[:, 0] @ spreads[:, 0]) / 3))
    return Tiny(pixels.reshape(-1), means[:, 0], contrast)


def change(first: Tiny, second: Tiny) -> float:
    """0 for the same frame, about 1 for two that have nothing to do with one another, whatever their contrast.

    The root mean square difference over that of two uncorrelated frames of the same contrasts, so that a cut in the
    dark counts as one in the sun. Frames of different shape are unrelated.
    """
    if first.values.shape != second.values.shape:
        return 1.0
    difference = first.values - second.values
    apart = float(difference @ difference) / len(difference)
    return float(np.sqrt(apart / (first.contrast**2 + second.contrast**2 + 2 * FLOOR**2)))


def change_but_for_shift(first: Small, second: Small) -> float:
    """`change` of what both of two frames show, where the camera was jolted between them.

    The shift is found by phase correlation (Kuglin and Hines 1975); where it is more than `JOLT`, as by chance between
    two frames that have nothing to do with one another, it is none.
    """
    if first.shape != second.shape:
        return 1.0
    grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32) for frame in (first, second)]
    height, width = grey[0].shape
    (x, y), _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow((width, height), cv2.CV_32F))
    across, down = round(x), round(y)
    if abs(across) > JOLT * width or abs(down) > JOLT * height:
        across = down = 0
    seen = first[max(0, -down) : height - max(0, down), max(0, -across) : width - max(0, across)]
    again = second[max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)]
    return change(tiny(seen), tiny(again))
