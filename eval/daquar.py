"""The learned visual answerer on the fifth of DAQUAR that it has not learned from."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.train.visual_data import VisualQuestion, read_questions, split_pictures
from crossmedia.embeddings.visual_answers import VisualAnswers
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.wordnet import Nouns, wups

PEOPLE = (
    "Published on the official test split: question only 17 %, Ask Your Neurons 21.7 %, stacked attention 29.3 %, "
    "people 50 %."
)


def same_things(told: str, truth: str) -> bool:
    """Whether an answer names exactly the same things, in any order.

    >>> same_things("lamp, book", "book, lamp"), same_things("lamp", "lamps")
    (True, False)
    """
    return {x.strip() for x in told.split(",")} == {x.strip() for x in truth.split(",")}


def held_out_questions(folder: Path) -> list[VisualQuestion]:
    """The questions of the pictures that nothing was learned from."""
    asked = read_questions(folder)
    part = split_pictures(one.image for one in asked)
    return [one for one in asked if part[one.image] == "held"]


def measure(network: VisualAnswers, folder: Path, nouns: Nouns | None, tell: Callable[[str], None]) -> Section:
    """Accuracy, WUPS@0.9 where there is a WordNet, the same without the right picture, and how true its chances are."""
    started = time.monotonic()
    asked = held_out_questions(folder)
    images = sorted({one.image for one in asked})
    seen = {}
    for image in images:
        with Image.open(folder / "images" / image) as opened:
            seen[image] = network.look(Picture(np.asarray(opened.convert("RGB"))))
    tell(f"{len(images)} pictures")
    answers = [network.answer_seen(seen[one.image], one.question)[0] for one in asked]
    # Any other picture of the same kind: what is left is what questions alone tell this network.
    other = {image: images[(n + len(images) // 2) % len(images)] for n, image in enumerate(images)}
    swapped = [network.answer_seen(seen[other[one.image]], one.question)[0][0] for one in asked]
    tell(f"{len(asked)} questions")
    good = [same_things(answer, one.answer) for (answer, _), one in zip(answers, asked, strict=True)]
    chances = [chance for _, chance in answers]
    sure = [g for g, c in zip(good, chances, strict=True) if c >= 0.5]
    figures = [
        share("accuracy", good, "28 %"),
        share(
            "the same asked about another picture",
            [same_things(a, one.answer) for a, one in zip(swapped, asked, strict=True)],
        ),
        Figure("question only, learned so (when it was trained)", network.figures["blind"], "%", len(asked)),
        share("answered with a chance of a half or more", [c >= 0.5 for c in chances]),
        *([share("accuracy of those", sure)] if sure else []),
        Figure("expected calibration error", round(calibration_error(chances, good), 4), "", len(asked)),
    ]
    if nouns is not None:
        scores = [wups(answer, one.answer, nouns) for (answer, _), one in zip(answers, asked, strict=True)]
        figures.insert(1, Figure("WUPS@0.9", mean(scores), "%", len(scores), *interval(scores)))
    note = f"{len(asked)} questions of {len(images)} pictures that were held out by their names. {PEOPLE}"
    return Section("DAQUAR", note, tuple(figures), (), time.monotonic() - started)


def calibration_error(chances: list[float], good: list[bool], bins: int = 10) -> float:
    """The mean distance of chance and accuracy over bins of chance, by their counts (C. Guo et al., ICML 2017)."""
    rows = np.array([(c, g) for c, g in zip(chances, good, strict=True)], dtype=float)
    which = np.minimum((rows[:, 0] * bins).astype(int), bins - 1)
    groups = [rows[which == n] for n in range(bins)]
    return float(
        sum(len(some) / len(rows) * abs(some[:, 0].mean() - some[:, 1].mean()) for some in groups if len(some))
    )
