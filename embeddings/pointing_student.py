"""Point at words with the picture tower in the package, by what it misses: coarser than CLIP's own, and less often
right.

Its vector is made of the mean of 9×9 cells. A place is as near to the words as the vector is nearer to them with the
3×3 cells around it than without: M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks"
(ECCV 2014), here on cells instead of pixels, so that the network runs once. Single cells through the head point right
two times in five, what they lack two in three (`eval/where.py`).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from crossmedia.embeddings.cards import LITE2, STUDENT
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.encoder import Vector, Vectors
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import HEAD, NETWORK, SIDE, StudentHead, prepare
from crossmedia.embeddings.pointing import Floats, Heat, Meaning, heat, scaled
from crossmedia.embeddings.segmentation import picture_rectangle

CELLS: Final = "/Clip_1_output_0_DequantizeLinear_Output"
"""The tensor of the network whose mean its head reads, (N, 1280, 9, 9)."""
AROUND: Final = 3
"""Cells a side that are left out at once."""
SHOWN: Final = 28
"""Cells of the longer side that are given out."""
MEANING: Final = Meaning(cell_contrast=53.9, cell_bias=-0.2, contrast=45.0, likeness=11.2, bias=-1.8)


class StudentPointer:
    """`tower` holds `lite2-int8.onnx`, `head` the head; both are opened with the first picture. Safe for several
    threads."""

    model: str = f"{LITE2.id}@{LITE2.revision}+{STUDENT.id}@{STUDENT.revision}"
    dim: int = DIM
    meaning: Meaning = MEANING

    def __init__(self, tower: Path, head: Path, threads: int | None = None) -> None:
        self._tower, self._path, self._threads = tower, head, threads

    @cached_property
    def _network(self) -> Any:
        return session(self._tower / NETWORK, self._threads, [CELLS], lean=True)

    @cached_property
    def _head(self) -> StudentHead:
        return StudentHead.read(self._path / HEAD)

    def likeness(self, picture: Picture, said: Vector) -> float:
        """A cosine."""
        return float(self._head(self._cells(picture).mean(axis=(0, 1))[None])[0] @ said)

    def point(self, picture: Picture, said: Vector) -> Heat:
        """Cells: 28 along the longer side, of which the network tells nine apart."""
        cells, likeness = self.similarities(picture, said[None])
        return heat(cells[0], float(likeness[0]), self.meaning)

    def similarities(self, picture: Picture, said: Vectors) -> tuple[Floats, Floats]:
        """Of several words (N, 512) what each cell (N, rows, columns) adds to their cosine, and the cosine (N,)."""
        cells = self._cells(picture)
        count = cells.shape[0]
        total = cells.sum(axis=(0, 1))
        band = (np.abs(np.arange(count)[:, None] - np.arange(count)) <= AROUND // 2).astype(np.float32)
        around = np.einsum("ai,bj,ijc->abc", band, band, cells, optimize=True)
        near = band.sum(1)
        rest = (total - around) / (count**2 - near[:, None] * near)[..., None]
        whole: Floats = said @ self._head((total / count**2)[None])[0]
        without = said @ self._head(rest.reshape(count * count, -1).astype(np.float32)).T
        adds = (whole[:, None] - without).reshape(-1, count, count)
        left, top, width, height = picture_rectangle(picture)
        size = tuple(max(1, round(SHOWN * side / max(width, height))) for side in (width, height))
        cut = [scaled(one, SIDE, SIDE)[top : top + height, left : left + width] for one in adds]
        return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in cut]), whole

    def _cells(self, picture: Picture) -> Floats:
        """(9, 9, 1280) of the padded square."""
        cells: Floats = self._network.run((CELLS,), {"pixels": prepare(picture)[None]})[0][0]
        return cells.transpose(1, 2, 0)
