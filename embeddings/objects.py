"""The object detector: YOLOX-nano over the 80 classes of COCO, without PyTorch.

Z. Ge, S. Liu, F. Wang, Z. Li and J. Sun, "YOLOX: Exceeding YOLO series in 2021" (arXiv:2107.08430); the bundled network
is made by `embeddings/train/objects.py`, its card is `bundled/objects.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import OBJECTS
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session

SIDE: Final = 416
"""The square that a picture is laid into, px."""
STRIDES: Final = (8, 16, 32)
GREY: Final = 114
"""What the rest of the square is filled with, as in training."""
MIN_OBJECT_SCORE: Final = 0.3
"""Score from which an object is told, as in the authors' demonstration: from here down, `python -m crossmedia.eval.cli
objects` finds no more objects that captions name than others."""
OVERLAP: Final = 0.45
"""Of two boxes of one class that share more than this (intersection over union) the better one stays."""
WIDE_RATIO: Final = 2.5
"""Sides of which one is so many times the other make a picture that is looked at in tiles as well: a film's are not."""
THIN: Final = 64
"""Shorter side, px, under which there is nothing to see in a tile."""
TILES: Final = 32
"""At most; they cover a picture of 1 to 16 with half of each over the next."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """One object. `box`: x0, y0, x1, y1 in fractions of the picture, within it.

    `score` in [0, 1] is the network's own: its probability that something is there times that of the class. It ranks
    well; it is no measured frequency of being right.
    """

    value: str
    score: float
    box: Box


class ObjectDetector:
    """Pictures → the objects in them. `folder` holds `objects.onnx`, opened at the first picture; safe for several
    threads."""

    model: str = f"{OBJECTS.id}@{OBJECTS.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None, name: str = OBJECTS.files[0].name) -> None:
        self.path = folder / name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """COCO's 80 names, in the network's order; it brings them along."""
        return tuple(self._network.get_modelmeta().custom_metadata_map["classes"].split("\n"))

    def detect(self, batch: Sequence[Picture], least: float = MIN_OBJECT_SCORE) -> list[list[Detection]]:
        """Of each picture its objects with a score of at least `least`, best first. Any size and shape, from 1×1 px."""
        return [
            self._wide(picture, least) if len(tiles(picture)) > 1 else self._look(picture, least) for picture in batch
        ]

    def _look(self, picture: Picture, least: float) -> list[Detection]:
        # One a run: the activations of several leave the cache.
        (raw,) = self._network.run(("raw",), {"pixels": letterbox(picture)[None]})
        return self.named(picture, raw[0], least)

    def _wide(self, picture: Picture, least: float) -> list[Detection]:
        """What the whole and each of its tiles show, doubles taken out; a tile does not tell of what its border cuts,
        so that what is longer than half a tile is sometimes left to the whole."""
        detections = self._look(picture, least)
        for left, top, right, bottom in tiles(picture):
            tile = Picture(np.ascontiguousarray(picture.pixels[top:bottom, left:right]))
            for one in self._look(tile, least):
                x0, y0, x1, y1 = (
                    share * size for share, size in zip(one.box, (tile.width, tile.height) * 2, strict=True)
                )
                cut_before = (x0 < 1 and left > 0) or (y0 < 1 and top > 0)
                cut_after = (x1 > tile.width - 1 and right < picture.width) or (
                    y1 > tile.height - 1 and bottom < picture.height
                )
                if not (cut_before or cut_after):
                    box = (left + x0, top + y0, left + x1, top + y1)
                    shares = (n / size for n, size in zip(box, (picture.width, picture.height) * 2, strict=True))
                    detections.append(
                        Detection(one.value, one.score, (next(shares), next(shares), next(shares), next(shares)))
                    )
        best: list[Detection] = []
        for one in sorted(detections, key=lambda one: -one.score):
            if all(one.value != other.value or overlap(one.box, other.box) <= OVERLAP for other in best):
                best.append(one)
        return best

    def named(self, picture: Picture, raw: NDArray[np.float32], least: float = MIN_OBJECT_SCORE) -> list[Detection]:
        """What the network says of a picture's square, (3549, 85), as objects; what lies outside of the picture is
        gone."""
        boxes, scores, classes = decode_square(raw, least)
        width, height = fitted_size(picture)
        shares = (boxes / np.array([width, height, width, height], np.float32)).clip(0.0, 1.0)
        return [
            Detection(self.classes[number], float(score), (float(x0), float(y0), float(x1), float(y1)))
            for (x0, y0, x1, y1), score, number in zip(shares, scores, classes.tolist(), strict=True)
            if x1 > x0 and y1 > y0
        ]


def tiles(picture: Picture) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of squares that cover a very long picture, each half over the next; none of another
    one."""
    shorter, longer = sorted((picture.width, picture.height))
    if longer < WIDE_RATIO * shorter or shorter < THIN:
        return []
    count = min(TILES, 1 + int(np.ceil(2 * (longer / shorter - 1))))
    starts = np.linspace(0, longer - shorter, count).round().astype(int).tolist()
    if picture.width == longer:
        return [(start, 0, start + shorter, shorter) for start in starts]
    return [(0, start, shorter, start + shorter) for start in starts]


def fitted_size(picture: Picture, side: int = SIDE) -> tuple[int, int]:
    """Width and height, px, of the picture scaled so that its longer side fills the square."""
    scale = side / max(picture.width, picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def letterbox(picture: Picture, side: int = SIDE, fill: int = GREY) -> NDArray[np.uint8]:
    """(side, side, 3) RGB: the picture scaled, small ones up, to the left upper corner of a filled square, as in
    training."""
    size = fitted_size(picture, side)
    square = np.full((side, side, 3), fill, dtype=np.uint8)
    way = cv2.INTER_AREA if max(picture.width, picture.height) > side else cv2.INTER_LINEAR
    square[: size[1], : size[0]] = cv2.resize(picture.pixels, size, interpolation=way)
    return square


def decode_square(
    raw: NDArray[np.float32], least: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """What the network says of one square, (3549, 85), as boxes (N, 4) in its pixels, scores and classes, best first.

    A cell's row is dx, dy, log w, log h in strides, the probability of any object, those of the classes. Non-maximum
    suppression is within a class: a rider hides no horse.
    """
    classes = raw[:, 5:].argmax(axis=1)
    scores = raw[:, 4] * raw[np.arange(len(raw)), 5 + classes]
    kept = np.flatnonzero(scores >= least)
    cells, strides = _grid()
    middle = (raw[kept, :2] + cells[kept]) * strides[kept]
    size = np.exp(raw[kept, 2:4]) * strides[kept]
    corners = np.concatenate([middle - size / 2, size], axis=1)
    best = cv2.dnn.NMSBoxesBatched(corners.tolist(), scores[kept].tolist(), classes[kept].tolist(), least, OVERLAP)
    rows = np.asarray(best, dtype=np.int64).reshape(-1)
    rows = rows[np.argsort(-scores[kept][rows], kind="stable")]
    boxes = np.concatenate([corners[rows, :2], corners[rows, :2] + corners[rows, 2:]], axis=1)
    return boxes, scores[kept][rows], classes[kept][rows]


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1; one that is turned inside out shares nothing.

    >>> overlap((0.0, 0.0, 1.0, 1.0), (0.5, 0.0, 1.5, 1.0))
    0.3333333333333333
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both) if both else 0.0


@cache
def _grid() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each of the 3,549 cells its column and row (N, 2) and its stride (N, 1), rows of cells from the finest grid
    on."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: SIDE // stride, : SIDE // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((cells[-1].shape[0], 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
