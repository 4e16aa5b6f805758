"""Find car plates: writing of the right form on vehicles, and how likely it is a plate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import overlap
from crossmedia.indexer.enrichers.ocr import box_around
from crossmedia.indexer.plate_letters import ALPHABET, MAX_LETTERS, MIN_LETTERS, Chances, PlateReading, read_letters
from crossmedia.indexer.scene_text import RECOGNISER, OcrEngine, Quad, flatten
from crossmedia.retrieval.documents import Box
from crossmedia.retrieval.plates import plain

SIDES: Final = (736, 960)
"""Longer side, px, that a vehicle is enlarged to; to the second only where the first shows no sure plate."""
MAX_ENLARGEMENT: Final = 3.0
"""At most so many times: more shows no more."""
MARGIN: Final = 0.05
"""Part of its width and height that a vehicle's box is widened by on each side."""
VEHICLES: Final = 4
"""Of a picture, the largest."""
MIN_VEHICLE_WIDTH: Final = 48
"""Wide, px: no plate can be read on a smaller vehicle."""
MIN_SAME_OVERLAP: Final = 0.6
"""Two boxes of vehicles that share more than this are one: a pick-up is a car and a truck."""
ASPECT: Final = (1.2, 9.0)
"""Widths in heights of what stands on a plate, or a line of it."""
LOWEST: Final = 7.0
"""Height of its letters, px of the picture, from which they can be read."""
MIN_PLATE_SCORE: Final = 0.45
"""Score from which a plate is reported."""
SURE_LOG_PROBABILITY: Final = -0.1
"""Mean log-probability of several looks from which no other is taken."""
WEIGHTS: Final = {"evidence": 0.9, "usual": 1.7, "digits": 4.5, "letters": 3.3, "vehicle": 1.5, "": -8.3}
"""A logistic model of whether a reading is right and of a plate, fitted to readings on photographs of cars with one
annotated plate
each: what `crossmedia eval plates` says of those is not of pictures it never saw. All of them are on vehicles, so what
that is worth is set by hand. Numbers alone are telephone numbers and dates more often than plates, letters alone are
words."""


@dataclass(frozen=True)
class Plate:
    """`text`: capitals and digits; `score` in [0, 1]: how likely it is a plate and read rightly; `box` in fractions."""

    text: str
    score: float
    box: Box
    sure: bool = False
    """Whether another look would not change it."""


@dataclass(frozen=True, eq=False)
class PlateLook:
    """Writing on a vehicle: corners in px of the picture, and what the recogniser gives each letter."""

    corners: Quad
    chances: Chances

    @property
    def bounds(self) -> NDArray[np.float32]:
        """x0, y0, x1, y1, px."""
        return np.concatenate([self.corners.min(axis=0), self.corners.max(axis=0)])

    @property
    def height(self) -> float:
        """Of the letters, px."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


class PlateReader:
    """Picture, the lines found in it, its vehicles → its plates, surest first."""

    def __init__(self, engine: OcrEngine) -> None:
        self._engine = engine
        self.model = f"rapidocr-{version('rapidocr')}:{RECOGNISER.removesuffix('.onnx')}+plates@1"

    def read(self, picture: Picture, lines: Sequence[tuple[str, Box]], vehicles: Sequence[Box]) -> list[Plate]:
        """`lines`: text and box of what was read in the whole picture, so that it is not looked for again."""
        known = [
            _corners(box, picture) for text, box in lines if MIN_LETTERS - 1 <= len(plain(text)) <= MAX_LETTERS + 1
        ]
        ahead = self._looks(picture, [quad for quad in known if _has_plate_form(quad)])
        regions = _regions(vehicles, picture)
        plates = [] if regions else self._plates(picture, ahead, False)
        for region in regions:
            looks = [look for look in ahead if _within(look.corners, region)]
            for side in SIDES:
                looks = looks + self._looks(picture, self._search(picture, region, side))
                candidates = self._plates(picture, looks, True)
                if any(plate.sure for plate in candidates):
                    break
            plates += candidates
        return _best(plates)

    def _search(self, picture: Picture, region: tuple[int, int, int, int], side: int) -> list[Quad]:
        x0, y0, x1, y1 = region
        crop = picture.pixels[y0:y1, x0:x1]
        scale = min(MAX_ENLARGEMENT, side / max(crop.shape[:2]))
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        larger = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        quads = self._engine.find(np.asarray(larger, np.uint8), side)
        return [quad for found in quads if _has_plate_form(quad := (found / scale + (x0, y0)).astype(np.float32))]

    def _looks(self, picture: Picture, quads: Sequence[Quad]) -> list[PlateLook]:
        crops = [flatten(picture.pixels, quad) for quad in quads]
        return [PlateLook(q, c) for q, c in zip(quads, self._engine.chances(crops, ALPHABET), strict=True)]

    def _plates(self, picture: Picture, looks: Sequence[PlateLook], vehicle: bool) -> list[Plate]:
        plates = []
        for group in groups([*looks, *join(looks)]):
            reading = read_letters([look.chances for look in group])
            if reading is not None:
                corners = max(group, key=lambda look: float(np.ptp(look.corners[:, 0]))).corners
                sure = reading.usual and reading.looks > 1 and reading.evidence >= SURE_LOG_PROBABILITY
                plates.append(Plate(reading.text, score(reading, vehicle), box_around(corners, picture), sure))
        return [plate for plate in _best(plates) if plate.score >= MIN_PLATE_SCORE]


def score(reading: PlateReading, vehicle: bool) -> float:
    """How likely a reading is that of a plate, and right. `vehicle`: it is on one."""
    features = {
        "evidence": max(-10.0, reading.evidence),
        "usual": float(reading.usual),
        "digits": float(any(c.isdigit() for c in reading.text)),
        "letters": float(any(c.isalpha() for c in reading.text)),
        "vehicle": float(vehicle),
        "": 1.0,
    }
    return 1.0 / (1.0 + math.exp(-sum(WEIGHTS[name] * value for name, value in features.items())))


def groups(looks: Sequence[PlateLook]) -> list[list[PlateLook]]:
    """Looks at the same writing; the widest of each is that of the whole plate, what is much lower a part of it."""
    grouped: list[list[PlateLook]] = []
    for look in sorted(looks, key=lambda one: -float(np.ptp(one.corners[:, 0]))):
        for group in grouped:
            if overlap(look.bounds.tolist(), group[0].bounds.tolist()) > 0.4:
                group.append(look)
                break
        else:
            grouped.append([look])
    return grouped


def join(looks: Sequence[PlateLook]) -> list[PlateLook]:
    """Two neighbours as one: the parts of a plate beside each other, and the lines of one that has two."""
    joined = []
    for one in looks:
        for other in looks:
            if one is other or not 0.7 <= one.height / max(other.height, 1e-6) <= 1.4:
                continue
            a, b, height = one.bounds, other.bounds, max(one.height, other.height)
            level = min(a[3], b[3]) - max(a[1], b[1]) > 0.6 * height
            beside = level and -0.2 * height <= b[0] - a[2] <= 1.2 * height
            across = min(a[2], b[2]) - max(a[0], b[0])
            wide = max(a[2] - a[0], b[2] - b[0])
            below = across > 0.5 * wide and -0.2 * height <= b[1] - a[3] <= 0.5 * height and wide < 4 * height
            if beside or below:
                low, high = np.minimum(a, b)[:2], np.maximum(a, b)[2:]
                corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])], np.float32)
                joined.append(PlateLook(corners, np.concatenate([one.chances, other.chances])))
    return joined


def _best(plates: Sequence[Plate]) -> list[Plate]:
    """The surest of plates that overlap."""
    kept: list[Plate] = []
    for plate in sorted(plates, key=lambda one: -one.score):
        if all(_overlap_share(plate.box, other.box) < 0.3 for other in kept):
            kept.append(plate)
    return kept


def _overlap_share(one: Box, other: Box) -> float:
    """Part of the smaller box that lies in the other."""
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return max(0.0, width) * max(0.0, height) / max(min(areas), 1e-12)


def _regions(vehicles: Sequence[Box], picture: Picture) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom, px, of the largest vehicles, somewhat widened."""
    kept: list[Box] = []
    for box in sorted(vehicles, key=lambda box: -(box[2] - box[0]) * (box[3] - box[1])):
        wide = (box[2] - box[0]) * picture.width >= MIN_VEHICLE_WIDTH
        if wide and len(kept) < VEHICLES and all(overlap(box, other) <= MIN_SAME_OVERLAP for other in kept):
            kept.append(box)
    regions = []
    for x0, y0, x1, y1 in kept:
        across, down = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
        left, top = max(0, int((x0 - across) * picture.width)), max(0, int((y0 - down) * picture.height))
        right = min(picture.width, math.ceil((x1 + across) * picture.width))
        regions.append((left, top, right, min(picture.height, math.ceil((y1 + down) * picture.height))))
    return regions


def _corners(box: Box, picture: Picture) -> Quad:
    x0, y0, x1, y1 = (share * size for share, size in zip(box, (picture.width, picture.height) * 2, strict=True))
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)


def _has_plate_form(quad: Quad) -> bool:
    """Whether writing has the form of a plate, or of a part of one."""
    width, height = (float(np.linalg.norm(quad[n] - quad[0])) for n in (1, 3))
    return bool(height >= LOWEST and ASPECT[0] <= width / height <= ASPECT[1])


def _within(quad: Quad, region: tuple[int, int, int, int]) -> bool:
    x, y = quad.mean(axis=0).tolist()
    return bool(region[0] <= x <= region[2] and region[1] <= y <= region[3])
