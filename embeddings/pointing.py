"""Point at words in a picture: how near each place of it is to them, and whether it shows them at all.

`ClipPointer` (`pointing_clip.py`) reads the patches of CLIP's own tower, `StudentPointer` (`pointing_student.py`) the
coarser map of the one in the package. Places are compared with the middle one of their own picture: how near a place is
to words says little, since whole pictures lie nearer to some words than to others. What similarities mean was fitted
on composed and on real pictures (`eval/where.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vector, Vectors
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture

Floats: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of the picture."""

MIN_SEEN_CHANCE: Final = 0.5
"""Chance under which words are not seen: where those that are there and those that are not are right equally often."""
BOX_EDGE: Final = 0.4
"""How far from the middle to the greatest similarity the box of a thing reaches."""


class CannotPoint(CrossmediaError):
    """Encoders of whose pictures no places are known."""

    code = "cannot_point"
    status = 501


@dataclass(frozen=True)
class Meaning:
    """What similarities mean as chances, by logistic regression: of a cell by its `contrast` to the middle cell, and of
    a picture by its greatest contrast and by the `likeness` of the whole."""

    cell_contrast: float
    cell_bias: float
    contrast: float
    likeness: float
    bias: float


@dataclass(frozen=True)
class Heat:
    """Where in a picture words are: `cells` (rows, columns) over the whole picture, each the chance in [0, 1] that it
    is of what is asked for, provided that this is there; `chance` in [0, 1]: whether it is there at all."""

    cells: Floats
    chance: float

    @property
    def seen(self) -> bool:
        """Whether the picture shows it."""
        return self.chance >= MIN_SEEN_CHANCE

    @property
    def point(self) -> tuple[float, float]:
        """The middle of the hottest cell, x and y in fractions of the picture."""
        row, column = divmod(int(self.cells.argmax()), self.cells.shape[1])
        return (column + 0.5) / self.cells.shape[1], (row + 0.5) / self.cells.shape[0]

    @property
    def box(self) -> Box:
        """What surrounds the hot cells that are joined to the hottest."""
        logits = np.log(self.cells / (1 - self.cells))
        middle = float(np.median(logits))
        hot = logits >= middle + BOX_EDGE * (float(logits.max()) - middle)
        rows, columns = self.cells.shape
        _, stretches = cv2.connectedComponents(hot.astype(np.uint8), connectivity=4)
        down, across = np.nonzero(stretches == stretches.flat[self.cells.argmax()])
        left, top, right, bottom = (int(end) for end in (across.min(), down.min(), across.max(), down.max()))
        return left / columns, top / rows, (right + 1) / columns, (bottom + 1) / rows


class Pointer(Protocol):
    """Finds words in pictures. `said`: their unit vector in the space of the pointer's pictures, without the further
    dimensions of `query_bank.py`."""

    model: str
    dim: int
    """Numbers of such a vector."""
    meaning: Meaning
    """What its similarities mean."""

    def likeness(self, picture: Picture, said: Vector) -> float:
        """How near the whole picture is to the words: a cosine, and cheaper than `point`."""
        ...

    def similarities(self, picture: Picture, said: Vectors) -> tuple[Floats, Floats]:
        """Of several words (N, 512) how near the cells (N, rows, columns) and the whole (N,) are, before it is said
        what that means."""
        ...

    def point(self, picture: Picture, said: Vector) -> Heat:
        """Of a picture of any size and shape. Raises ModelMissing or ModelCorrupt."""
        ...


def heat(cells: Floats, likeness: float, meaning: Meaning) -> Heat:
    """Similarities of cells (rows, columns) and of the whole picture as chances."""
    contrasts = cells - np.median(cells)
    certain = meaning.contrast * float(contrasts.max()) + meaning.likeness * likeness + meaning.bias
    # Within what 32 bits tell from 0 and 1.
    chances = _chance(meaning.cell_contrast * contrasts + meaning.cell_bias).clip(1e-6, 1 - 1e-6)
    return Heat(chances.astype(np.float32), float(_chance(np.asarray(certain))))


def scaled(cells: Floats, rows: int, columns: int) -> Floats:
    """Cells of another number, linear between them."""
    return np.asarray(cv2.resize(cells, (columns, rows), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _chance(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    whole: NDArray[np.floating] = 1 / (1 + np.exp(-logits))
    return whole
