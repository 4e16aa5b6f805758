"""Hard cuts: one frame unlike the frame before it, and neither a flash nor the camera in haste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from crossmedia.indexer.decode.likeness import Small, Tiny, change, change_but_for_shift

_REACH: Final = 0.25
"""Seconds before and after a frame in which changes are compared with its own."""
_NEIGHBOURS: Final = 2
"""Frames at least on each side, however slowly they come."""
_MANY: Final = 8
"""Frames within reach from which on the two largest changes may be one blurred cut; of fewer, two are a quick pan."""
_FLASH: Final = 0.2
"""Seconds after which a flash is over: the pictures around it are the same again."""
_AFTERGLOW: Final = 0.75
"""Between two changes a flash apart, a smaller change than this share of theirs is none: the picture moved
meanwhile."""
_DROPPED: Final = 3.0
"""Frames that may have been left out before one; what moved meanwhile moved so much farther."""
_CHANGE: Final = 0.4
_RATIO: Final = 2.0
_LASTING: Final = 0.35
_SLACK: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    time: float
    small: Small
    tiny: Tiny
    change: float
    """From the frame before."""


class CutFinder:
    """Every frame in ascending time; gives the times of the frames that begin a shot, a quarter of a second late.

    A cut is a change (`likeness.change`) of `_CHANGE` that is `_RATIO` times what goes on around it and that lasts.
    Around it:
    the third largest change within `_REACH`, flashes left out, since a pan goes on, animation drawn on every third
    frame has as many, and a cut that its encoding blurred makes two. Lasting: the frames 0.2 s before and after differ
    as well. A change that is none once the picture is shifted back is a jolt of the camera. The thresholds were chosen
    with `python -m crossmedia.eval.shots 1`.
    """

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._next = 1
        """The first step not judged yet; the very first frame is none."""

    def look(self, small: Small, seen: Tiny, time: float) -> list[float]:
        """One more frame, `time` in s, and its tiny copy; the cuts that became certain."""
        self._steps.append(_Step(time, small, seen, change(self._steps[-1].tiny, seen) if self._steps else 0.0))
        cuts: list[float] = []
        while self._next + _NEIGHBOURS < len(self._steps) and self._steps[self._next].time + _REACH < time + _SLACK:
            cuts += self._judge()
        return cuts

    def finish(self) -> list[float]:
        """The cuts among the last frames."""
        cuts: list[float] = []
        while self._next < len(self._steps):
            cuts += self._judge()
        return cuts

    def _judge(self) -> list[float]:
        at, steps = self._next, self._steps
        step = steps[at]
        self._next += 1
        cut = (
            step.change >= _CHANGE
            and step.change >= _RATIO * self._around(at)
            and self._lasts(at)
            and not self._flashes(at)
            and change_but_for_shift(steps[at - 1].small, step.small) >= _CHANGE
        )
        old = next(number for number, past in enumerate(steps) if past.time >= step.time - _REACH - _FLASH - _SLACK)
        drop = min(old, self._next - 1 - _NEIGHBOURS)
        if drop > 0:
            del steps[:drop]
            self._next -= drop
        return [step.time] if cut else []

    def _around(self, at: int) -> float:
        time = self._steps[at].time
        near = [
            number
            for number, step in enumerate(self._steps)
            if number != at and (abs(step.time - time) < _REACH + _SLACK or abs(number - at) <= _NEIGHBOURS)
        ]
        changes = [self._steps[number].change for number in near if number and not self._flashes(number)]
        rank = 3 if len(near) >= _MANY else 1
        if len(changes) < rank:
            return 0.0
        usual = sorted(changes)[-rank]
        spaces = np.diff([step.time for step in self._steps])
        dropped = min(_DROPPED, max(1.0, float(spaces[at - 1] / np.median(spaces))))
        return usual * dropped

    def _lasts(self, at: int) -> bool:
        steps = self._steps
        last, first = steps[at - 1], steps[at]
        before = next(step for step in steps if step.time >= last.time - _FLASH - _SLACK)
        after = next(step for step in reversed(steps) if step.time <= first.time + _FLASH + _SLACK)
        pairs = ((before, after), (last, after), (before, first))
        return all(change(one.tiny, other.tiny) >= _LASTING for one, other in pairs)

    def _flashes(self, at: int) -> bool:
        """Whether the change at `at` and another one near it lead away from a picture and back to it."""
        steps = self._steps
        if steps[at].change < _CHANGE:
            return False
        for other in range(1, len(steps)):
            if other == at or abs(steps[other].time - steps[at].time) > _FLASH + _SLACK:
                continue
            first, last = min(at, other), max(at, other)
            smaller = min(steps[first].change, steps[last].change)
            if smaller >= _CHANGE and change(steps[first - 1].tiny, steps[last].tiny) <= _AFTERGLOW * smaller:
                return True
        return False
