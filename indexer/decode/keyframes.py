"""Choose the frames that stand for a shot: sharp ones, and more than one only where the picture changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from crossmedia.indexer.decode.likeness import Tiny, change

INTERVAL: Final = 0.25
"""Seconds between two candidates."""
MAX_KEYFRAMES: Final = 3
"""Key frames a shot has at most."""
_CANDIDATES: Final = 16
_NOVEL: Final = 0.75
"""Change from every frame chosen so far that makes a further one worth it; 1 is another picture altogether."""
_BLURRED: Final = 0.4
"""A further frame is at least this sharp, in parts of the first one's sharpness."""
_TICK: Final = 1e-5

FrameT = TypeVar("FrameT")


@dataclass(frozen=True, slots=True, eq=False)
class Candidate(Generic[FrameT]):
    """`frame`, shown at `time` s; `sharpness` is the variance of its Laplacian."""

    frame: FrameT
    time: float
    sharpness: float
    tiny: Tiny


class Candidates(Generic[FrameT]):
    """Frames that may come to stand for the open shot: few and evenly spread, but all since the `horizon` of the
    cuts."""

    def __init__(self) -> None:
        self._all: list[Candidate[FrameT]] = []
        self._shown: Candidate[FrameT] | None = None
        self._spacing = 0.0

    def wants(self, time: float) -> bool:
        """Whether the frame at `time` s should be added."""
        return not self._all or time - self._all[-1].time >= INTERVAL - _TICK

    def add(self, candidate: Candidate[FrameT], horizon: float) -> None:
        """No cut will be found before `horizon`, s."""
        self._all.append(candidate)
        old = [other for other in self._all if other.time < horizon]
        if len(old) >= 2 and old[-1].time - old[-2].time < self._spacing:
            del self._all[len(old) - 1]
        elif len(old) > _CANDIDATES:
            kept = old[::2]
            self._spacing = (kept[-1].time - kept[0].time) / (len(kept) - 1) * 0.99
            self._all[: len(old)] = kept

    def take(self, start: float, end: float, clear: tuple[float, float]) -> list[Candidate[FrameT]]:
        """The key frames of the shot from `start` to `end`, ascending; candidates before `end` are used up.

        Outside of `clear` the shot is not quite there (it is faded in or out). Where no new frame was shown (a slide
        show), the last one still is. Empty only before the first candidate.
        """
        # Cut times are rounded to ticks, so a frame shown at the cut may lie a tick before it.
        mine = [candidate for candidate in self._all if candidate.time < end - _TICK]
        self._all = self._all[len(mine) :]
        self._spacing = 0.0
        inside = [candidate for candidate in mine if candidate.time >= start - _TICK]
        whole = [candidate for candidate in inside if clear[0] <= candidate.time <= clear[1]]
        shown = mine[-1] if mine else self._shown
        self._shown = shown
        return choose(whole or inside, start, end) or ([shown] if shown else [])


def choose(inside: Sequence[Candidate[FrameT]], start: float, end: float) -> list[Candidate[FrameT]]:
    """Up to `MAX_KEYFRAMES`, ascending in time: the sharpest in the middle half of a shot (else the one nearest its
    middle), then what is least like those chosen (farthest-point sampling) while it is really another picture."""
    quarter, middle = (end - start) / 4, (start + end) / 2
    central = [candidate for candidate in inside if abs(candidate.time - middle) <= quarter]
    first = max(central, key=lambda candidate: candidate.sharpness, default=None) or min(
        inside, key=lambda candidate: abs(candidate.time - middle), default=None
    )
    if first is None:
        return []
    chosen = [first]
    rest = [c for c in inside if c is not first and not c.tiny.flat and c.sharpness >= _BLURRED * first.sharpness]
    while rest and len(chosen) < MAX_KEYFRAMES:
        novelty, index = max((min(change(c.tiny, o.tiny) for o in chosen), i) for i, c in enumerate(rest))
        if novelty < _NOVEL:
            break
        chosen.append(rest.pop(index))
    return sorted(chosen, key=lambda candidate: candidate.time)
