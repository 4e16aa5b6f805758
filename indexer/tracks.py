"""Track objects through a shot, frame by frame, by norfair.

Method: detections are joined to Kalman filters of the boxes' corners where they overlap enough, each class by itself
(SORT; A. Bewley, Z. Ge, L. Ott, F. Ramos and B. Upcroft 2016), as the library norfair does it (Tryolabs; the fork that
is kept up is `norfair-enough`, BSD-3-Clause).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.objects import Detection, overlap
from crossmedia.retrieval.documents import Box

RATE: Final = 4.0
"""Frames a second. What moves by more than two thirds of its size from one to the next is lost, and is another thing
then."""
MAX_BOX_DISTANCE: Final = 0.8
"""1 − intersection over union up to which a detection may be the object that was expected there."""
PATIENCE: Final = 4
"""Frames an object may be unseen, and goes on when it comes back near the place it was expected at."""
MIN_DETECTIONS: Final = 3
"""Detections from which a track is an object: what is seen once or twice is as often a mistake."""
GAIN: Final = 0.1
"""Widths or heights of the picture that a track's middle gets on, from which it moves."""
GROWTH: Final = 1.5
"""Factor by which its box grows or shrinks (square root of the area) from which it comes or goes."""

Direction: TypeAlias = Literal["left", "right", "up", "down", "closer", "away", "still"]


@dataclass(frozen=True)
class Track:
    """One object through a shot. `score`: the best of its detections; `boxes`: of the first, of the best, and of the
    last; `detections`:
    all of them with their times, s."""

    value: str
    score: float
    start: float
    end: float
    boxes: tuple[Box, Box, Box]
    direction: Direction
    detections: tuple[tuple[float, Detection], ...] = ()


class Tracker:
    """Follows the objects of one shot after the other. Raises DependencyMissing without norfair."""

    def __init__(self) -> None:
        if find_spec("norfair") is None:
            raise DependencyMissing(
                "norfair-enough, which follows objects, is not installed", "pip install norfair-enough==2.4.3"
            )
        self.model = f"norfair-{version('norfair-enough')}"

    def follow(self, frames: Iterable[tuple[float, Sequence[Detection]]], end: float) -> list[Track]:
        """(time in s, objects) of a shot's frames, ascending, `end` when it ends → its tracks by their beginnings.

        A track lasts from its first detection until the frame after its last, or the shot's end.
        """
        import norfair
        from norfair.distances import VectorizedDistance

        tracker = norfair.Tracker("iou", MAX_BOX_DISTANCE, hit_counter_max=PATIENCE, initialization_delay=0)
        # The constructor takes no such object, and for a plain function it logs that there is a faster way.
        tracker.distance_function = VectorizedDistance(_apart)
        seen: dict[int, list[tuple[float, Detection]]] = {}
        until: dict[int, float] = {}
        last: list[int] = []
        for time, objects in frames:
            until |= dict.fromkeys(last, time)
            alive = tracker.update([_detection(norfair, time, one) for one in objects])
            last = []
            for track in alive:
                at, one = track.last_detection.data
                if at == time:
                    seen.setdefault(track.global_id, []).append((time, one))
                    last.append(track.global_id)
        until |= dict.fromkeys(last, end)
        tracks = [_track(looks, until[number]) for number, looks in seen.items() if len(looks) >= MIN_DETECTIONS]
        return sorted(tracks, key=lambda track: (track.start, -track.score))


def _detection(norfair: Any, time: float, one: Detection) -> Any:
    corners = np.array([one.box[:2], one.box[2:]], dtype=np.float64)
    return norfair.Detection(corners, scores=np.full(2, one.score), data=(time, one), label=one.value)


def _apart(detections: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 − intersection over union of boxes (N, 4) and (M, 4): (N, M).

    norfair's own refuses a box that a filter, which expects it to go on shrinking, has turned inside out.
    """
    return np.array([[1.0 - overlap(one, other) for other in expected.tolist()] for one in detections.tolist()])


def _track(detections: Sequence[tuple[float, Detection]], end: float) -> Track:
    best = max((one for _, one in detections), key=lambda one: one.score)
    first, last = detections[0][1], detections[-1][1]
    boxes = first.box, best.box, last.box
    return Track(
        best.value, best.score, detections[0][0], end, boxes, direction(first.box, last.box), tuple(detections)
    )


def direction(first: Box, last: Box) -> Direction:
    """Where an object moves between two boxes, as the picture shows it, the movement of the camera included.

    >>> direction((0.0, 0.4, 0.2, 0.6), (0.5, 0.4, 0.7, 0.6))
    'right'
    >>> direction((0.4, 0.4, 0.5, 0.5), (0.3, 0.3, 0.6, 0.6))
    'closer'
    """
    across = (last[0] + last[2] - first[0] - first[2]) / 2
    down = (last[1] + last[3] - first[1] - first[3]) / 2
    if max(abs(across), abs(down)) >= GAIN:
        if abs(across) >= abs(down):
            return "right" if across > 0 else "left"
        return "down" if down > 0 else "up"
    sizes = [max(1e-9, (box[2] - box[0]) * (box[3] - box[1])) ** 0.5 for box in (first, last)]
    if sizes[1] >= GROWTH * sizes[0]:
        return "closer"
    return "away" if sizes[0] >= GROWTH * sizes[1] else "still"
