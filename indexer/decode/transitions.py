"""Find dissolves and fades: frames that are mixtures of the frames at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.indexer.decode.likeness import FLAT, FLOOR, Tiny

_HALVES: Final = (2, 3, 4, 6, 8, 10, 12, 15)
"""Half lengths that are tried, in looks: at 10 to 12 looks a second, windows of 0.4 to 3 s."""
_KEPT: Final = 2 * _HALVES[-1] + 2
_CHANGE: Final = 0.55
"""How unlike the two ends must be (`likeness.change`)."""
_ALIKE: Final = 0.7
"""Ends that correlate more are one scene in another light, or moved a little."""
_RESIDUE: Final = 0.5
"""Distance of the middle frame from the mixture, in half distances of the ends: 0 in a dissolve of stills, 1.4 to 1.7
in a pan."""
_MOVING: Final = 0.8
"""The same where the two shots move meanwhile, which only fine contrast tells from a pan."""
_CREDIT: Final = 2.5
_LONG: Final = 4
"""Half lengths, in looks, in which shots can move by enough for that."""
_DETAIL: Final = 0.78
"""Fine contrast of the middle frame in parts of the mean of both ends': ½ in a dissolve, about 1 in a pan over leaves,
whose tiny copies are mixtures too."""
_JUMP: Final = 0.7
"""A larger share of the way in one look is a hard cut."""
_BACK: Final = -0.12
_GAP: Final = 0.35
"""Seconds between two looks beyond which nothing is known of what happened between them."""
_MAX_FLAT_SECONDS: Final = 4.0
"""Seconds of black after which a fade is over, whatever follows."""


@dataclass(frozen=True, slots=True)
class Transition:
    """From `start` to `end`, s; the cut is said to be at `middle`."""

    start: float
    middle: float
    end: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    transition: Transition
    score: float
    until: int
    """The look by which nothing better can come."""
    window: tuple[float, float]
    """The times of its first and last look, s; a hard cut between them would be what changed the picture."""
    flat_before: bool
    flat_after: bool


class TransitionFinder:
    """Looks, about ten a second in ascending time; gives the transitions, up to `horizon` all of them.

    In a window of looks a … b the share of b in a look k is its projection α on b − a. In a dissolve α goes from 0 to 1
    without a jump and the rest ‖k − (a + α(b − a))‖ is small beside ‖b − a‖ (the linear model of Hampapur, Jain and
    Weymouth 1994); in a pan or behind a passing bus it is not. A fade out and in is two of them around flat frames and
    counts as one; flat frames that a hard cut begins or ends, or that begin or end the video, are none. The thresholds
    were chosen with `python -m crossmedia.eval.shots 1`.
    """

    def __init__(self) -> None:
        self._times: list[float] = []
        self._tinies: list[Tiny] = []
        self._details: list[float] = []
        self._rows: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._gram: NDArray[np.float64] = np.zeros((_KEPT, _KEPT))
        self._seen = 0
        self._open: list[_Candidate] = []
        """What something better may still take the place of."""
        self._dark: Transition | None = None
        """A fade out whose end is not known yet; its `end` is the last flat frame so far."""
        self._cuts: list[float] = []

    @property
    def horizon(self) -> float:
        """No transition that begins earlier will be reported, s."""
        if not self._times:
            return 0.0
        starts = [found.transition.start for found in self._open] + ([self._dark.start] if self._dark else [])
        return min([self._times[0], *starts])

    def cut(self, time: float) -> None:
        """A hard cut was found at `time`, s."""
        self._cuts.append(time)
        if self._dark and time > self._dark.start:
            self._dark = None

    def look(self, tiny: Tiny, detail: float, time: float) -> list[Transition]:
        """One more look, `time` in s; `detail`: the energy of its fine contrast (mean square of a gradient), in any
        unit."""
        self._append(tiny, detail, time)
        for half in _HALVES:
            if 2 * half < len(self._times) and (found := self._mixture(half)):
                self._offer(found)
        done: list[Transition] = []
        while self._open and self._seen > self._open[0].until:
            done += self._settle(self._open.pop(0))
        return done + self._darkness(tiny, time)

    def finish(self) -> list[Transition]:
        """What is left at the end: a fade out that nothing follows is no transition."""
        return [transition for found in self._open for transition in self._settle(found)]

    def _append(self, tiny: Tiny, detail: float, time: float) -> None:
        if self._rows.shape[1:] != tiny.values.shape:
            self._rows = np.zeros((_KEPT, len(tiny.values)), np.float32)
            self._times, self._tinies, self._details = [], [], []
        if len(self._times) == _KEPT:
            self._rows[:-1] = self._rows[1:]
            self._gram[:-1, :-1] = self._gram[1:, 1:]
            del self._times[0], self._tinies[0], self._details[0]
        at = len(self._times)
        self._times.append(time)
        self._tinies.append(tiny)
        self._details.append(detail)
        self._seen += 1
        self._rows[at] = tiny.values
        self._gram[at, : at + 1] = self._gram[: at + 1, at] = (self._rows[: at + 1] @ tiny.values) / len(tiny.values)
        self._cuts = [cut for cut in self._cuts if cut > self._times[0] - _MAX_FLAT_SECONDS - 2]

    def _mixture(self, half: int) -> _Candidate | None:
        """The transition in the last 2·half + 1 looks, if they are one."""
        last = len(self._times) - 1
        first = last - 2 * half
        gram, a, b = self._gram[first : last + 1, first : last + 1], self._tinies[first], self._tinies[last]
        apart = gram[0, 0] + gram[-1, -1] - 2 * gram[0, -1]
        if apart < _CHANGE**2 * (a.contrast**2 + b.contrast**2 + 2 * FLOOR**2):
            return None
        share = (gram[:, -1] - gram[:, 0] - gram[0, -1] + gram[0, 0]) / apart
        steps = np.diff(share)
        if abs(share[half] - 0.5) > 0.2 or steps.max() > _JUMP or steps.min() < _BACK:
            return None
        rest = np.diag(gram) + gram[0, 0] - 2 * gram[:, 0] - np.square(share) * apart
        residue = 2 * np.sqrt(max(0.0, rest[half]) / apart)
        times = self._times[first:]
        if (
            residue > self._bearable(first, half, last)
            or max(np.diff(times)) > _GAP
            or self._same_scene(a, b, gram[0, -1])
        ):
            return None
        score = float(np.sqrt(apart) * (1 - residue))
        spanned = _span(share, times)
        return _Candidate(spanned, score, self._seen + _HALVES[-1] - half + 2, (times[0], times[-1]), a.flat, b.flat)

    def _bearable(self, first: int, half: int, last: int) -> float:
        """How large the residue may be: the more fine contrast is gone in the middle, the surer it is a mixture."""
        if self._tinies[first].flat or self._tinies[last].flat:
            return _RESIDUE
        ends = (self._details[first] + self._details[last]) / 2
        spare = _DETAIL - self._details[half + first] / max(ends, 1e-9)
        if spare < 0:
            return -1.0
        return min(_MOVING, _RESIDUE + _CREDIT * spare) if half >= _LONG else _RESIDUE

    @staticmethod
    def _same_scene(a: Tiny, b: Tiny, product: float) -> bool:
        if min(a.contrast, b.contrast) < FLAT:
            return False
        return float(product - float(a.means @ b.means) / 3) > _ALIKE * a.contrast * b.contrast

    def _offer(self, found: _Candidate) -> None:
        rivals = [other for other in self._open if _one(found.transition, other.transition)]
        if all(found.score > rival.score for rival in rivals):
            kept = [other for other in self._open if other not in rivals] + [found]
            self._open = sorted(kept, key=lambda one: one.transition.middle)

    def _settle(self, found: _Candidate) -> list[Transition]:
        span = found.transition
        if self._cut_between(*found.window):
            return []
        if found.flat_after:
            if not found.flat_before:
                self._dark = span
            return []
        if found.flat_before:
            dark, self._dark = self._dark, None
            if dark is None:
                return []
            span = Transition(dark.start, (dark.start + span.end) / 2, span.end)
        return [] if self._cut_between(span.start, span.end) else [span]

    def _darkness(self, tiny: Tiny, time: float) -> list[Transition]:
        """Ends a fade out that no fade in was seen after."""
        dark = self._dark
        if dark is None:
            return []
        if tiny.flat:
            self._dark = dark = Transition(dark.start, (dark.start + time) / 2, time)
        waited = time - dark.end > self._times[-1] - self._times[0] - 0.5
        if dark.end - dark.start > _MAX_FLAT_SECONDS or (waited and not self._open):
            self._dark = None
            return [dark]
        return []

    def _cut_between(self, start: float, end: float) -> bool:
        return any(start < cut <= end for cut in self._cuts)


def _one(first: Transition, second: Transition) -> bool:
    """Whether both are views of the same transition."""
    return first.start <= second.middle <= first.end or second.start <= first.middle <= second.end


def _span(share: NDArray[np.float64], times: list[float]) -> Transition:
    """Where the share of the second picture leaves 0, is half and reaches 1; a straight line through 0.2 and 0.8."""
    rising = np.maximum.accumulate(share)
    early, middle, late = (float(np.interp(level, rising, times)) for level in (0.2, 0.5, 0.8))
    margin = (late - early) / 3
    return Transition(max(times[0], early - margin), middle, min(times[-1], late + margin))
