"""The face detector: YuNet without PyTorch, boxes with five points. `embeddings/face.py` says whose face it is.

W. Wu, H. Peng and S. Yu, "YuNet: A tiny millisecond-level face detector" (Machine Intelligence Research 20, 2023); the
bundled network is made by `embeddings/train/faces.py`, its card is `bundled/faces.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import FACES
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import THIN, WIDE_RATIO, Box, Detection
from crossmedia.embeddings.onnx import session

FACES_OFF: Final = 'CROSSMEDIA_FACES=1 turns faces on, pip install "crossmedia[faces]" brings what they need'
"""What to do where face recognition is off."""


class FacesOff(ModelMissing):
    """People are not recognised here, because nobody has turned that on."""

    code = "faces_off"
    status = 501

    def __init__(self, message: str = "face recognition is off", hint: str = FACES_OFF) -> None:
        super().__init__(message, hint)


STRIDES: Final = (8, 16, 32)
MIN_FACE_SCORE: Final = 0.7
"""Score from which a face counts; below it, the photos of Flickr8k have as many muzzles of dogs as faces."""
OVERLAP: Final = 0.3
"""Of two boxes that share more than this (intersection over union) the better one stays."""
INSIDE: Final = 0.7
"""Of two boxes of which one lies with more than this share in the other the better one stays: seen in two sizes, a face
that fills the picture is sometimes found with the hair and without."""
FINE_SIDE: Final = 960
"""Longer side at which a picture is looked at, px."""
MAX_ENLARGEMENT: Final = 2.0
"""How many times a picture that is smaller is enlarged at most: faces of a dozen pixels are found then."""
COARSE_SIDE: Final = 320
"""Longer side at which it is looked at once more with a margin: faces that fill the picture, or are cut by its border,
are found only so."""
MARGIN: Final = 0.5
"""Of the longer side, on each side of the picture in the coarse look."""
CROWD: Final = 30
"""Faces from which a picture is looked at in tiles as well: there are smaller ones among so many."""
TILE: Final = 640
"""Side of a tile, px; each shares a quarter with the next."""
TILES: Final = 32
"""At most. A picture that would need more is made smaller before."""
GREY: Final = 114

Point = tuple[float, float]
Points = tuple[Point, Point, Point, Point, Point]


@dataclass(frozen=True)
class Face(Detection):
    """A face; its `value` is always `face`. `score` in [0, 1]: the network's, the root of "a face" times "anything".

    `points`: the eye on the left of the picture, the other, the tip of the nose, the corners of the mouth, left and
    right; x, y in fractions of the picture. They may lie outside of it where the face does.
    """

    points: Points

    def pixels(self, picture: Picture) -> NDArray[np.float32]:
        """The five points in pixels of the picture: (5, 2)."""
        return np.asarray(self.points, dtype=np.float32) * np.array([picture.width, picture.height], np.float32)


@dataclass(frozen=True, eq=False)
class Portrait:
    """A face in the picture that shows it."""

    picture: Picture
    face: Face

    @property
    def size(self) -> float:
        """The shorter side of the face's box, px."""
        x0, y0, x1, y1 = self.face.box
        return min((x1 - x0) * self.picture.width, (y1 - y0) * self.picture.height)


class FaceFinder(Protocol):
    """Pictures → of each the faces in it, best first."""

    model: str

    def detect(self, batch: Sequence[Picture]) -> list[list[Face]]: ...


class FaceDetector:
    """Pictures → the faces in them. `folder` holds `faces.onnx`, opened at the first picture; safe for several
    threads."""

    model: str = f"{FACES.id}@{FACES.revision}+looks@1"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None, name: str = FACES.files[0].name) -> None:
        self.path = folder / name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    def detect(self, batch: Sequence[Picture], least: float = MIN_FACE_SCORE) -> list[list[Face]]:
        """Of each picture its faces with a score of at least `least`, best first. Any size and shape, from 1×1 px."""
        return [self._faces(picture, least) for picture in batch]

    def _faces(self, picture: Picture, least: float) -> list[Face]:
        width, height = picture.width, picture.height
        longer = max(width, height)
        margin = round(MARGIN * longer)
        whole = (0, 0, width, height)
        coarse = (-margin, -margin, width + margin, height + margin)
        faces = [
            *self._look(picture, coarse, COARSE_SIDE / (longer + 2 * margin), least),
            *self._look(picture, whole, min(FINE_SIDE / longer, MAX_ENLARGEMENT), least),
        ]
        best = remove_doubles(faces)
        long = longer >= WIDE_RATIO * min(width, height) and min(width, height) >= THIN
        if longer > 2 * FINE_SIDE or (longer > FINE_SIDE / MAX_ENLARGEMENT and (long or len(best) >= CROWD)):
            faces += [face for tile, scale in tiles(width, height) for face in self._tile(picture, tile, scale, least)]
            best = remove_doubles(faces)
        return best

    def _tile(self, picture: Picture, tile: tuple[int, int, int, int], scale: float, least: float) -> Iterator[Face]:
        """What the tile shows whole: what its border cuts lies in the next one, or is left to the look at all of it."""
        sizes = np.array([picture.width, picture.height] * 2)
        inner = [(edge + (1 if n < 2 else -1)) / sizes[n] for n, edge in enumerate(tile)]
        for face in self._look(picture, tile, scale, least):
            x0, y0, x1, y1 = face.box
            cut_before = (x0 < inner[0] and tile[0] > 0) or (y0 < inner[1] and tile[1] > 0)
            cut_after = (x1 > inner[2] and tile[2] < sizes[0]) or (y1 > inner[3] and tile[3] < sizes[1])
            if not (cut_before or cut_after):
                yield face

    def _look(self, picture: Picture, part: tuple[int, int, int, int], scale: float, least: float) -> list[Face]:
        """The faces in a part of the picture (left, top, right, bottom, px; grey where it reaches out), scaled
        before."""
        square = crop_scaled(picture, part, scale)
        # One a run: the activations of several leave the cache.
        (raw,) = self._network.run(("raw",), {"pixels": square[None]})
        boxes, points, scores = decode_output(raw[0], square.shape[1], square.shape[0], least)
        sizes = np.array([picture.width, picture.height], np.float32)
        start = np.array(part[:2], np.float32)
        corners = (boxes.reshape(-1, 2, 2) / scale + start) / sizes
        marks = (points / scale + start) / sizes
        return [
            Face("face", score, box, _five(own))
            for score, edges, own in zip(scores.tolist(), corners, marks.tolist(), strict=True)
            if (box := _clip_box(edges))
        ]


def _clip_box(edges: NDArray[np.float32]) -> Box | None:
    """The part of a box that lies in the picture, None where none does."""
    (x0, y0), (x1, y1) = edges.clip(0.0, 1.0).tolist()
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _five(points: Sequence[Sequence[float]]) -> Points:
    one, two, three, four, five = ((x, y) for x, y in points)
    return one, two, three, four, five


def crop_scaled(picture: Picture, part: tuple[int, int, int, int], scale: float) -> NDArray[np.uint8]:
    """(H, W, 3): a part of the picture scaled, grey where it reaches out, its sides made multiples of 32."""
    left, top, right, bottom = part
    size = [max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))]
    square = np.full((-(-size[1] // 32) * 32, -(-size[0] // 32) * 32, 3), GREY, np.uint8)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)
    shown = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(np.ascontiguousarray(picture.pixels[y0:y1, x0:x1]), shown, interpolation=way)
    column, row = round((x0 - left) * scale), round((y0 - top) * scale)
    room = square[row : row + shown[1], column : column + shown[0]]
    room[:] = scaled[: room.shape[0], : room.shape[1]]
    return square


def tiles(width: int, height: int) -> list[tuple[tuple[int, int, int, int], float]]:
    """Left, top, right, bottom (px) of at most `TILES` parts that cover a picture, and the scale to look at them
    with."""
    scale = 1.0
    while (count := _steps(width * scale) * _steps(height * scale)) > TILES:
        scale *= min(0.95, (TILES / count) ** 0.5)
    side = int(np.ceil(TILE / scale))
    columns = np.linspace(0, max(0, width - side), _steps(width * scale)).round().astype(int).tolist()
    rows = np.linspace(0, max(0, height - side), _steps(height * scale)).round().astype(int).tolist()
    return [((x, y, min(width, x + side), min(height, y + side)), scale) for y in rows for x in columns]


def _steps(length: float) -> int:
    return 1 + int(np.ceil(max(0.0, length - TILE) / (0.75 * TILE)))


def decode_output(
    raw: NDArray[np.float32], width: int, height: int, least: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What the network says of one picture of this size, (cells, 16), as boxes (N, 4), points (N, 5, 2) and scores,
    best first.

    A cell's row is the probability of a face and of something at all, dx, dy, log w, log h in strides, and five points
    as dx, dy.
    """
    scores = np.sqrt(raw[:, 0].clip(0, 1) * raw[:, 1].clip(0, 1))
    kept = np.flatnonzero(scores >= least)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    cells, strides = grid(width, height)
    cells, strides = cells[kept], strides[kept]
    middle = (raw[kept, 2:4] + cells) * strides
    size = np.exp(raw[kept, 4:6].clip(-10, 10)) * strides
    points = (raw[kept, 6:].reshape(-1, 5, 2) + cells[:, None]) * strides[:, None]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    # Before there are faces of all looks: several cells tell of each.
    best = distinct_rows(boxes)
    return boxes[best], points[best], scores[kept][best]


def remove_doubles(found: Sequence[Face]) -> list[Face]:
    """The faces without doubles, best first."""
    order = sorted(found, key=lambda face: -face.score)
    return [order[number] for number in distinct_rows(np.array([face.box for face in order]).reshape(-1, 4))]


def distinct_rows(boxes: NDArray[np.floating]) -> list[int]:
    """Of boxes (N, 4), best first, the rows that are no double of a better one."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    best = []
    while len(left):
        first, rest = int(left[0]), left[1:]
        best.append(first)
        sides = np.minimum(boxes[first, 2:], boxes[rest, 2:]) - np.maximum(boxes[first, :2], boxes[rest, :2])
        both = sides.clip(0).prod(axis=1)
        sums, smaller = areas[first] + areas[rest] - both, np.minimum(areas[first], areas[rest])
        left = rest[(both <= OVERLAP * sums) & (both <= INSIDE * smaller)]
    return best


def grid(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each cell its column and row (N, 2) and its stride (N, 1), rows of cells from the finest grid on."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((cells[-1].shape[0], 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
