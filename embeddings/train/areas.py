"""Train the segmentation on some points that were labelled by eye and many captions that say no place.

    python -m crossmedia.embeddings.train.areas --flickr8k ../shared/data/flickr8k --out embeddings/bundled

writes `areas.npz` and its card `areas.md`, and prints what to pin in `embeddings/cards.toml`. Points (`areas.csv`
beside this file, 60 photos of the train split) seed a softmax; it then reads photos whose captions name a class,
believes itself where it is sure, more so of classes that are named (self-training; D. Yarowsky, ACL 1995), and takes
what the detector of objects finds there for `other`. Captions alone, by multiple-instance learning, were tried before
and got 55 % of the dev points right.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.embeddings.picture import prepare
from crossmedia.embeddings.segmentation import GRID, MAX_DEVIATIONS, OTHER, Features, softmax
from crossmedia.embeddings.train import areas_card, data

Floats: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.float16]

CAPTION_PATTERNS: Final[Mapping[str, str]] = {
    "sky": r"sky|skies|midair|cloud\w*",
    "grass": r"grass\w*|lawn|meadow|field",
    "water": r"water\w*|oceans?|sea|lakes?|pools?|rivers?|waves?|surf\w*|pond|stream|swim\w*",
    "snow": r"snow\w*|ski|skis|skier\w*|skiing",
    "sand": r"sand\w*|beach\w*|dirt|desert",
    "trees": r"trees?|forest|woods|wooded|bushes|leaves",
    "road": r"streets?|roads?|sidewalks?|pavement|paved|parking lot|asphalt|concrete|driveway",
    "building": r"buildings?|brick wall|walls?|houses?|storefront|store",
    "rock": r"rocks?|rocky|cliffs?|mountains?|mountainside|boulders?",
    "floor": r"floor|carpet|couch|bed|indoors?|kitchen|room|gym|basketball court",
}
"""For each class the words by which captions name it, or a room that has it."""
CLASSES: Final = tuple(CAPTION_PATTERNS)
POINTS: Final = Path(__file__).with_name("areas.csv")
NAMED_BY: Final = 2
"""Captions of five that name a class in a photo that is looked at for it."""
EACH: Final = 150
"""Such photos of a class."""
NONE: Final = 200
"""Photos of which no caption names any."""
SURE: Final = 0.6
FOUND: Final = 0.4
NAMED, UNNAMED = 2.0, 0.5
"""By what the chance of a class is multiplied in a photo whose captions do, or do not, name it."""
ROUNDS: Final = 2
BATCH: Final = 2048
STUFF: Final = ("surfboard", "boat", "snowboard", "skis", "bench", "potted plant")
"""Objects through whose boxes much else is seen."""


def count_named(captions: Sequence[str]) -> NDArray[np.int64]:
    """How many captions name each class."""
    patterns = [re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in CAPTION_PATTERNS.values()]
    return np.array([sum(bool(pattern.search(one)) for one in captions) for pattern in patterns])


def read_points(path: Path = POINTS) -> list[tuple[str, float, float, str]]:
    """Photo, x and y in fractions of it, class or `other`."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["image"], float(row["x"]), float(row["y"]), row["class"]) for row in csv.DictReader(file)]


def choose_photos(photos: Sequence[data.Photo], counts: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
    """The photos that are learned from: of each class some, some of none, and those with points."""
    pointed = {image for image, *_ in read_points()}
    photo_numbers = {n for n, photo in enumerate(photos) if photo.path.name in pointed}
    for number in range(len(CLASSES)):
        photo_numbers |= set(rng.permutation(np.flatnonzero(counts[:, number] >= NAMED_BY))[:EACH].tolist())
    photo_numbers |= set(rng.permutation(np.flatnonzero(counts.sum(axis=1) == 0))[:NONE].tolist())
    return sorted(photo_numbers)


def find_things(found: Sequence[Detection]) -> NDArray[np.bool_]:
    """(17, 17): the cells in the middle of objects' boxes."""
    middle = (np.arange(GRID) + 0.5) / GRID
    cells = np.zeros((GRID, GRID), dtype=bool)
    for one in found:
        x0, y0, x1, y1 = one.box
        aside, down = 0.15 * (x1 - x0), 0.1 * (y1 - y0)
        rows = (middle > y0 + down) & (middle < y1 - down)
        if one.value not in STUFF:
            cells |= rows[:, None] & ((middle > x0 + aside) & (middle < x1 - aside))[None]
    return cells


def seeds(photos: Sequence[data.Photo]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each point the number of its cell and of the four around it, and the class of each."""
    order = {photo.path.name: n for n, photo in enumerate(photos)}
    cells, classes = [], []
    for image, x, y, name in read_points():
        row, column = round(y * GRID - 0.5), round(x * GRID - 0.5)
        for down, aside in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)):
            cells.append((order[image] * GRID + row + down) * GRID + column + aside)
            classes.append((*CLASSES, OTHER).index(name))
    return np.array(cells), np.array(classes)


class Trainer:
    """`rows`: (cells, 531), scaled; seeds: numbers of cells with their classes."""

    def __init__(self, rows: Rows, cells: NDArray[np.int64], classes: NDArray[np.int64], seed: int = 0) -> None:
        self._rows, self._cells, self._classes = rows, cells, classes
        self._rng = np.random.default_rng(seed)
        self._width = len(CLASSES) + 1
        # Classes with many points would have it all their way.
        weights = np.bincount(classes, minlength=self._width)[classes] ** -0.5
        self._weights = weights / weights.sum()

    def fit(self, beliefs: Floats | None, sure: NDArray[np.int64] | None, steps: int, decay: float) -> Floats:
        """(531 + 1, classes + 1), the last row the offsets: Adam on the cross entropy of the seeds, and, for seven in
        ten of a batch, of `beliefs` (cells, classes + 1) in the cells `sure`."""
        weights = np.zeros((self._rows.shape[1] + 1, self._width), np.float32)
        first, second = np.zeros_like(weights), np.zeros_like(weights)
        seeded = BATCH if sure is None else 3 * BATCH // 10
        ones = np.ones((BATCH, 1), np.float32)
        for step in range(1, steps + 1):
            sampled = self._rng.choice(len(self._cells), seeded, p=self._weights)
            cells, wanted = self._cells[sampled], np.eye(self._width, dtype=np.float32)[self._classes[sampled]]
            if sure is not None and beliefs is not None:
                more = sure[self._rng.integers(0, len(sure), BATCH - seeded)]
                cells, wanted = np.concatenate([cells, more]), np.concatenate([wanted, beliefs[more]])
            rows = self._rows[cells].astype(np.float32)
            rows = np.concatenate([rows + self._rng.normal(0, 0.1, rows.shape).astype(np.float32), ones], axis=1)
            slope = rows.T @ (softmax(rows @ weights) - wanted) / BATCH
            slope[:-1] += decay * weights[:-1]
            first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope * slope
            pace = 0.005 * (1 - 0.9 * step / steps)
            weights -= pace * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-7)
        return weights

    def learn(self, told: NDArray[np.bool_], covered: NDArray[np.bool_]) -> Floats:
        """`told` (photos, classes): what captions name; `covered` (cells,): where objects are."""
        weights = self.fit(None, None, 250, 0.02)
        factors = np.where(told, NAMED, UNNAMED)
        factors = np.concatenate([factors, np.ones((len(factors), 1))], axis=1).repeat(GRID * GRID, axis=0)
        for _ in range(ROUNDS):
            beliefs = softmax(self._rows.astype(np.float32) @ weights[:-1] + weights[-1]) * factors
            beliefs /= beliefs.sum(axis=1, keepdims=True)
            beliefs[covered] = np.eye(self._width)[-1]
            sure = np.flatnonzero(beliefs.max(axis=1) > SURE)
            sharp = beliefs**2
            beliefs = (sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32)
            weights = self.fit(beliefs, sure, 350, 0.003)
        return weights


def main() -> None:
    """Parse the command line, learn, write, print."""
    parser = argparse.ArgumentParser(description="Learn the areas of pictures.")
    parser.add_argument("--flickr8k", type=Path, required=True, help="folder with captions.csv and images/")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder the results are written to")
    asked = parser.parse_args()
    photos = data.flickr8k(asked.flickr8k, "train")
    counts = np.stack([count_named(photo.captions) for photo in photos])
    photo_numbers = choose_photos(photos, counts, np.random.default_rng(0))
    photos, counts = [photos[n] for n in photo_numbers], counts[photo_numbers]
    features, detector = Features(), ObjectDetector()
    rows = np.empty((len(photos), GRID * GRID, 531), np.float16)
    covered = np.zeros((len(photos), GRID, GRID), dtype=bool)
    for n, photo in enumerate(photos):
        picture = data.picture(photo)
        rows[n] = features.of(picture, prepare(picture)).reshape(GRID * GRID, -1)
        covered[n] = find_things(detector.detect([picture], FOUND)[0])
    flat = rows.reshape(-1, rows.shape[-1])
    mean = flat[::7].astype(np.float32).mean(axis=0)
    spread = flat[::7].astype(np.float32).std(axis=0) + 1e-3
    for n, row in enumerate(rows):
        rows[n] = ((row - mean) / spread).clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
    weights = Trainer(flat, *seeds(photos)).learn(counts > 0, covered.reshape(-1))
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "areas.npz"
    np.savez(path, classes=np.array(CLASSES), weights=weights, mean=mean, spread=spread)
    areas_card.write(asked.out, len(photos), len(read_points()), len({image for image, *_ in read_points()}))
    print(f'ModelFile("{path.name}", "{sha256(path)}", {path.stat().st_size}),')


if __name__ == "__main__":
    main()
