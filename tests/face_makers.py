"""Draws toy faces: magenta squares, whose shade tells whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.media_makers import Pixels, write_frames

ADA, BOB, CYD = (250, 20, 150), (150, 20, 250), (230, 20, 230)
"""Three people, by their colours; a little more blue is the same person."""

Place = tuple[tuple[int, int, int], int, int]


def scene(faces: Sequence[Place], size: int = 60, width: int = 320, height: int = 240) -> Pixels:
    """A grey picture with a square of each colour at (left, top)."""
    pixels = np.full((height, width, 3), 120, np.uint8)
    for colour, left, top in faces:
        pixels[max(0, top) : top + size, max(0, left) : left + size] = colour
    return pixels


def write_scene(path: Path, *faces: Place, size: int = 60) -> Path:
    Image.fromarray(scene(faces, size)).save(path)
    return path


def write_film(path: Path, scenes: Sequence[tuple[Sequence[Place], float]], fps: int = 12) -> Path:
    """A video of such scenes (faces, seconds), in which they move a little."""

    def frames() -> Iterator[tuple[float, Pixels]]:
        number = 0
        for shot, (faces, seconds) in enumerate(scenes):
            for step in range(round(seconds * fps)):
                pixels = scene([(colour, left + step // 2, top) for colour, left, top in faces])
                pixels[:20] = 30 + 90 * (shot % 2)  # a cut is a cut
                pixels[200:] = 200 - 150 * (shot % 2)
                yield number / fps, pixels
                number += 1

    return write_frames(path, frames(), fps=fps)
