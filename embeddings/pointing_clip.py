"""Point at words with the patches of CLIP ViT-B/16's picture tower.

Its last block mixes what lies anywhere into every patch, so that the patches it gives out say little of their own
place. Here patches attend to those with keys like their own, and neither the residual stream nor the last perceptron is
added: F. Wang, J. Mei and A. Yuille, "SCLIP" (ECCV 2024), M. Lan et al., "ClearCLIP" (ECCV 2024), both after C. Zhou,
C. C. Loy and B. Dai, "Extract free dense labels from CLIP" (MaskCLIP, ECCV 2022), which takes each patch's value alone.
The pinned network stays as it is: nodes are put behind its own.

A picture is looked at in squares of its short side and of half of it, whatever its shape. Which reading, and that
smaller squares help, was chosen by pointing at things of known places (`eval/where.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import cv2
import numpy as np

from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.clip_b16 import DIM, RECIPE
from crossmedia.embeddings.clip_b16_weights import EPSILON, GRAPH, HEADS
from crossmedia.embeddings.encoder import Vector, Vectors, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import node, session
from crossmedia.embeddings.picture_recipe import limit_proportions
from crossmedia.embeddings.pointing import Floats, Heat, Meaning, heat, scaled

Reading: TypeAlias = Literal["keys", "queries", "values", "plain"]
"""What becomes of the patches: a mean of the values of those with like keys, or queries, each its own value, or what
the tower gives out."""
QUERIES, KEYS, VALUES = "n548.0", "n548.1", "n548.2"
"""Tensors of the network's last block, (N, 197, 768): the class's token, then the patches row by row."""
STATES: Final = "states"
"""What its last block gives out, (N, 197, 768)."""
DENSE: Final = "dense"
"""What is put behind them, (N, 197, 512)."""
PATCHES: Final = 14
"""A side of what is looked at at once."""
FLOAT: Final = 1
"""ONNX's number of the type."""
CELLS: Final = 2 * PATCHES
"""Of the short side of a picture."""
LONGEST_FINE: Final = 3.0
"""Times its short side from which a picture is looked at in squares of its short side only: there would be many."""
BLUR: Final = 0.6
"""How much each neighbour of a cell counts beside it, and its square that of a neighbour across."""
MEANING: Final = Meaning(cell_contrast=30.4, cell_bias=-0.96, contrast=19.5, likeness=12.25, bias=-3.43)


class ClipPointer:
    """`folder` holds the graph of `clip_b16.py` and its weights; asked for with the first picture. As many squares are
    looked at at once as there are `threads`. Safe for several threads."""

    model: str = f"{CLIP_B16.id}@{CLIP_B16.revision}"
    dim: int = DIM
    meaning: Meaning = MEANING

    def __init__(
        self, folder: Callable[[], Path], threads: int | None = None, reading: Reading = "keys", *, fine: bool = True
    ) -> None:
        self._folder, self._reading, self._fine = folder, reading, fine
        self.threads = threads or len(os.sched_getaffinity(0))

    @cached_property
    def _network(self) -> Any:
        return session(self._folder() / GRAPH, 1, [DENSE], nodes=_dense(self._reading), lean=True)

    def likeness(self, picture: Picture, said: Vector) -> float:
        """A cosine, of the middle square."""
        vector: Vector = self._network.run(("vector",), {"pixels": RECIPE(picture)[None]})[0]
        return float(normalise(vector)[0] @ said)

    def point(self, picture: Picture, said: Vector) -> Heat:
        """Cells: 28 along the short side. The whole is as like the words as the square that is most so."""
        cells, likeness = self.similarities(picture, said[None])
        return heat(cells[0], float(likeness[0]), self.meaning)

    def similarities(self, picture: Picture, said: Vectors) -> tuple[Floats, Floats]:
        """As cosines, of several words (N, 512): of the cells (N, rows, columns) and of the whole (N,)."""
        shown = limit_proportions(picture)
        short, long = sorted((shown.width, shown.height))
        rows, columns = (round(CELLS * side / short) for side in (shown.height, shown.width))
        levels = [self._level(shown, said, rows, columns, CELLS)]
        whole = np.max([like for _, like in levels[0]], axis=0)
        if self._fine and long <= LONGEST_FINE * short:
            levels.append(self._level(shown, said, rows, columns, PATCHES))
        cells = np.zeros((len(said), rows, columns), np.float32)
        for level in levels:
            total, count = np.zeros_like(cells), np.zeros((rows, columns), np.float32)
            for (place, near), _ in level:
                total[:, *place] += near
                count[place] += 1
            cells += total / count / len(levels)
        return np.stack([_blurred(one) for one in cells]), whole

    def _level(
        self, picture: Picture, said: Vectors, rows: int, columns: int, size: int
    ) -> list[tuple[tuple[tuple[slice, slice], Floats], Floats]]:
        """The picture in squares of so many cells a side: of each its place among the cells, what these say, and what
        all of it does."""

        def look(corner: tuple[int, int]) -> tuple[tuple[tuple[slice, slice], Floats], Floats]:
            top, left = corner
            square = _cut(picture, rows, columns, top, left, size)
            dense, vector = network.run((DENSE, "vector"), {"pixels": RECIPE(square)[None]})
            near = (said @ normalise(dense[0, 1:]).T).reshape(-1, PATCHES, PATCHES)
            place = slice(top, top + size), slice(left, left + size)
            return (place, np.stack([scaled(one, size, size) for one in near])), said @ normalise(vector)[0]

        network = self._network  # opened once, before the threads ask for it
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(look, [(y, x) for y in _starts(rows, size) for x in _starts(columns, size)]))


def _dense(reading: Reading) -> list[bytes]:
    """Nodes that end with the patches, normalised and projected as the class's token is."""
    last = STATES if reading == "plain" else "dense.moved"
    after = [
        node(
            "LayerNormalization",
            [last, "after.weight", "after.bias"],
            "dense.normed",
            attributes={"axis": -1, "epsilon": float(EPSILON)},
        ),
        node("MatMul", ["dense.normed", "projection"], DENSE),
    ]
    if reading == "plain":
        return after
    like = {"keys": KEYS, "queries": QUERIES, "values": VALUES}[reading]
    met = node(
        "MultiHeadAttention",
        [like, like, VALUES],
        "dense.met",
        domain="com.microsoft",
        attributes={"num_heads": HEADS},
    )
    return [
        *([] if reading == "values" else [met]),
        node("Cast", ["11.out.weight"], "dense.levels", attributes={"to": FLOAT}),
        node("Mul", ["dense.levels", "11.out.scale"], "dense.matrix"),
        node("MatMul", [VALUES if reading == "values" else "dense.met", "dense.matrix"], "dense.product"),
        node("Add", ["dense.product", "11.out.bias"], "dense.moved"),
        *after,
    ]


def _starts(count: int, size: int) -> Sequence[int]:
    """Where squares of `size` cells begin among `count`: evenly, each at most half a square after the last."""
    steps = -(-2 * (count - size) // size)
    return [round(n * (count - size) / steps) for n in range(steps + 1)] if steps else [0]


def _cut(picture: Picture, rows: int, columns: int, top: int, left: int, size: int) -> Picture:
    """The pixels of a square of cells, at least one."""
    y, x = top * picture.height // rows, left * picture.width // columns
    height = max(1, round(size * picture.height / rows))
    width = max(1, round(size * picture.width / columns))
    return Picture(np.ascontiguousarray(picture.pixels[y : y + height, x : x + width]))


def _blurred(cells: Floats) -> Floats:
    kernel = np.array([BLUR, 1, BLUR], np.float32) / (1 + 2 * BLUR)
    return np.asarray(cv2.sepFilter2D(cells, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)
