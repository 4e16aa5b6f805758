"""The detector of nakedness in pictures: NudeNet (a YOLOv8-nano of 320 px), as its package ships it.

The weights are under the AGPL-3.0, so they come by an extra of their own (`pip install "crossmedia[nudity]"`); this
file reads them without its code. https://github.com/notAI-tech/NudeNet
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import NUDITY
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, letterbox
from crossmedia.embeddings.onnx import session

SIDE: Final = 320
MIN_EXPOSURE_SCORE: Final = 0.4
"""Score from which a detection counts; the package's own default is lower, for people who review all of it."""
OVERLAP: Final = 0.45
EXPOSED: Final = {2: "buttocks", 3: "breast", 4: "genitalia", 6: "anus", 14: "genitalia"}
"""Of the network's 18 classes those that are nakedness. Faces, feet, bellies, men's chests and what is covered are left
out."""


class NudityDetector:
    """Pictures → what is naked in them. `folder` holds `320n.onnx`, opened at the first picture; safe for several
    threads."""

    model: str = f"{NUDITY.id}@{NUDITY.revision}"

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self.path = folder / NUDITY.files[0].name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    def detect(self, batch: Sequence[Picture], least: float = MIN_EXPOSURE_SCORE) -> list[list[Detection]]:
        """Of each picture what is exposed, best first, with its box in fractions. `score` ranks; it is no measured
        frequency."""
        return [self._look(picture, least) for picture in batch]

    def _look(self, picture: Picture, least: float) -> list[Detection]:
        (raw,) = self._network.run(None, {self._network.get_inputs()[0].name: pad_to_square(picture)[None]})
        return decode_output(raw[0], picture, least)


def pad_to_square(picture: Picture) -> NDArray[np.float32]:
    """(3, 320, 320) RGB in [0, 1]: the picture in the left upper corner of a black square, as in training."""
    square = letterbox(picture, SIDE, fill=0)
    return np.ascontiguousarray(square.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)


def decode_output(raw: NDArray[np.float32], picture: Picture, least: float) -> list[Detection]:
    """The network's answer (22, 2100), four numbers of a box and 18 scores a column, as what is naked, doubles taken
    out."""
    classes = np.array(list(EXPOSED))
    scores = raw[4 + classes]
    best = scores.argmax(axis=0)
    score = scores[best, np.arange(scores.shape[1])]
    kept = np.flatnonzero(score >= least)
    middle, size = raw[:2, kept].T, raw[2:4, kept].T
    corners = np.concatenate([middle - size / 2, size], axis=1)
    numbers = classes[best[kept]]
    rows = cv2.dnn.NMSBoxesBatched(corners.tolist(), score[kept].tolist(), numbers.tolist(), least, OVERLAP)
    longest = max(picture.width, picture.height)
    shares = np.array([longest / picture.width, longest / picture.height] * 2) / SIDE
    detections = []
    for row in np.asarray(rows, dtype=np.int64).reshape(-1):
        x, y, width, height = corners[row]
        x0, y0, x1, y1 = (np.array([x, y, x + width, y + height]) * shares).clip(0, 1).tolist()
        if x1 > x0 and y1 > y0:
            detections.append(Detection(EXPOSED[int(numbers[row])], float(score[kept][row]), (x0, y0, x1, y1)))
    return sorted(detections, key=lambda one: -one.score)
