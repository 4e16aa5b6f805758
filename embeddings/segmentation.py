"""Segment pictures into sky, grass, water and the like, each with its mask and share of the area.

A softmax over the cells of a grid of 17×17. A cell's row is what three layers of the built-in picture tower say of it
(they are there before pooling, so they cost nothing to train), its colour and texture, and where in the picture it
lies. Edges are then drawn to those of the photo by a guided filter: K. He, J. Sun and X. Tang, "Guided image filtering"
(ECCV 2010). How the softmax is learned: `embeddings/train/areas.py`; how good it is: `bundled/areas.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import AREAS, LITE2
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import SIDE, prepare

Floats: TypeAlias = NDArray[np.float32]

OTHER: Final = "other"
"""What is none of the classes: people, animals, things, rooms; always the last column."""
UNREPORTED_CLASSES: Final = ("road",)
"""Learned, so that it is not taken for sand or water, and then `other`: half of what was told as road was none."""
LAYERS: Final = (
    "/_blocks.6/Add_output_0_DequantizeLinear_Output",
    "/_blocks.14/Add_output_0_DequantizeLinear_Output",
    "/_blocks.20/_project_conv/Conv_output_0_DequantizeLinear_Output",
)
"""Tensors of the tower: 48 values for each of 33×33 cells, 120 for 17×17, 352 for 9×9."""
GRID: Final = 17
CELL_PIXELS: Final = 4
"""Pixels of a cell whose colours are looked at, a side."""
MIN_AREA_PROBABILITY: Final = 0.6
"""Probability under which a place is `other`: chosen on the points of the dev photos."""
MAX_DEVIATIONS: Final = 6.0
"""Standard deviations from the mean at which a value is cut."""
RADIUS: Final = 8
SMOOTH: Final = 0.002
"""Guided filter: half its window, px of 260, and the variance of grey in [0, 1] below which there is no edge."""


@dataclass(frozen=True)
class Segmentation:
    """What a picture's places are: `chances` (rows, columns, classes and `other`) in [0, 1], of the picture alone, its
    longer side 260."""

    classes: tuple[str, ...]
    chances: Floats

    def shares(self) -> dict[str, float]:
        """Each class's share of the area, in [0, 1]."""
        best = decide(self.chances)
        return {name: float((best == number).mean()) for number, name in enumerate(self.classes)}

    def mask(self, name: str, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width): 255 where the class `name` is, else 0. Raises `ValueError` for another class."""
        number = self.classes.index(name)
        # Class by class: OpenCV scales few channels at a time, and all of them at this size would be large.
        rest = self.chances.copy()
        rest[..., number] = 0
        pair = np.dstack([self.chances[..., number], np.maximum(rest.max(axis=2), MIN_AREA_PROBABILITY)])
        large = cv2.resize(pair, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(large[..., 0] >= large[..., 1], 255, 0).astype(np.uint8)


class Segmenter:
    """Pictures → what they are made of. `tower` holds `lite2-int8.onnx`, `folder` `areas.npz`; both are opened at the
    first picture. Safe for several threads."""

    model: str = f"{AREAS.id}@{AREAS.revision}+{LITE2.id}@{LITE2.revision}"

    def __init__(self, tower: Path = BUNDLED, folder: Path = BUNDLED, threads: int | None = None) -> None:
        self._features = Features(tower, threads)
        self._path = folder / AREAS.files[0].name

    @cached_property
    def _learned(self) -> dict[str, Any]:
        with np.load(self._path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of what it tells."""
        return tuple(name for name in self._learned["classes"].tolist() if name not in UNREPORTED_CLASSES)

    def segment(self, picture: Picture) -> Segmentation:
        """Any size and shape, from 1×1 px."""
        square = prepare(picture)
        rows = self._features.of(picture, square)
        learned = self._learned
        scaled = ((rows - learned["mean"]) / learned["spread"]).clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        chances = softmax(scaled @ learned["weights"][:-1] + learned["weights"][-1]).astype(np.float32)
        untold = [n for n, name in enumerate(learned["classes"].tolist()) if name in UNREPORTED_CLASSES]
        chances[..., -1] += chances[..., untold].sum(axis=2)
        chances = np.delete(chances, untold, axis=2)
        left, top, width, height = picture_rectangle(picture)
        fine = refine(chances, square)[top : top + height, left : left + width]
        return Segmentation(self.classes, np.ascontiguousarray(fine))


class Features:
    """The rows that the softmax reads. `folder` holds `lite2-int8.onnx`."""

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None) -> None:
        self._path, self._threads = folder / LITE2.files[0].name, threads

    @cached_property
    def _network(self) -> Any:
        return session(self._path, self._threads, LAYERS, lean=True)

    def of(self, picture: Picture, square: NDArray[np.uint8]) -> Floats:
        """(17, 17, 531) of a picture and what `prepare` made of it."""
        layers = self._network.run(LAYERS, {"pixels": square[None]})
        seen = [_spread(layer[0]) for layer in layers]
        return np.concatenate([*seen, colours(square), places(picture)], axis=2).astype(np.float32)


def colours(square: NDArray[np.uint8]) -> Floats:
    """(17, 17, 7): mean and standard deviation of L, a and b in [0, 1] within each cell, and how far from grey it
    is."""
    small = cv2.resize(square, (GRID * CELL_PIXELS,) * 2, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
    blocks = lab.reshape(GRID, CELL_PIXELS, GRID, CELL_PIXELS, 3)
    mean = blocks.mean(axis=(1, 3))
    coloured = np.abs(mean[..., 1:] - 0.5).sum(axis=2, keepdims=True)
    return np.concatenate([mean, blocks.std(axis=(1, 3)), coloured], axis=2)


def places(picture: Picture) -> Floats:
    """(17, 17, 4): how far down in the picture a cell lies, its square, how far from the middle, and both together."""
    left, top, width, height = picture_rectangle(picture)
    middle = (np.arange(GRID) + 0.5) * SIDE / GRID
    down = ((middle - top) / height).clip(0, 1)[:, None].repeat(GRID, 1)
    aside = np.abs(((middle - left) / width).clip(0, 1) - 0.5)[None].repeat(GRID, 0)
    return np.stack([down, down**2, aside, (down - 0.5) * aside], axis=2).astype(np.float32)


def picture_rectangle(picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture within the square that `prepare` lays it into, px."""
    scale = SIDE / max(picture.width, picture.height)
    width, height = (max(1, round(side * scale)) for side in (picture.width, picture.height))
    return (SIDE - width) // 2, (SIDE - height) // 2, width, height


def refine(chances: Floats, square: NDArray[np.uint8]) -> Floats:
    """(17, 17, C) → (260, 260, C), edges where the photo (260, 260, 3) has them."""
    guide = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    mean, variance = _mean(guide), _mean(guide * guide) - _mean(guide) ** 2
    planes = []
    for number in range(chances.shape[2]):
        plane = cv2.resize(np.ascontiguousarray(chances[..., number]), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        slope = (_mean(guide * plane) - mean * _mean(plane)) / (variance + SMOOTH)
        planes.append(_mean(slope) * guide + _mean(_mean(plane) - slope * mean))
    fine = np.stack(planes, axis=2).clip(1e-6, 1)
    whole: Floats = (fine / fine.sum(axis=2, keepdims=True)).astype(np.float32)
    return whole


def decide(chances: Floats) -> NDArray[np.int64]:
    """The class of each place (…, C) → (…): the likeliest, and `other` where it is below `MIN_AREA_PROBABILITY`."""
    best: NDArray[np.int64] = np.where(
        chances.max(axis=-1) >= MIN_AREA_PROBABILITY, chances.argmax(axis=-1), chances.shape[-1] - 1
    )
    return best


def softmax(logits: Floats) -> Floats:
    """Along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    whole: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return whole


def _mean(plane: Floats) -> Floats:
    return np.asarray(cv2.boxFilter(plane, -1, (2 * RADIUS + 1,) * 2), dtype=np.float32)


def _spread(layer: Floats) -> Floats:
    """(channels, n, n) → (17, 17, channels), linear between the cells. OpenCV does not scale that many channels."""
    count = layer.shape[1]
    at = ((np.arange(GRID) + 0.5) * count / GRID - 0.5).clip(0, count - 1)
    ways = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(count))).astype(np.float32)
    return np.asarray((ways @ layer @ ways.T).transpose(1, 2, 0), dtype=np.float32)


def shared_segmenter(catalog: Catalog, threads: int) -> Segmenter:
    """The segmenter of this process. Raises `ModelMissing` or `ModelCorrupt`."""
    return _open_segmenter(catalog.resolve(LITE2.id), catalog.resolve(AREAS.id), threads)


@cache
def _open_segmenter(tower: Path, folder: Path, threads: int) -> Segmenter:
    return Segmenter(tower, folder, threads)
