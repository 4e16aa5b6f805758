"""Plates end to end: objects, lines and plates of photographs as the enrichers see them, with what stands on them as
truth.

Recall: of the photographs with an annotated plate, those with a label that reads just so, O as 0 and I as 1. Precision:
of all labels on these photographs, those that read so; a second car's plate, which nobody annotated, counts as false.
And drawn pages, turned and slanted, whose lines have to be read in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import ObjectDetector
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.objects import open_photo
from crossmedia.indexer.enrichers.ocr import RapidReader
from crossmedia.indexer.enrichers.plates import VEHICLES
from crossmedia.indexer.plates import Plate, PlateReader
from crossmedia.indexer.scene_text import OcrEngine
from crossmedia.retrieval.plates import distance, folded

REGION_TARGETS: Final = {"eu": (0.95, 0.90), "us": (0.85, 0.90)}
"""Recall and precision that are aimed at."""
WRONG_ANNOTATIONS: Final = {"wts-lg-000085": "BDJ0529", "wts-lg-000159": "59321P1"}
"""Annotations that say otherwise than the plate does, as anybody sees who looks at it closely."""
_COLUMNS: Final = (
    ("A title across the whole of the page", 60, 60, 40),
    ("The first column", 60, 150, 32),
    ("starts right here", 60, 210, 32),
    ("and goes on below", 60, 270, 32),
    ("Second column text", 500, 150, 32),
    ("comes only after", 500, 210, 32),
    ("the first has ended", 500, 270, 32),
    ("A footer below both of the columns", 60, 400, 36),
)
_SIGNS: Final = (
    ("北京欢迎你", 60, 100, 48),
    ("禁止吸烟", 500, 100, 48),
    ("Emergency exit", 60, 200, 40),
    ("Platform 42", 500, 200, 40),
)


@dataclass(frozen=True)
class PlatePhoto:
    """`plates` that were found, `seconds` each pass took: objects, lines, plates."""

    path: Path
    plates: list[Plate]
    seconds: tuple[float, float, float]


class Passes:
    """A photograph → its plates, as the second pass finds them."""

    def __init__(self, detector: ObjectDetector, threads: int) -> None:
        engine = OcrEngine(threads)
        self._detector, self._lines, self._plates = detector, RapidReader(engine), PlateReader(engine)
        self.models = [detector.model, self._lines.model, self._plates.model]

    def __call__(self, path: Path) -> PlatePhoto:
        picture = open_photo(path)
        times = [time.perf_counter()]
        vehicles = [one.box for one in self._detector.detect([picture])[0] if one.value in VEHICLES]
        times.append(time.perf_counter())
        lines = [(line.text, line.box) for line in self._lines.read(picture)]
        times.append(time.perf_counter())
        plates = self._plates.read(picture, lines, vehicles) if vehicles or lines else []
        times.append(time.perf_counter())
        return PlatePhoto(path, plates, (times[1] - times[0], times[2] - times[1], times[3] - times[2]))

    def lines(self, page: NDArray[np.uint8]) -> list[str]:
        return [line.text for line in self._lines.read(Picture(page))]


def read_annotation(path: Path) -> str:
    """What stands on the annotated plate of a photograph."""
    return path.with_suffix(".txt").read_text(encoding="utf-8").split()[-1]


def measure(
    passes: Passes, plates: Path, photos: Sequence[Path], tell: Callable[[str], None] = lambda line: None
) -> list[Section]:
    """`plates`: a folder with `eu` and `us`; `photos`: others, without plates that can be read."""
    sections = []
    for name in REGION_TARGETS:
        tell(f"plates: {name}")
        sections.append(region(name, [passes(path) for path in sorted((plates / name).glob("*.jpg"))]))
    tell(f"plates in {len(photos)} other photos")
    started = time.monotonic()
    others = [passes(path) for path in photos]
    false = [(photo, plate) for photo in others for plate in photo.plates]
    seen = Figure("plates told", float(len(false)), "", len(photos), target="0")
    details = tuple(f"{photo.path.name}: {plate.text} {plate.score:.2f}" for photo, plate in false)
    note = f"{len(photos)} photographs of Flickr8k (224×224), on which no plate can be read."
    figures = (seen, *_paces(others))
    sections.append(Section("Other photographs", note, figures, details, time.monotonic() - started))
    tell("drawn pages")
    sections.append(pages(passes))
    return sections


def region(name: str, photos: Sequence[PlatePhoto]) -> Section:
    """Recall and precision of one folder."""
    truth = [folded(read_annotation(photo.path)) for photo in photos]
    read = [[folded(plate.text) for plate in photo.plates] for photo in photos]
    seen = [folded(WRONG_ANNOTATIONS.get(photo.path.stem, true)) for photo, true in zip(photos, truth, strict=True)]
    right = [text == true for texts, true in zip(read, truth, strict=True) for text in texts]
    near = [any(distance(text, true) <= 1 for text in texts) for texts, true in zip(read, truth, strict=True)]
    recall, precision = REGION_TARGETS[name]
    figures = (
        share("recall", [t in texts for texts, t in zip(read, truth, strict=True)], f"≥ {100 * recall:.0f} %"),
        share("precision, of all labels", right, f"≥ {100 * precision:.0f} %"),
        *_correct(read, truth, seen),
        share("found with one character wrong", near),
        *_paces(photos),
    )
    details = tuple(
        f"{photo.path.name}: {read_annotation(photo.path)}, told {_list(photo.plates)}"
        for photo, texts, true in zip(photos, read, truth, strict=True)
        if texts != [true]
    )
    note = f"{len(photos)} photographs of cars, one plate annotated on each."
    return Section(f"Plates, {name.upper()}", note, figures, details, sum(sum(photo.seconds) for photo in photos))


def _correct(read: Sequence[Sequence[str]], truth: Sequence[str], seen: Sequence[str]) -> list[Figure]:
    """Both figures by what the plates say, where annotations are wrong."""
    wrong = sum(one != other for one, other in zip(truth, seen, strict=True))
    if not wrong:
        return []
    matched = [true in texts for texts, true in zip(read, seen, strict=True)]
    right = [text == true for texts, true in zip(read, seen, strict=True) for text in texts]
    return [
        share(f"recall, {wrong} wrong annotations put right", matched),
        share(f"precision, {wrong} wrong annotations put right", right),
    ]


def _list(plates: Sequence[Plate]) -> str:
    return ", ".join(f"{plate.text} {plate.score:.2f}" for plate in plates) or "nothing"


def _paces(photos: Sequence[PlatePhoto]) -> list[Figure]:
    names = ("objects", "lines", "plates")
    return [
        Figure(f"{name}, mean of a picture", float(np.mean([photo.seconds[n] for photo in photos])), "s", len(photos))
        for n, name in enumerate(names)
    ]


def draw_page(items: Sequence[tuple[str, int, int, int]]) -> NDArray[np.uint8]:
    """A white page of 900×700 px with texts at x, y (base line), of a size in px; OpenCV brings a font with Chinese."""
    page = np.full((700, 900, 3), 255, np.uint8)
    for text, x, y, size in items:
        page = cv2.putText(page, text, (x, y), (0, 0, 0), cv2.FontFace("uni"), size)[1]
    return page


def slant(page: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """A page turned against the clock, somewhat smaller so that nothing is cut off."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.7)
    return np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255)), np.uint8)


def pages(passes: Passes) -> Section:
    """Two pages, one in columns and one of signs in Chinese and English, turned and slanted."""
    started = time.monotonic()
    figures = []
    for name, items in (("columns", _COLUMNS), ("signs, Chinese and English", _SIGNS)):
        page, wanted = draw_page(items), [text for text, *_ in items]
        views = {f"turned by {90 * n}°": np.ascontiguousarray(np.rot90(page, -n)) for n in range(4)}
        views |= {f"slanted by {degrees}°": slant(page, degrees) for degrees in (-30, -10, 10, 30)}
        figures += [
            share(f"{name}, {view}: lines in place", _place(passes.lines(v), wanted)) for view, v in views.items()
        ]
    note = "Lines that are read without a mistake at their place in the order."
    return Section("Drawn pages", note, tuple(figures), (), time.monotonic() - started)


def _place(read: Sequence[str], wanted: Sequence[str]) -> list[bool]:
    return [n < len(read) and read[n] == text for n, text in enumerate(wanted)]
