"""Find the shots of a video and their key frames, frame by frame, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Literal

import cv2
import numpy as np

from crossmedia.indexer.decode.cuts import CutFinder
from crossmedia.indexer.decode.keyframes import Candidate, Candidates, FrameT
from crossmedia.indexer.decode.likeness import Small, Tiny, change, tiny
from crossmedia.indexer.decode.motion import Camera, Curve, MotionMeter, Movement, camera, mean_energy
from crossmedia.indexer.decode.transitions import Transition, TransitionFinder

FRAME_RATE: Final = 12.5
"""Frames a second in which gradual transitions are looked for; hard cuts are in all frames, motion is in every second
look."""
MAX_SHOT_SECONDS: Final = 30.0
"""Seconds a shot lasts at most."""
_EVERY: Final = 2
"""Looks from one measurement of motion to the next."""
FASTEST: Final = 60.0
"""Frames a second that are looked at at most."""
_MIN_SHOT_SECONDS: Final = 0.5
_PATIENCE: Final = 1.5 * MAX_SHOT_SECONDS
"""An open shot is split only once it is this long, so that both parts are at least half of `MAX_SHOT_SECONDS`."""
_UNRELATED: Final = 0.5
"""Frames that differ this much (`likeness.change`) have no flow between them."""
_SLACK: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Cut(Generic[FrameT]):
    """A shot from `start` to `end` with its key frames, ascending (all times in s). `motion`, `camera`: see
    `decode.Shot`."""

    start: float
    end: float
    keys: list[Candidate[FrameT]]
    transition: Literal["cut", "fade"]
    motion: float
    camera: Camera


class ShotCutter(Generic[FrameT]):
    """Cuts a video at hard cuts and in the middle of gradual transitions; long shots are split.

    `look` takes all frames in ascending time, each as a small BGR copy (H×W×3 uint8 of a constant size, about 128
    pixels), and `full`, called for the few that may become key frames: the frame to keep, and a grey copy to tell its
    sharpness by. It returns the shots that ended, `finish` the rest. The shots follow one another without a gap from
    the first frame to the end.
    """

    def __init__(self) -> None:
        self.motion = Curve()
        self._cuts = CutFinder()
        self._transitions = TransitionFinder()
        self._meter = MotionMeter()
        self._candidates: Candidates[FrameT] = Candidates()
        self._found: list[Transition] = []
        """Cuts not closed yet, ascending; a hard one has no length."""
        self._movements: list[Movement] = []
        self._begin: Transition | None = None
        self._looked: float | None = None
        self._measured: tuple[float, Tiny] | None = None

    def look(self, small: Small, time: float, full: Callable[[], tuple[FrameT, Small]]) -> list[Cut[FrameT]]:
        """One more frame, shown from `time` on, s."""
        if self._begin is None:
            self._begin = Transition(time, time, time)
        seen = tiny(small)
        for cut in self._cuts.look(small, seen, time):
            self._cut(cut)
        if self._looked is None or time - self._looked >= (1.0 - _SLACK) / FRAME_RATE:
            self._look(small, seen, time)
        if self._candidates.wants(time):
            frame, grey = full()
            sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
            self._candidates.add(Candidate(frame, time, sharpness, seen), self._transitions.horizon)
        return self._closed(self._transitions.horizon)

    def finish(self, end: float) -> list[Cut[FrameT]]:
        """The shots still open; `end` is when the last frame disappears."""
        for cut in self._cuts.finish():
            self._cut(cut)
        self._found += self._transitions.finish()
        return self._closed(end) + self._close(Transition(end, end, end))

    def _look(self, small: Small, seen: Tiny, time: float) -> None:
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        detail = float(np.square(np.diff(cv2.blur(grey, (3, 3)).astype(np.float32), axis=1)).mean())
        self._found += self._transitions.look(seen, detail, time)
        self._looked = time
        if self._measured and time - self._measured[0] < (_EVERY - 0.5) / FRAME_RATE:
            return
        movement = self._meter.look(grey, time)
        if movement and self._measured and change(self._measured[1], seen) < _UNRELATED:
            self._movements.append(movement)
        self._measured = time, seen

    def _cut(self, time: float) -> None:
        self._found.append(Transition(time, time, time))
        self._transitions.cut(time)

    def _closed(self, horizon: float) -> list[Cut[FrameT]]:
        """Closes what ends before `horizon`, where no further cut can be found."""
        done: list[Cut[FrameT]] = []
        self._found.sort(key=lambda found: found.middle)
        while self._found and self._found[0].middle <= horizon:
            cut = self._found.pop(0)
            if self._begin and cut.middle - self._begin.middle >= _MIN_SHOT_SECONDS:
                done += self._close(cut)
        while self._begin and horizon - self._begin.middle >= _PATIENCE:
            at = self._begin.middle + MAX_SHOT_SECONDS
            done += self._close(Transition(at, at, at))
        return done

    def _close(self, ending: Transition) -> list[Cut[FrameT]]:
        begin, end = self._begin, ending.middle
        if begin is None or end <= begin.middle:
            return []
        parts = max(1, math.ceil((end - begin.middle) / MAX_SHOT_SECONDS - _SLACK))
        length = (end - begin.middle) / parts
        done = []
        for part in range(parts):
            start = begin.middle + part * length
            until = end if part == parts - 1 else start + length
            done.append(self._part(start, until, begin, ending, first=part == 0))
        self._begin = ending
        return done

    def _part(self, start: float, end: float, begin: Transition, ending: Transition, *, first: bool) -> Cut[FrameT]:
        keys = self._candidates.take(start, end, (begin.end, ending.start))
        moved = [m for m in self._movements if m.since >= max(start, begin.end) and m.time <= min(end, ending.start)]
        self._movements = [m for m in self._movements if m.time > end]
        for movement in moved:
            self.motion.add(movement)
        gradual = first and begin.end > begin.start
        return Cut(start, end, keys, "fade" if gradual else "cut", mean_energy(moved), camera(moved))
