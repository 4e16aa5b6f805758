"""The pictures of one video, however many, in a bounded amount of memory."""

from __future__ import annotations

from math import sqrt
from typing import Final

import cv2
import numpy as np

from crossmedia.embeddings.media import Picture

BYTES: Final = 192 << 20
"""They cross to another process, which for a moment takes three times as much."""
_STEP: Final = sqrt(0.5)
MIN_EXTRA_SIDE: Final = 600
"""Pictures that had to become smaller than this, longer side, are too many for more than one a shot."""


class Album:
    """Pictures of at most `side` pixels; when they take more than `most` bytes all become half as large in area."""

    def __init__(self, side: int, most: int = BYTES) -> None:
        self.side = side
        self.pictures: list[Picture] = []
        self._most = most
        self._bytes = 0

    def add(self, picture: Picture) -> None:
        """One more, its longer side at most `side` as it is now."""
        self.pictures.append(picture)
        self._bytes += picture.pixels.nbytes
        while self._bytes > self._most:
            self.side = max(1, int(self.side * _STEP))
            for number, large in enumerate(self.pictures):
                self.pictures[number] = smaller(large, self.side)
            self._bytes = sum(kept.pixels.nbytes for kept in self.pictures)


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size scaled down so that its longer side is at most `side`."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def smaller(picture: Picture, side: int) -> Picture:
    """The picture scaled down to at most `side`, each pixel the mean of those it stands for."""
    size = fit(picture.width, picture.height, side)
    if size == (picture.width, picture.height):
        return picture
    return Picture(np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
