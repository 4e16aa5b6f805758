"""Where a video cuts, and which frame stands for each shot; fed frame by frame, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.common import FrameTimecode, Timecode
from scenedetect.detectors import AdaptiveDetector

FRAME_RATE: Final = 10.0
"""Frames a second that are looked at."""
LONGEST: Final = 30.0
"""Seconds a key frame may stand for."""
_SHORTEST: Final = 0.6
_PATIENCE: Final = 1.5 * LONGEST
"""An open shot is split only once it is this long, so that both parts are at least half of `LONGEST`."""
_CANDIDATES: Final = 24
_RECENT: Final = 4
_TICKS: Final = 1_000_000
_TICK: Final = 1e-5

FrameT = TypeVar("FrameT")


@dataclass(frozen=True, eq=False)
class KeyFrame(Generic[FrameT]):
    """`frame`, shown at `time`, stands for the shot from `start` to `end` (all in seconds)."""

    frame: FrameT
    time: float
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class _Candidate(Generic[FrameT]):
    frame: FrameT
    time: float
    sharpness: float


class ShotCutter(Generic[FrameT]):
    """Cuts by PySceneDetect's adaptive content detector (HSV change against its rolling mean); long shots are split.

    `look` takes small BGR frames in ascending time with the frame they were made from (kept by reference while it may
    become a key frame) and returns the key frames of the shots that ended; `finish` those of the rest. The shots
    follow one another without a gap from the first frame to the end.
    """

    def __init__(self) -> None:
        self._detector = AdaptiveDetector(min_scene_len=_SHORTEST)
        self._candidates: list[_Candidate[FrameT]] = []
        self._shown: _Candidate[FrameT] | None = None
        self._start: float | None = None
        self._spacing = 0.0

    def look(self, small: NDArray[np.uint8], time: float, frame: FrameT) -> list[KeyFrame[FrameT]]:
        """One more frame: `small` is H×W×3 uint8 BGR of a constant size, `time` in seconds."""
        if self._start is None:
            self._start = time
        stamp = FrameTimecode(Timecode(round(time * _TICKS), Fraction(1, _TICKS)), fps=Fraction(FRAME_RATE))
        done: list[KeyFrame[FrameT]] = []
        for cut in self._detector.process_frame(stamp, small):
            done += self._close(cut.seconds)
        while time - self._start >= _PATIENCE:
            done += self._close(self._start + LONGEST)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        self._candidates.append(_Candidate(frame, time, float(cv2.Laplacian(grey, cv2.CV_32F).var())))
        self._thin()
        return done

    def finish(self, end: float) -> list[KeyFrame[FrameT]]:
        """The key frames of what is still open; `end` is when the last frame disappears."""
        return self._close(end)

    def _close(self, end: float) -> list[KeyFrame[FrameT]]:
        if self._start is None or end <= self._start:
            return []
        # Cut times are rounded to ticks, so a frame shown at the cut may lie a tick before it.
        mine = [candidate for candidate in self._candidates if candidate.time < end - _TICK]
        self._candidates = self._candidates[len(mine) :]
        parts = max(1, math.ceil((end - self._start) / LONGEST - _TICK))
        length = (end - self._start) / parts
        done = []
        for part in range(parts):
            start = self._start + part * length
            inside = [candidate for candidate in mine if start - _TICK <= candidate.time < start + length - _TICK]
            # Where no new frame was shown (a slide show), the last one still is.
            found = _best(inside, start, start + length) or self._shown
            if found:
                done.append(KeyFrame(found.frame, max(found.time, start), start, start + length))
            self._shown = inside[-1] if inside else self._shown
        self._start, self._spacing = end, 0.0
        return done

    def _thin(self) -> None:
        """Keeps the candidates few and evenly spread, and all of the latest: the detector finds a cut late."""
        old = self._candidates[:-_RECENT]
        if len(old) >= 2 and old[-1].time - old[-2].time < self._spacing:
            del self._candidates[len(old) - 1]
        elif len(old) > _CANDIDATES:
            kept = old[::2]
            self._spacing = (kept[-1].time - kept[0].time) / (len(kept) - 1) * 0.99
            self._candidates[: len(old)] = kept


def _best(inside: list[_Candidate[FrameT]], start: float, end: float) -> _Candidate[FrameT] | None:
    """The sharpest (variance of the Laplacian) in the middle half of a shot, else the one nearest its middle."""
    quarter, middle = (end - start) / 4, (start + end) / 2
    central = [candidate for candidate in inside if abs(candidate.time - middle) <= quarter]
    if central:
        return max(central, key=lambda candidate: candidate.sharpness)
    return min(inside, key=lambda candidate: abs(candidate.time - middle), default=None)
