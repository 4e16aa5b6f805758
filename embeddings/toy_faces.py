"""A toy face detector and encoder for tests: an area of magenta is a face, its shade says whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from crossmedia.embeddings.encoder import FACE, Calibration, Encoding, Modality, Space, normalise
from crossmedia.embeddings.faces import Face, Points, Portrait
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile

DIM: Final = 32
MIN_FACE_SIDE: Final = 8
"""Sides of the smallest face, px."""
SHADES: Final = 10


class ToyFinder:
    """Faces are connected areas that are much redder and bluer than green."""

    model = "toy"

    def detect(self, batch: Sequence[Picture]) -> list[list[Face]]:
        return [_areas(picture) for picture in batch]


class ToyFace:
    """A direction of its own for each of ten shades from blue to red, turned a little by the exact colour."""

    modality: Modality = "face"
    spaces: tuple[Space, ...] = (Space(FACE, DIM, "toy", "1", "shades of magenta"),)
    model = "toy"

    def encode(self, batch: Sequence[Portrait]) -> Encoding:
        rows = np.zeros((len(batch), DIM), np.float32)
        for row, portrait in zip(rows, batch, strict=True):
            picture, (x0, y0, x1, y1) = portrait.picture, portrait.face.box
            column, line = int((x0 + x1) / 2 * picture.width), int((y0 + y1) / 2 * picture.height)
            red, green, blue = picture.pixels[line, column].astype(np.float32)
            row[round(float(SHADES * red / max(1.0, red + blue)))] = 1.0
            row[-3:] = 0.05 + np.array([red, green, blue]) / 5_000
        return Encoding({FACE: normalise(rows)})


def with_faces(profile: Profile) -> Profile:
    """The toy profile with faces turned on."""
    calibration = Calibration(mean=0.1, std=0.1, bias=0.8, slope=60.0)
    known = {**profile.calibrations, (FACE, "face", "face"): calibration}
    return replace(profile, face=ToyFace(), finder=ToyFinder(), calibrations=known)


def _areas(picture: Picture) -> list[Face]:
    pixels = picture.pixels.astype(np.int16)
    marked = (np.minimum(pixels[..., 0], pixels[..., 2]) - pixels[..., 1] > 60).astype(np.uint8)
    _, _, areas, _ = cv2.connectedComponentsWithStats(marked, connectivity=4)
    faces = []
    for left, top, width, height, count in areas[1:].tolist():
        if min(width, height) >= MIN_FACE_SIDE and count > 0.7 * width * height:
            x0, y0 = left / picture.width, top / picture.height
            x1, y1 = (left + width) / picture.width, (top + height) / picture.height
            faces.append(Face("face", 0.9, (x0, y0, x1, y1), _points(x0, y0, x1, y1)))
    return faces


def _points(x0: float, y0: float, x1: float, y1: float) -> Points:
    shares = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    one, two, three, four, five = ((x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for x, y in shares)
    return one, two, three, four, five
