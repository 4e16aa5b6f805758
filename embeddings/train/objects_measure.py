"""How well a converted detector agrees with the published one, and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, ObjectDetector, fitted_size, letterbox, overlap
from crossmedia.embeddings.onnx import session

MIN_MATCH_OVERLAP: Final = 0.5
"""Intersection over union from which two boxes of one class are one object, as in PASCAL VOC."""
TIMED: Final = 100


def measure(path: Path, published: Path, photos: Sequence[Picture]) -> dict[str, float]:
    """Of the objects that the published network finds in the photos and those of the one at `path`: which share is
    found by both (F1), how far their scores and boxes are apart."""
    detector = ObjectDetector(path.parent, 2, path.name)
    original = session(published, 2)
    truth = [_detect_as_published(original, picture, detector) for picture in photos]
    detected = [detector.detect([picture])[0] for picture in photos]
    matched = [pair for one, other in zip(truth, detected, strict=True) for pair in pairs(one, other)]
    total = sum(map(len, truth)) + sum(map(len, detected))
    return {
        "bytes": path.stat().st_size,
        "objects": sum(map(len, detected)),
        "F1": 2 * len(matched) / max(1, total),
        "score apart": float(np.mean([abs(a.score - b.score) for a, b in matched])),
        "overlap": float(np.mean([overlap(a.box, b.box) for a, b in matched])),
    }


def time_networks(paths: Sequence[Path], photos: Sequence[Picture]) -> list[float]:
    """Median ms a photo of each network, two threads; in turn, so that what else the machine does meets all of them."""
    networks = [session(path, 2) for path in paths]
    times: list[list[float]] = [[] for _ in paths]
    for square in (letterbox(picture)[None] for picture in [photos[0], *photos[:TIMED]]):
        for network, own in zip(networks, times, strict=True):
            started = time.perf_counter()
            network.run(None, {"pixels": square})
            own.append(time.perf_counter() - started)
    return [float(np.median(own[1:]) * 1000) for own in times]


def pairs(one: Sequence[Detection], other: Sequence[Detection]) -> list[tuple[Detection, Detection]]:
    """One-to-one, of one class, overlapping by at least `MIN_MATCH_OVERLAP`, as many overlaps in sum as can be.

    >>> dog = Detection("dog", 0.9, (0.0, 0.0, 0.5, 0.5))
    >>> len(pairs([dog], [dog, Detection("cat", 0.9, dog.box)]))
    1
    """
    if not one or not other:
        return []
    shared = np.array([[overlap(a.box, b.box) * (a.value == b.value) for b in other] for a in one])
    rows, columns = linear_sum_assignment(-np.where(shared >= MIN_MATCH_OVERLAP, shared, 0.0))
    return [
        (one[r], other[c])
        for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
        if shared[r, c] >= MIN_MATCH_OVERLAP
    ]


def _detect_as_published(network: Any, photo: Picture, detector: ObjectDetector) -> list[Detection]:
    """What the network as published finds, fed as its authors do: linear interpolation, blue first, floats."""
    width, height = fitted_size(photo)
    square = letterbox(photo)
    square[:height, :width] = cv2.resize(photo.pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    planes: NDArray[np.float32] = square[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    (raw,) = network.run(None, {"images": planes})
    return detector.named(photo, raw[0])
