"""Measure the segmentation on a grid of points over photos that were labelled by eye.

`areas.csv`: 40 dev photos of Flickr8k, drawn by lot, with nine points each, named before anything was learned: image, x
and y in fractions of the photo, class or `other`. A point on an edge, or of what is nothing in particular, is `other`.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.segmentation import OTHER, Segmentation, Segmenter, decide
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.objects import open_photo

POINTS: Final = Path(__file__).with_name("areas.csv")
COLOURS: Final = (
    "#3fa7ff",
    "#35d435",
    "#0030d0",
    "#ffffff",
    "#e8c060",
    "#006020",
    "#808080",
    "#c02020",
    "#804000",
    "#c060ff",
)
"""One for each class, in their order."""
TILE: Final = 240
COLUMNS: Final = 8

Point = tuple[float, float, str]


def read_points(path: Path = POINTS) -> dict[str, list[Point]]:
    """The labelled points of each photo by its name: x, y, class."""
    points_of: dict[str, list[Point]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            points_of.setdefault(row["image"], []).append((float(row["x"]), float(row["y"]), row["class"]))
    return points_of


def class_at(parts: Segmentation, x: float, y: float) -> str:
    """The class that a segmentation gives a point, in fractions of the picture."""
    best = decide(parts.chances)
    row, column = (min(size - 1, int(at * size)) for at, size in zip((y, x), best.shape, strict=True))
    return (*parts.classes, OTHER)[int(best[row, column])]


def by_point(classes: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[Figure]:
    """Accuracy, and precision and recall of each class. `pairs`: what is there, and what is said."""
    figures = [share("points told right", [true == said for true, said in pairs])]
    for name in (*classes, OTHER):
        for what, cases in (
            ("told: there", [true == name for true, said in pairs if said == name]),
            ("there: told", [said == name for true, said in pairs if true == name]),
        ):
            figures += [share(f"{name}, {what}", cases)] if cases else []
    return figures


def by_share(
    classes: Sequence[str], truth: Sequence[Sequence[Point]], shares: Sequence[Mapping[str, float]]
) -> list[Figure]:
    """Of each class by how much the share of the area is off, on average over the photos; the truth are nine points a
    photo."""
    figures = []
    for name in classes:
        apart = [
            abs(float(np.mean([n == name for *_, n in some])) - said[name])
            for some, said in zip(truth, shares, strict=True)
        ]
        figures.append(Figure(f"{name}: mean absolute error of the share", float(np.mean(apart)), "%", len(apart)))
    return figures


def measure(
    segmenter: Segmenter, folder: Path, sheet: Path | None = None, tell: Callable[[str], None] = lambda line: None
) -> list[Section]:
    """Points and shares of the photos in `folder`. `sheet`: where a sheet of photos and areas goes."""
    known = read_points()
    tell(f"areas in {len(known)} photos")
    photos = [open_photo(folder / name) for name in known]
    started = time.monotonic()
    segmentations = [segmenter.segment(photo) for photo in photos]
    seconds = time.monotonic() - started
    pairs = [
        (n, class_at(parts, x, y))
        for parts, some in zip(segmentations, known.values(), strict=True)
        for x, y, n in some
    ]
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        draw_points(photos, segmentations).save(sheet, quality=85)
        tell(str(sheet))
    note = (
        f"{len(known)} dev photos of Flickr8k, nine points each, named by eye by one person; two rules were chosen on "
        "them."
    )
    shares = [parts.shares() for parts in segmentations]
    return [
        Section("Points", note, tuple(by_point(segmenter.classes, pairs)), seconds=seconds),
        Section("Shares", note, tuple(by_share(segmenter.classes, list(known.values()), shares))),
    ]


def draw_points(photos: Sequence[Picture], found: Sequence[Segmentation]) -> Image.Image:
    """Each photo above its areas in colours, with their names."""
    rows = -(-len(photos) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * TILE, rows * 2 * TILE), "black")
    for number, (photo, parts) in enumerate(zip(photos, found, strict=True)):
        left, top = number % COLUMNS * TILE, number // COLUMNS * 2 * TILE
        whole.paste(Image.fromarray(photo.pixels).resize((TILE, TILE)), (left, top))
        for name, colour in zip(parts.classes, COLOURS, strict=False):
            whole.paste(colour, (left, top + TILE), Image.fromarray(parts.mask(name, TILE, TILE)))
        said = ", ".join(f"{name} {share:.0%}" for name, share in parts.shares().items() if share >= 0.05)
        ImageDraw.Draw(whole).text((left + 3, top + TILE + 3), said, "magenta")
    return whole
