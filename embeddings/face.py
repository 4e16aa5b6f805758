"""The face encoder: dlib's ResNet (D. King 2017), 128 numbers a face. Biometric: runs only if a setting asks for it.

The network reads chips of 150×150 px on which the face lies as dlib's `get_face_chip` lays it with a padding of 0.25:
turned, scaled and moved by its five landmarks, the corners of the eyes and the base of the nose. YuNet tells other
points (the middles of the eyes, the tip of the nose, the corners of the mouth). `CHIP` is where those lie on dlib's
chips, measured on faces that both see (`embeddings/train/face.py`). A vector is the middle of the chip's and of its
mirror image's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import FACE
from crossmedia.embeddings.encoder import Encoding, Modality, Space, normalise
from crossmedia.embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing
from crossmedia.embeddings.faces import Portrait

SIDE: Final = 150
CHIP: Final = ((49.1, 44.5), (100.9, 44.5), (75.0, 76.0), (53.3, 100.5), (96.7, 100.5))
"""Left eye, right eye, nose, corners of the mouth as the picture shows them, px of the chip."""
DIM: Final = 128
BATCH: Final = 16
REVISION: Final = 1
"""Of the alignment: another gives other vectors."""


class FaceEncoder:
    """An `Encoder[Portrait]` of the space `face` (128). `folder` holds dlib's weights, opened at the first face.
    Threads take turns. Raises DependencyMissing without dlib.
    """

    modality: Modality = "face"
    spaces: tuple[Space, ...] = (
        Space("face", DIM, FACE.id, FACE.revision, f"five points to 150 px, mirrored too, revision {REVISION}"),
    )
    model: str = f"{FACE.id}@{FACE.revision}+chip@{REVISION}"

    def __init__(self, folder: Path) -> None:
        if find_spec("dlib") is None:
            raise DependencyMissing("dlib, which tells faces apart, is not installed", FACE.install)
        self.path = folder / FACE.files[0].name
        self._lock = threading.Lock()

    @cached_property
    def _network(self) -> Any:
        import dlib

        if not self.path.is_file():
            raise ModelMissing(f"no network at {self.path}", FACE.install)
        try:
            return dlib.face_recognition_model_v1(str(self.path))
        except RuntimeError as error:
            raise ModelCorrupt(f"{self.path.name} cannot be read: {error}", FACE.install) from error

    def encode(self, batch: Sequence[Portrait]) -> Encoding:
        """Faces → (N, 128) unit rows."""
        rows = np.zeros((len(batch), DIM), dtype=np.float32)
        for start in range(0, len(batch), BATCH):
            chips = [chip(portrait) for portrait in batch[start : start + BATCH]]
            mirrored = [np.ascontiguousarray(one[:, ::-1]) for one in chips]
            with self._lock:
                descriptors = np.array(self._network.compute_face_descriptor([*chips, *mirrored]), dtype=np.float32)
            rows[start : start + len(chips)] = descriptors[: len(chips)] + descriptors[len(chips) :]
        return Encoding({"face": normalise(rows)})


def chip(portrait: Portrait) -> NDArray[np.uint8]:
    """(150, 150, 3) RGB: the face upright in the middle; what lies outside of the picture is as its border."""
    pixels = portrait.picture.pixels
    turn = similarity(portrait.face.pixels(portrait.picture), np.asarray(CHIP, np.float32))
    shrink = float(np.hypot(turn[0, 0], turn[0, 1]))
    if shrink < 0.5:
        # Interpolation looks at four pixels: of a face that large most would go unseen.
        scale = 2 * shrink
        size = (max(1, round(portrait.picture.width * scale)), max(1, round(portrait.picture.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        turn = turn.copy()
        turn[:, 0] *= portrait.picture.width / size[0]
        turn[:, 1] *= portrait.picture.height / size[1]
    warped = cv2.warpAffine(pixels, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def similarity(points: NDArray[np.floating], targets: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that bring points (N, 2) nearest to targets, by least squares (S. Umeyama
    1991).

    Points that all lie in one place are only moved there.

    >>> similarity(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 3.0]])).round(6).tolist()
    [[0.0, -2.0, 1.0], [2.0, 0.0, 1.0]]
    """
    middle, goal = points.mean(axis=0), targets.mean(axis=0)
    one, other = (_plane(each) for each in (points - middle, targets - goal))
    size = float(np.vdot(one, one).real)
    turn = np.vdot(one, other) / size if size > 1e-9 else 1.0 + 0j
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.concatenate([matrix, (goal - matrix @ middle)[:, None]], axis=1)


def _plane(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return np.asarray(points[:, 0] + 1j * points[:, 1], dtype=np.complex128)


def largest(portraits: Iterable[Portrait]) -> Portrait | None:
    """The portrait whose face is the largest."""
    return max(portraits, key=lambda portrait: portrait.size, default=None)
