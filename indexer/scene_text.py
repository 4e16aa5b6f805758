"""Find and recognise writing: RapidOCR's engine, turned text, and the order in which lines are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.errors import DependencyMissing, ModelMissing
from crossmedia.embeddings.media import Picture

DETECTION_SIDE: Final = 736
"""Longer side lines are looked for at, px. On car plates 736 reads as many as 960 in half the time; 640 reads fewer."""
DETECTOR: Final = "PP-OCRv6_det_small.onnx"
RECOGNISER: Final = "PP-OCRv6_rec_small.onnx"
DOUBTFUL: Final = 0.9
"""Score below which a line is read upside down as well. Drawn lines that stand on their head score 0.3 to 0.8."""
TALL: Final = 1.5
"""Height in widths from which a line is taken to run upwards or downwards."""
GAP: Final = 1.0
"""White between two columns, in heights of a line, at least."""
PEELED: Final = 4
"""Rows above and below columns that may reach across them, fewer than this each."""
BROAD: Final = 4.0
"""Median width of a column's lines in heights, at least: prices beside a menu are no column of their own."""

QuarterTurn: TypeAlias = Literal[0, 90, 180, 270]
Quad: TypeAlias = NDArray[np.float32]
"""(4, 2): corners in px, clockwise, from the one that is the left upper when the picture is upright."""


@dataclass(frozen=True, eq=False)
class TextPiece:
    """A line: `score` in [0, 1]; `turn`: by how many degrees, clockwise, it is turned in the picture."""

    text: str
    score: float
    corners: Quad
    turn: QuarterTurn


class OcrEngine:
    """RapidOCR over the weights of its wheel, opened at the first use; several threads wait for each other."""

    def __init__(self, threads: int = 1) -> None:
        """`threads`: cores to use. Raises `DependencyMissing` without RapidOCR, `ModelMissing` without its weights."""
        self._models = _models()
        self._threads = threads
        self._opened: Any = None
        self._lock = Lock()

    @property
    def _engine(self) -> Any:
        if self._opened is None:
            self._opened = _open(self._models, self._threads)
        return self._opened

    def find(self, pixels: NDArray[np.uint8], side: int = DETECTION_SIDE) -> list[Quad]:
        """Where there is writing in RGB pixels whose longer side is looked at with at most `side` px."""
        with self._lock:
            detector = self._engine._load_det_model()
            detector.limit_side_len = side
            quads = detector(np.ascontiguousarray(pixels[:, :, ::-1])).boxes
        return [] if quads is None else [np.asarray(corners, np.float32) for corners in quads]

    def pieces(self, picture: Picture) -> list[TextPiece]:
        """Every line, however turned, best reading of each; scores from 0. In no order."""
        quads = self.find(picture.pixels)
        if not quads:
            return []
        crops = [flatten(picture.pixels, corners) for corners in quads]
        turns: list[QuarterTurn] = [90 if crop.shape[0] >= TALL * crop.shape[1] else 0 for crop in crops]
        upright = [np.rot90(crop) if turn else crop for crop, turn in zip(crops, turns, strict=True)]
        read = self._recognise(upright)
        again = [n for n, (text, score) in enumerate(read) if turns[n] or (text and score < DOUBTFUL)]
        over = self._recognise([np.rot90(upright[n], 2) for n in again])
        for n, other in zip(again, over, strict=True):
            if other[1] > read[n][1]:
                read[n], turns[n] = other, 270 if turns[n] else 180
        lines = zip(read, quads, turns, strict=True)
        return [TextPiece(text.strip(), score, corners, turn) for (text, score), corners, turn in lines]

    def chances(self, crops: Sequence[NDArray[np.uint8]], alphabet: str) -> list[NDArray[np.float32]]:
        """Of each RGB crop (T, 1 + characters): what the recogniser gives each character of the alphabet, capitals and
        small letters together, at each step from left to right; in column 0 everything else: nothing, or another
        character."""
        with self._lock:
            recogniser = self._engine._load_rec_model()
            characters = recogniser.postprocess_op.character
            capital, small = ([characters.index(c) for c in some] for some in (alphabet.upper(), alphabet.lower()))
            given = [recogniser.session(_strip(crop))[0] for crop in crops]
        doubled = np.array([one != other for one, other in zip(capital, small, strict=True)], np.float32)
        letters = [one[:, capital] + one[:, small] * doubled for one in given]
        return [
            np.concatenate([(1.0 - one.sum(axis=1, keepdims=True)).clip(0.0), one], axis=1).astype(np.float32)
            for one in letters
        ]

    def _recognise(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        from rapidocr.ch_ppocr_rec.typings import TextRecInput

        if not crops:
            return []
        with self._lock:
            asked = TextRecInput(img=[np.ascontiguousarray(crop[:, :, ::-1]) for crop in crops], return_word_box=False)
            recognised = self._engine._load_rec_model()(asked)
        return [(text, float(score)) for text, score in zip(recognised.txts, recognised.scores, strict=True)]


@cache
def shared_engine(threads: int) -> OcrEngine:
    """The engine of this process, which lines and plates share."""
    return OcrEngine(threads)


def flatten(pixels: NDArray[np.uint8], corners: Quad, wider: float = 0.0) -> NDArray[np.uint8]:
    """What lies between four corners as an upright rectangle, each side `wider` times as far from the middle."""
    middle = corners.mean(axis=0)
    corners = (middle + (corners - middle) * (1.0 + wider)).astype(np.float32)
    width = max(1, round(float(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2])))))
    height = max(1, round(float(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2])))))
    straight = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turned = cv2.getPerspectiveTransform(corners, straight)
    flat = cv2.warpPerspective(pixels, turned, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def in_reading_order(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """From top to bottom, column by column, as they stand when the picture is turned so that most of its writing is
    level.

    Columns have white between them and several broad lines each; other lines that stand beside each other are read in a
    row.
    """
    if not pieces:
        return []
    weights: dict[QuarterTurn, int] = {}
    for piece in pieces:
        weights[piece.turn] = weights.get(piece.turn, 0) + len(piece.text)
    turn = max(weights, key=lambda one: weights[one])
    along = sum((_along(piece) * len(piece.text) for piece in pieces if piece.turn == turn), np.zeros(2))
    x, y = along / max(float(np.linalg.norm(along)), 1e-9)
    corners = np.stack([piece.corners for piece in pieces]) @ np.array([[x, -y], [y, x]], np.float32)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return [pieces[n] for n in _order(boxes, list(range(len(pieces))))]


def _along(piece: TextPiece) -> NDArray[np.float64]:
    """The direction in which a line is read: a unit vector, x to the right, y down."""
    begin, end = {0: (0, 1), 90: (0, 3), 180: (1, 0), 270: (3, 0)}[piece.turn]
    way = (piece.corners[end] - piece.corners[begin]).astype(np.float64)
    return np.asarray(way / max(float(np.linalg.norm(way)), 1e-9))


def _order(boxes: NDArray[np.float32], which: list[int]) -> list[int]:
    if not which:
        return []
    if columns := _columns(boxes, which):
        return [n for column in columns for n in _order(boxes, column)]
    rows = _rows(boxes, which)
    # A title above columns, or a line below them, hides their gap.
    for above, below in sorted(((a, b) for a in range(PEELED) for b in range(PEELED)), key=sum):
        inner = [n for row in rows[above : len(rows) - below] for n in row]
        if inner and len(inner) < len(which) and _columns(boxes, inner):
            outer = [[n for row in some for n in row] for some in (rows[:above], rows[len(rows) - below :])]
            return [*_order(boxes, outer[0]), *_order(boxes, inner), *_order(boxes, outer[1])]
    return [n for row in rows for n in row]


def _columns(boxes: NDArray[np.float32], which: list[int]) -> list[list[int]]:
    """Left and right part of what has white between them all the way down, or nothing."""
    by_left = sorted(which, key=lambda n: float(boxes[n, 0]))
    height = float(np.median(boxes[which, 3] - boxes[which, 1]))
    for cut in range(2, len(by_left) - 1):
        left, right = by_left[:cut], by_left[cut:]
        white = float(boxes[right, 0].min() - boxes[left, 2].max())
        broad = min(float(np.median(boxes[side, 2] - boxes[side, 0])) for side in (left, right))
        if white >= GAP * height and broad >= BROAD * height and len(_rows(boxes, left)) > 1 < len(_rows(boxes, right)):
            return [left, right]
    return []


def _rows(boxes: NDArray[np.float32], which: list[int]) -> list[list[int]]:
    """Lines that overlap by half of the lower one's height stand in a row."""
    rows: list[list[int]] = []
    for n in sorted(which, key=lambda n: float(boxes[n, 1] + boxes[n, 3])):
        top, bottom = boxes[n, 1], boxes[n, 3]
        last = boxes[rows[-1][-1]] if rows else None
        shared = 0.0 if last is None else min(bottom, last[3]) - max(top, last[1])
        if last is not None and shared >= 0.5 * min(bottom - top, last[3] - last[1]):
            rows[-1].append(n)
        else:
            rows.append([n])
    return [sorted(row, key=lambda n: float(boxes[n, 0])) for row in rows]


def _strip(crop: NDArray[np.uint8], height: int = 48, least: int = 320, most: int = 960) -> NDArray[np.float32]:
    """A crop as the recogniser takes it: (1, 3, 48, W) BGR in [-1, 1], W at least 320, grey where it is shorter:
    without, as in training, letters at its ends are lost."""
    width = min(most, max(1, round(height * crop.shape[1] / crop.shape[0])))
    strip = np.zeros((height, max(width, least), 3), np.float32)
    strip[:, :width] = cv2.resize(crop[:, :, ::-1], (width, height)).astype(np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(strip.transpose(2, 0, 1)[None])


def _models() -> tuple[Path, Path]:
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise DependencyMissing("rapidocr is not installed", "pip install rapidocr")
    folder = Path(package.origin).parent / "models"
    for name in (DETECTOR, RECOGNISER):
        if not (folder / name).is_file():
            raise ModelMissing(f"rapidocr came without {name}", 'pip install --force-reinstall "rapidocr>=3.8"')
    return folder / DETECTOR, folder / RECOGNISER


def _open(models: tuple[Path, Path], threads: int) -> Any:
    from rapidocr import RapidOCR

    # Paths given explicitly, RapidOCR never goes looking for a download. Lines are cut from the whole picture; only the
    # search for them happens on a small one. What stands on its head is found by reading it, not by the third network.
    detector, recogniser = models
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(detector),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "Rec.model_path": str(recogniser),
        }
    )
