"""Whether words are pointed at where they are, and not at all where they are not.

Three kinds of pictures: drawings pasted at random places on photos of Flickr8k; objects in its photos that a caption
names, with the boxes of the detector as weak truth; cars with the annotated box of their plate. A word is pointed at if
the middle of the hottest cell lies in a box of what it names. Beside it, words of other things are asked for: they
ought not to be seen. What similarities mean is fitted on photos and drawings of the training split; `measure` reports
on those of the development split, which nothing was chosen on.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import MIN_OBJECT_SCORE, ObjectDetector
from crossmedia.embeddings.pointing import Box, Floats, Meaning, Pointer, heat
from crossmedia.embeddings.query_bank import content
from crossmedia.embeddings.train import data
from crossmedia.embeddings.train.things import DrawnThing
from crossmedia.eval.datasets import flickr8k, things_of_split
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.objects import CLASS_WORDS, names_in, open_photo

SIDES: Final = (0.18, 0.45)
"""Of a pasted drawing, in shares of the photo's shorter side."""
LARGEST_SHARE: Final = 0.35
"""Of a photo that what is pointed at may cover: anything points right at more."""
FEW_PEOPLE: Final = 0.12
"""Share of the photos of nothing but people that are used: there are too many of them."""
SURE: Final = 0.5
"""Score from which the detector's boxes are the truth."""
ABSENT: Final = 4
"""Words of other things that are asked for in each picture."""
FOLDS: Final = 5
RIDGE: Final = 1e-3
STEPS: Final = 60


@dataclass(frozen=True)
class PointingCase:
    """A picture, what is in it and where, and words of what is not."""

    kind: str
    picture: Picture
    words: str
    boxes: tuple[Box, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Observation:
    """What a pointer sees of a case: similarities of the cells (1 + absent, rows, columns), and of the whole."""

    case: PointingCase
    cells: Floats
    likeness: Floats


def drawn_things(photos: Path, split: data.Split) -> list[DrawnThing]:
    """One drawing for each name of a split. `photos`: the folder of Flickr8k."""
    every = things_of_split(photos, split)
    random.Random(7).shuffle(every)
    return list({one.name: one for one in every}.values())


def pasted(captions: Mapping[Path, Sequence[str]], drawings: Sequence[DrawnThing], count: int) -> list[PointingCase]:
    """A drawing at a random place and size on each of so many photos."""
    chosen = random.Random(8)
    photos = chosen.sample(sorted(captions), count)
    return [
        _paste(path, captions[path], drawings[n % len(drawings)], drawings, chosen) for n, path in enumerate(photos)
    ]


def _paste(
    path: Path, captions: Sequence[str], thing: DrawnThing, drawings: Sequence[DrawnThing], chosen: random.Random
) -> PointingCase:
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    drawn = thing.cut_out()
    drawn = drawn.crop(drawn.getchannel("A").point(lambda level: 255 * (level > 16)).getbbox())
    scale = chosen.uniform(*SIDES) * min(photo.size) / max(drawn.size)
    width, height = (max(4, round(side * scale)) for side in drawn.size)
    left, top = chosen.randint(0, photo.width - width), chosen.randint(0, photo.height - height)
    drawn = drawn.resize((width, height), Image.Resampling.BICUBIC)
    photo.paste(drawn, (left, top), drawn)
    box = (
        left / photo.width,
        top / photo.height,
        (left + width) / photo.width,
        (top + height) / photo.height,
    )
    there = set(data.words(" ".join((thing.name, *captions))))
    others = [one.name for one in chosen.sample(drawings, 12) if not there.intersection(data.words(one.name))]
    return PointingCase("pasted", Picture(np.asarray(photo)), thing.name, (box,), tuple(others[:ABSENT]))


def in_photos(captions: Mapping[Path, Sequence[str]], detector: ObjectDetector, count: int) -> Iterator[PointingCase]:
    """So many photos in which the detector sees something that a caption names, and that is not most of the photo.

    What is absent is neither named nor seen.
    """
    chosen = random.Random(9)
    photos = chosen.sample(sorted(captions), len(captions))
    for path in photos:
        if count == 0:
            return
        picture = open_photo(path)
        detections = detector.detect([picture], MIN_OBJECT_SCORE)[0]
        named = {name for caption in captions[path] for name in names_in(caption)}
        boxes = {
            name: tuple(one.box for one in detections if one.value == name and one.score >= SURE)
            for name in sorted(named)
        }
        small = [name for name, each in boxes.items() if each and sum(map(area, each)) < LARGEST_SHARE]
        if small == ["person"] and chosen.random() >= FEW_PEOPLE:
            continue
        if small := [name for name in small if name != "person"] or small:
            name = chosen.choice(small)
            seen = named | {one.value for one in detections} | {"person"}
            absent = chosen.sample([other for other in CLASS_WORDS if other not in seen], ABSENT)
            count -= 1
            yield PointingCase("in photos", picture, phrase(name), boxes[name], tuple(map(phrase, absent)))


def plates(folder: Path, count: int) -> list[PointingCase]:
    """So many photos of cars with the box of their plate."""
    cases = []
    for path in random.Random(10).sample(sorted(folder.glob("*/*.txt")), count):
        with path.open(encoding="utf-8", newline="") as file:
            name, *numbers, _ = next(csv.reader(file, delimiter="\t"))
        picture = open_photo(path.with_name(name))
        x, y, width, height = map(int, numbers)
        box = (
            x / picture.width,
            y / picture.height,
            (x + width) / picture.width,
            (y + height) / picture.height,
        )
        cases.append(
            PointingCase("plates", picture, "a license plate", (box,), ("a horse", "a cake", "a guitar", "a cat"))
        )
    return cases


def phrase(name: str) -> str:
    """
    >>> phrase("umbrella"), phrase("skis")
    ('an umbrella', 'skis')
    """
    return name if name.endswith("s") and name != "bus" else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def observe(
    pointer: Pointer, words: Encoder[str], cases: Sequence[PointingCase], tell: Callable[[str], None]
) -> list[Observation]:
    """Each case as a pointer sees it."""
    observations = []
    for number, case in enumerate(cases):
        if number % 50 == 0:
            tell(f"{case.kind}: {number} of {len(cases)}")
        said = content(words.encode((case.words, *case.absent)).vectors[COMMON])
        observations.append(Observation(case, *pointer.similarities(case.picture, said)))
    return observations


def section(title: str, note: str, observations: Sequence[Observation], meaning: Meaning, seconds: float) -> Section:
    """How often it points right, how well boxes fit, and how often what is there, and what is not, is told right."""
    heats = [heat(one.cells[0], float(one.likeness[0]), meaning) for one in observations]
    cases = [one.case for one in observations]
    fits = [max(overlap(shown.box, box) for box in case.boxes) for shown, case in zip(heats, cases, strict=True)]
    others = [
        heat(cells, float(like), meaning).seen
        for one in observations
        for cells, like in zip(one.cells[1:], one.likeness[1:], strict=True)
    ]
    by_chance = [min(1.0, sum(map(area, case.boxes))) for case in cases]
    figures = (
        share("pointed right", [inside(shown.point, case.boxes) for shown, case in zip(heats, cases, strict=True)]),
        Figure("the same by chance", mean(by_chance), "%", len(cases)),
        Figure("overlap of the boxes (IoU)", mean(fits), "%", len(fits), *interval(fits)),
        share("there: seen", [shown.seen for shown in heats]),
        share("not there: not seen", [not seen for seen in others]),
    )
    return Section(title, note, figures, seconds=seconds)


def measure(
    pointer: Pointer,
    words: Encoder[str],
    detector: ObjectDetector,
    shared: Path,
    count: int,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Section]:
    """`count` pictures of each kind of the development split, and at most a hundred plates."""
    folder = shared / "flickr8k"
    captions = flickr8k(folder, "dev").captions
    notes = {
        "Pasted drawings": (
            pasted(captions, drawn_things(folder, "dev"), count),
            "Drawings with names that nothing was trained on, at random places on dev photos of Flickr8k.",
        ),
        "Objects in photos": (
            list(in_photos(captions, detector, count)),
            "Dev photos of Flickr8k, with the boxes of the detector of objects as weak truth.",
        ),
        "Number plates": (
            plates(shared / "plates", min(count, 100)),
            "Photos of cars with annotated boxes; a plate covers a hundredth of them. Words: a license plate.",
        ),
    }
    for title, (cases, note) in notes.items():
        started = time.monotonic()
        seen = observe(pointer, words, cases, tell)
        yield section(title, note, seen, pointer.meaning, time.monotonic() - started)


def training_cases(shared: Path, detector: ObjectDetector, count: int) -> list[PointingCase]:
    """`count` pasted drawings and as many photos, of the training split."""
    folder = shared / "flickr8k"
    captions = flickr8k(folder, "train").captions
    return [*pasted(captions, drawn_things(folder, "train"), count), *in_photos(captions, detector, count)]


def choose(observations: Sequence[Observation]) -> tuple[list[Figure], Meaning]:
    """What similarities mean, fitted on all; and how good that is on pictures that it was not fitted on, by folds."""
    folds = np.arange(len(observations)) % FOLDS
    parts = []
    for fold in range(FOLDS):
        learned = fit([one for one, own in zip(observations, folds, strict=True) if own != fold])
        held = [one for one, own in zip(observations, folds, strict=True) if own == fold]
        parts.append(section("", "", held, learned, 0.0))
    figures = []
    for same in zip(*(part.figures for part in parts), strict=True):
        count = sum(figure.of or 0 for figure in same)
        value = sum(figure.value * (figure.of or 0) for figure in same) / count
        figures.append(Figure(same[0].what, value, "%", count))
    return figures, fit(observations)


def fit(observations: Sequence[Observation]) -> Meaning:
    """By logistic regression, with what is there and what is not counting the same."""
    contrasts, there = [], []
    for one in observations:
        contrasts.append((one.cells[0] - np.median(one.cells[0])).ravel())
        there.append(covered(one.case.boxes, *one.cells[0].shape).ravel())
    slope, cell_bias = _regress(np.concatenate(contrasts)[:, None], np.concatenate(there))
    rows = [
        (float((cells - np.median(cells)).max()), float(like))
        for one in observations
        for cells, like in zip(one.cells, one.likeness, strict=True)
    ]
    named = [n == 0 for one in observations for n in range(len(one.cells))]
    contrast, likeness, bias = _regress(np.array(rows), np.array(named))
    return Meaning(*(round(float(value), 2) for value in (slope, cell_bias, contrast, likeness, bias)))


def _regress(values: NDArray[np.floating], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Slopes and bias by Newton's steps; both classes weigh the same."""
    middle, spread = values.mean(0), values.std(0)
    rows = np.c_[(values - middle) / spread, np.ones(len(values))]
    weights = np.where(true, 0.5 / true.mean(), 0.5 / (1 - true.mean())) / len(true)
    learned = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-rows @ learned))
        slope = rows.T @ (weights * (chance - true)) + RIDGE * learned
        bend = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + RIDGE * np.eye(len(learned))
        learned -= np.linalg.solve(bend, slope)
    slopes = learned[:-1] / spread
    return np.append(slopes, learned[-1] - slopes @ middle)


def covered(boxes: Sequence[Box], rows: int, columns: int) -> NDArray[np.bool_]:
    """Which cells have their middle in a box."""
    x, y = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
    within = [
        ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right)) for left, top, right, bottom in boxes
    ]
    return np.asarray(np.any(within, axis=0))


def inside(point: tuple[float, float], boxes: Sequence[Box]) -> bool:
    """Whether a point lies in one of the boxes."""
    return any(left <= point[0] <= right and top <= point[1] <= bottom for left, top, right, bottom in boxes)


def area(box: Box) -> float:
    """In shares of the picture."""
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(one: Box, other: Box) -> float:
    """Intersection over union.

    >>> overlap((0, 0, 1, 1), (0.5, 0, 1, 1))
    0.5
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (area(one) + area(other) - both)
