"""The detector of exchanged faces: MesoInception-4 on faces cut as its authors cut them, without TensorFlow.

D. Afchar, V. Nozick, J. Yamagishi and I. Echizen, "MesoNet: a compact facial video forgery detection network" (WIFS
2018, arXiv:1809.00888); the bundled network is made by `embeddings/train/forgery.py`, its card is `bundled/forgery.md`.
It knows the Deepfakes of 2018: what it gives is an indication, never a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import FORGERY
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.faces import Face
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session

SIDE: Final = 256
"""The square that a face is brought to, px."""
SQUARE_FACTOR: Final = 2.2 * 1.3
"""Side of the square that is cut, in distances of the eyes or from eyes to mouth, whichever is longer: the authors'
own."""
MIN_FACE_SQUARE: Final = 80
"""Side, px, of that square in the picture under which nothing is said: what is enlarged four times is blurred as a
forgery is."""
HIGH_FORGERY_SCORE: Final = 0.98
"""Score from which an answer calls it high (`crossmedia eval trust`)."""


class ForgeryDetector:
    """Faces in pictures → how much each looks forged. `folder` holds `forgery.onnx`, opened at the first; safe for
    several threads."""

    model: str = f"{FORGERY.id}@{FORGERY.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None, name: str = FORGERY.files[0].name) -> None:
        self.path = folder / name
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        return session(self.path, self._threads, lean=True)

    def score(self, picture: Picture, faces: Sequence[Face]) -> list[float | None]:
        """Of each face the network's own probability in [0, 1] that it is forged; None of one that is too small."""
        squares = [align_face(picture, face) for face in faces]
        shown = [square for square in squares if square is not None]
        scores = iter(self.classify(np.stack(shown)).tolist() if shown else [])
        return [None if square is None else next(scores) for square in squares]

    def classify(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of squares (N, 256, 256, 3) RGB, one at a time: (N,)."""
        return np.concatenate([self._network.run(("forged",), {"pixels": square[None]})[0] for square in squares])


def align_face(picture: Picture, face: Face) -> NDArray[np.uint8] | None:
    """(256, 256, 3): the face upright in its square, mirrored where that reaches out of the picture; None of one too
    small."""
    left, right, tip, *mouth = face.pixels(picture).astype(np.float64)
    eyes, lips = (left + right) / 2, (mouth[0] + mouth[1]) / 2
    side = SQUARE_FACTOR * max(float(np.linalg.norm(right - left)), float(np.linalg.norm(lips - eyes)))
    if not side >= MIN_FACE_SQUARE:
        return None
    # The authors' middle lies between the tip of the nose and the middle of its bridge.
    middle = 0.75 * tip + 0.25 * eyes
    turn = float(np.arctan2(lips[0] - eyes[0], lips[1] - eyes[1]))
    pixels, scale = picture.pixels, SIDE / side
    if scale < 0.5:
        # A warp looks at four neighbours only: what is shrunk more is shrunk by its mean before.
        size = max(1, round(2 * scale * picture.width)), max(1, round(2 * scale * picture.height))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        middle, scale = middle * np.array(size) / (picture.width, picture.height), 0.5
    across, down = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[across, -down, 0.0], [down, across, 0.0]])
    matrix[:, 2] = SIDE / 2 - matrix[:, :2] @ middle
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101), dtype=np.uint8)
