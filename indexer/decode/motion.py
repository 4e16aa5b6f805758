"""Measure what moves in a picture and how the camera moves, from the optical flow between two frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Camera: TypeAlias = Literal["still", "pan", "tilt", "zoom", "shake"]
Flow: TypeAlias = NDArray[np.float32]

_GRID: Final = 4
"""The flow is read at every so manyth pixel of the small frame."""
_ROUNDS: Final = 3
_LOOSE: Final = 0.5
"""Pixels from the camera's movement at which a point counts half."""
_TEXTURE: Final = 12.0
"""Gradient, levels a pixel, at which a point's flow counts half: a plain surface shows no movement."""
_CODING: Final = 4.0
"""Levels, mean over a few pixels, by which a picture that only the camera moved may be off; at twice as much it moved
itself."""
_BENEFIT: Final = 1e-3
_FULL: Final = 0.25
"""Picture widths a second that things move about the camera's movement at which the energy is 1 − 1/e."""
_STILL: Final = 0.012
"""Widths a second: what crosses the picture in more than 80 s is no camera movement."""
_SHAKE: Final = 0.05
_OUTER: Final = 0.3
"""Mean distance of the picture's points from its middle, widths: what a zoom of 1/s moves them by."""
_POINTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Movement:
    """Between two looks, the later at `time` s. `energy` in [0, 1]; the camera's `across`, `down` in widths a second
    (what is seen moves right, down), `closer` in shares of the size a second."""

    since: float
    time: float
    energy: float
    across: float
    down: float
    closer: float


class MotionMeter:
    """Grey frames of one size in ascending time; measures each against the one before.

    Dense inverse search flow (Kroeger et al. 2016, OpenCV's fastest preset); the camera is the similarity transform
    that fits it best by iteratively reweighted least squares; the energy is the root mean square of what is left, which
    MPEG-7's motion activity (Jeannin and Divakaran 2001) takes of the vectors themselves. The thresholds were chosen
    with drawn videos of known movement, those of tests/indexer/test_shots.py.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: tuple[NDArray[np.uint8], float] | None = None

    def look(self, grey: NDArray[np.uint8], time: float) -> Movement | None:
        """None for the first frame, and where the size changed."""
        last, self._last = self._last, (grey, time)
        if last is None or last[0].shape != grey.shape or time <= last[1] or min(grey.shape) < 3 * _GRID:
            return None
        flow = _sample(self._flow.calc(last[0], grey, None))
        longer, seconds = max(grey.shape), time - last[1]
        weight = _texture(last[0])
        camera, rest = _fit(flow, weight)
        off, still = _residual(last[0], grey, camera), _residual(last[0], grey, np.zeros(4, np.float32))
        if float((weight * still).sum()) <= float((weight * off).sum()) + _BENEFIT * weight.size:
            # What is large and near can pass for the camera; where a camera at rest explains as much, it rests.
            camera, rest, off = np.zeros(4, np.float32), np.square(flow).sum(axis=2), still
        energy = float(np.sqrt((weight * rest * off).sum() / (weight.sum() + 1e-6))) / longer / seconds
        across, down = float(camera[2]) / longer / seconds, float(camera[3]) / longer / seconds
        return Movement(last[1], time, 1.0 - float(np.exp(-energy / _FULL)), across, down, float(camera[0]) / seconds)


def _texture(grey: NDArray[np.uint8]) -> Flow:
    """How much each point's flow is worth, in [0, 1]."""
    right, below = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.25)
    size = _sample(cv2.blur(cv2.magnitude(right, below), (_GRID, _GRID)))
    return np.asarray(size / (size + _TEXTURE), dtype=np.float32)


def _residual(last: NDArray[np.uint8], grey: NDArray[np.uint8], camera: Flow) -> Flow:
    """How far from what the camera's movement alone would show, 0 to 1, each point.

    The flow along an edge, in a plain surface and at the picture's border is a guess; where the picture of before,
    moved as the camera was, looks like the one of now, nothing else moved.
    """
    height, width = grey.shape
    grow, turn, right, down = map(float, camera)
    x, y = ((len(range(_GRID // 2, size, _GRID)) - 1) * _GRID / 2 + _GRID // 2 for size in (width, height))
    moved = np.array([[1 + grow, -turn, right - grow * x + turn * y], [turn, 1 + grow, down - turn * x - grow * y]])
    shown = cv2.warpAffine(last, moved, (width, height), dst=grey.copy(), borderMode=cv2.BORDER_TRANSPARENT)
    off = _sample(cv2.blur(cv2.absdiff(shown, grey), (_GRID + 1, _GRID + 1)).astype(np.float32))
    return np.asarray(np.clip(off / _CODING - 1.0, 0.0, 1.0), dtype=np.float32)


def _sample(values: Flow) -> Flow:
    return values[_GRID // 2 :: _GRID, _GRID // 2 :: _GRID]


@lru_cache(maxsize=8)
def _grid(height: int, width: int) -> tuple[Flow, Flow]:
    """Where the points lie, pixels from the middle: right, down."""
    y, x = np.mgrid[:height, :width].astype(np.float32) * _GRID
    return x - x.mean(), y - y.mean()


def _fit(flow: Flow, weight: Flow) -> tuple[Flow, Flow]:
    """(growth, turn, right, down) in 1/look, radians and pixels, and each point's squared distance from it, pixels²."""
    x, y = _grid(*weight.shape)
    u, v = flow[..., 0], flow[..., 1]
    trust = weight
    camera = np.zeros(4, np.float32)
    rest = u * u + v * v
    for _ in range(_ROUNDS):
        total = float(trust.sum()) + 1e-6
        mx, my, mu, mv = (float((trust * values).sum()) / total for values in (x, y, u, v))
        cx, cy, cu, cv = x - mx, y - my, u - mu, v - mv
        spread = float((trust * (cx * cx + cy * cy)).sum()) + 1e-6
        grow = float((trust * (cx * cu + cy * cv)).sum()) / spread
        turn = float((trust * (cx * cv - cy * cu)).sum()) / spread
        camera = np.array((grow, turn, mu - grow * mx + turn * my, mv - turn * mx - grow * my), np.float32)
        rest = np.square(u - grow * x + turn * y - camera[2]) + np.square(v - turn * x - grow * y - camera[3])
        trust = weight / (1.0 + rest / _LOOSE**2)
    return camera, rest


def mean_energy(movements: Sequence[Movement]) -> float:
    """In [0, 1]; 0 where nothing was measured."""
    return float(np.mean([movement.energy for movement in movements])) if movements else 0.0


def camera(movements: Sequence[Movement]) -> Camera:
    """How the camera moves for most of a shot: the movement that moves the points of the picture most, if any.

    `shake` where it moves to and fro by more than it gets on.
    """
    if not movements:
        return "still"
    paths = np.array([(m.across, m.down, m.closer * _OUTER) for m in movements])
    steady = paths.mean(axis=0)
    strongest = int(np.abs(steady).argmax())
    unsteady = float(np.abs(paths[:, :2] - steady[:2]).mean())
    if unsteady > max(_SHAKE, 2 * abs(steady[strongest])):
        return "shake"
    names: tuple[Camera, ...] = ("pan", "tilt", "zoom")
    return names[strongest] if abs(steady[strongest]) > _STILL else "still"


class Curve:
    """Means of the energy over equal stretches of time: a second each, two when there are more than 2,000, and so
    on."""

    def __init__(self) -> None:
        self._width = 1.0
        self._bins: dict[int, tuple[float, int]] = {}

    def add(self, movement: Movement) -> None:
        self._put(int(movement.time / self._width), movement.energy, 1)
        if len(self._bins) > _POINTS:
            old, self._bins, self._width = self._bins, {}, 2 * self._width
            for number, (total, count) in old.items():
                self._put(number // 2, total, count)

    def points(self) -> tuple[tuple[float, float], ...]:
        """(Where a stretch begins in s, energy in [0, 1]), ascending; stretches without a measurement are left out."""
        bins = sorted(self._bins.items())
        return tuple((round(number * self._width, 3), round(total / count, 4)) for number, (total, count) in bins)

    def _put(self, number: int, total: float, count: int) -> None:
        before, many = self._bins.get(number, (0.0, 0))
        self._bins[number] = before + total, many + count
