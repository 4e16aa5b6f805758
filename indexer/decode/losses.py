"""Stretches of a track that were lost to damage, and how they are told."""

from __future__ import annotations

from typing import Final

_JOIN: Final = 1.0
"""Stretches closer than this, s, are one."""


class Losses:
    """Spans in seconds, in the order they are found."""

    def __init__(self) -> None:
        self._spans: list[list[float]] = []

    def add(self, start: float, end: float) -> None:
        """What was between the two times is missing."""
        start, end = max(0.0, start), max(0.0, end)
        if self._spans and start - self._spans[-1][1] < _JOIN:
            self._spans[-1] = [min(start, self._spans[-1][0]), max(end, self._spans[-1][1])]
        else:
            self._spans.append([start, end])

    def told(self, what: str) -> list[str]:
        """One sentence a stretch about `what` (`the pictures`)."""
        verb = "are damaged and were" if what.endswith("s") else "is damaged and was"
        return [f"{what} from {start:.1f} to {end:.1f} s {verb} left out" for start, end in self._spans]
