"""What the detector of objects finds in captioned photos, with the captions as weak truth.

Recall: of the photos of which a caption names a class, those in which it is found. Named: of the photos in which it is
found, those of which one of the captions names it. Captions tell what matters to somebody, so what they leave out may
well be there:
"named" is a lower bound of precision. And a thing named may be hidden or tiny: recall is one as well.

>>> sorted(names_in("Two dogs chase a tennis ball past a biker ."))
['dog', 'person', 'sports ball']
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from crossmedia.api.drawing import Drawing, sheets
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import MIN_OBJECT_SCORE, Detection, ObjectDetector
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.indexer.enrichers.objects import KIND
from crossmedia.retrieval.documents import Label

CLASS_WORDS: Final[Mapping[str, str]] = {
    "person": r"people|persons?|m[ae]n|wom[ae]n|boys?|girls?|child(?:ren)?|kids?|bab(?:y|ies)|toddlers?|lad(?:y|ies)"
    r"|guys?|players?|crowd|couple|family|teenagers?|\w*boarders?|surfers?|skiers?|hikers?"
    r"|climbers?|bikers?|cyclists?|bicyclists?|riders?",
    "dog": r"(?<!hot )dogs?|pupp(?:y|ies)|(?:grey|blood)hounds?|terriers?|retrievers?|poodles?",
    "bicycle": r"bicycl\w*|cyclists?",
    "motorcycle": r"motorcycl\w*|motorbikes?",
    "horse": r"horses?|horseback|pon(?:y|ies)",
    "car": r"cars?|automobiles?",
    "truck": r"trucks?",
    "bus": r"bus|buses",
    "boat": r"boats?|\w+boats?|canoes?|kayaks?|ships?",
    "skateboard": r"skateboard\w*",
    "surfboard": r"surfboards?|surfers?",
    "snowboard": r"snowboard\w*",
    "skis": r"skis?|skiers?",
    "sports ball": r"balls?|basketballs?|footballs?|volleyballs?|baseballs?",
    "frisbee": r"frisbees?",
    "tennis racket": r"rac(?:k|qu)ets?",
    "bench": r"bench(?:es)?",
    "bird": r"birds?|seagulls?|ducks?|geese",
    "cat": r"cats?|kittens?",
    "umbrella": r"umbrellas?",
    "chair": r"chairs?",
}
"""For each class the words that name it in a caption. "Bike" is either kind and left out."""
STEPS: Final = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
SHEET: Final = 25
TILE: Final = 380
_PATTERNS: Final = {name: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for name, words in CLASS_WORDS.items()}


def names_in(caption: str) -> set[str]:
    """The classes of `CLASS_WORDS` that a caption names."""
    return {name for name, pattern in _PATTERNS.items() if pattern.search(caption)}


def open_photo(path: Path) -> Picture:
    """Open a photo that is known to be harmless, however large."""
    with Image.open(path) as image:
        return Picture(np.asarray(image.convert("RGB")))


def detect_all(detector: ObjectDetector, photos: Sequence[Path], least: float) -> list[list[Detection]]:
    """The objects of each photo."""
    return [detector.detect([open_photo(path)], least)[0] for path in photos]


def by_class(
    captions: Sequence[Sequence[str]], found: Sequence[Sequence[Detection]], least: float
) -> tuple[list[Figure], list[Figure]]:
    """Recall and named of each class that at least five photos show or are said to show, and of all cases together.

    `captions` and `found`: of the same photos, in order; only objects with a score of `least` count.
    """
    named = [{name for caption in some for name in names_in(caption)} for some in captions]
    seen = [{one.value for one in some if one.score >= least} for some in found]
    recall: list[Figure] = []
    precision: list[Figure] = []
    hits: list[bool] = []
    right: list[bool] = []
    for name in CLASS_WORDS:
        caught = [name in s for n, s in zip(named, seen, strict=True) if name in n]
        meant = [name in n for n, s in zip(named, seen, strict=True) if name in s]
        hits += caught
        right += meant
        recall += [share(f"{name}, named by a caption: found", caught)] if len(caught) >= 5 else []
        precision += [share(f"{name}, found: named by a caption", meant)] if len(meant) >= 5 else []
    return (
        [*recall, share("all of these, named: found", hits)],
        [*precision, share("all of these, found: named", right)],
    )


def by_score(
    captions: Sequence[Sequence[str]], found: Sequence[Sequence[Detection]], steps: Sequence[float] = STEPS
) -> list[Figure]:
    """Recall and named of all classes but `person`, which outweighs them, from each of these scores on."""
    figures = []
    for least in steps:
        named = [{name for caption in some for name in names_in(caption)} - {"person"} for some in captions]
        seen = [{o.value for o in some if o.score >= least and o.value in CLASS_WORDS} - {"person"} for some in found]
        caught = [name in s for n, s in zip(named, seen, strict=True) for name in n]
        meant = [name in n for n, s in zip(named, seen, strict=True) for name in s]
        figures += [share(f"score ≥ {least:g}: found", caught), share(f"score ≥ {least:g}: named", meant)]
    return figures


def measure(
    detector: ObjectDetector,
    captions: Mapping[Path, Sequence[str]],
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Section]:
    """Recall by class, named by class, and both by score. `folder`: where sheets of the photos with their boxes go."""
    photos = sorted(captions)
    tell(f"objects in {len(photos)} photos")
    started = time.monotonic()
    detections = detect_all(detector, photos, min(STEPS))
    texts = [captions[path] for path in photos]
    recall, named = by_class(texts, detections, MIN_OBJECT_SCORE)
    steps = by_score(texts, detections)
    seconds = time.monotonic() - started
    if folder is not None:
        draw(photos, detections, folder, tell)
    told_by = f"{len(photos)} dev photos of Flickr8k, five captions each."
    return [
        Section(
            "Recall",
            f"Of photos of which a caption names a class, those in which it is found. {told_by}",
            tuple(recall),
        ),
        Section(
            "Named", f"Of photos in which a class is found, those of which a caption names it. {told_by}", tuple(named)
        ),
        Section("By score", "The same of all classes but person, from a score on.", tuple(steps), seconds=seconds),
    ]


def draw(
    photos: Sequence[Path], found: Sequence[Sequence[Detection]], folder: Path, tell: Callable[[str], None]
) -> list[Path]:
    """Sheets `objects-00.jpg`, … of 25 photos with their boxes, and the photos' names below."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = (
        Drawing(
            open_photo(path),
            [Label(KIND, o.value, o.score, "", o.box) for o in some if o.score >= MIN_OBJECT_SCORE],
            path.stem,
        )
        for path, some in zip(photos, found, strict=True)
    )
    written = []
    for number, sheet in enumerate(sheets(shown, SHEET, TILE)):
        written.append(folder / f"objects-{number:02}.jpg")
        sheet.save(written[-1], quality=85)
    tell(f"{len(written)} sheets in {folder}")
    return written
