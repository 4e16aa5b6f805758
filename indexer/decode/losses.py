"""Stretches of a track that were lost to damage, and the warnings about them."""

from __future__ import annotations

from typing import Final

_JOIN: Final = 1.0
"""Stretches closer than this, s, are one."""
_GAP: Final = 0.5
"""Seconds without a frame that are a loss where bytes were skipped too; slide shows have such gaps without one."""


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

    def describe(self, what: str) -> list[str]:
        """One sentence a stretch about `what` (`the pictures`)."""
        verb = "are damaged and were" if what.endswith("s") else "is damaged and was"
        return [f"{what} from {start:.1f} to {end:.1f} s {verb} left out" for start, end in self._spans]


class Damage:
    """What of a picture track was lost, told from signs of damage and from the whole frames around them.

    A sign alone says little: decoders conceal some damage, and drop frames after it without a word until the next key
    frame.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        """Usual seconds from one frame to the next."""
        self._signs: list[tuple[float, bool]] = []
        """Those that no whole frame came after yet."""
        self.losses = Losses()

    def sign(self, time: float, *, sure: bool) -> None:
        """Something at `time` s could not be read; `sure` if a frame is lost for that."""
        self._signs.append((time, sure))

    def whole(self, time: float, seconds: float) -> None:
        """A whole frame at `time`; the ones before it ended at `seconds`."""
        until = time + self._interval / 2
        due = [sign for sign in self._signs if sign[0] <= until]
        if not due:
            return
        self._signs = [sign for sign in self._signs if sign[0] > until]
        sure = [when for when, certain in due if certain]
        if time - seconds > (self._interval / 2 if sure else _GAP):
            self.losses.add(seconds, time)
        elif sure:
            self.losses.add(min(sure), max(sure) + self._interval)

    def finish(self, seconds: float) -> None:
        """No frame follows; the last one ended at `seconds`."""
        late = [time for time, sure in self._signs if sure]
        if late:
            self.losses.add(min(seconds, *late), max(late) + self._interval)
