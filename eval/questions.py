"""Two hundred and fifty questions over real media, with their answers, and what counts as right.

They were written by looking and listening, and by the data sets' own truth, before the answerer was tuned on anything
(`questions.csv`; `scope` is one file of the corpus, or nothing for all of it; without `answers` nothing in it tells).
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.embeddings.train.visual_data import split_pictures
from crossmedia.eval.demo.corpus import make
from crossmedia.retrieval.answering.kinds import QUESTION_KINDS

FILE: Final = Path(__file__).with_name("questions.csv")
PHOTO_STEP: Final = 5
"""Every fifth of the 500 dev photos."""
ROOMS, CAPTIONS, SOUNDS, CARS = 20, 20, 2, 6
"""Pictures of rooms that the visual answerer has not learned from, spoken captions, sounds of each class, cars of each
part."""
NUMBERS: Final = {
    word: str(n)
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    )
} | {"none": "0", "no": "no", "nobody": "no"}
HALF: Final = "all-of-half:"


@dataclass(frozen=True)
class BenchmarkQuestion:
    """A question: of which file (or all), what answers count, of what kind it is, and within what it may differ."""

    number: int
    scope: str
    text: str
    answers: tuple[str, ...]
    kind: str
    tolerance: str


def questions(path: Path = FILE) -> list[BenchmarkQuestion]:
    """All of them; raises ValueError where a kind is unknown, or a number comes twice."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [
            BenchmarkQuestion(
                int(r["number"]), r["scope"], r["question"], tuple(_split(r["answers"])), r["kind"], r["tolerance"]
            )
            for r in csv.DictReader(stream)
        ]
    if len({one.number for one in rows}) != len(rows):
        raise ValueError(f"{path}: a number comes twice")
    if unknown := {one.kind for one in rows} - set(QUESTION_KINDS):
        raise ValueError(f"{path}: no kind {', '.join(sorted(unknown))}")
    return rows


def corpus(shared: Path, out: Path) -> Path:
    """Lays the media out in a folder, as `scope` names them: photos of Flickr8k's dev split, rooms of DAQUAR that are
    held out, spoken captions, ESC-10's fold 4, cars, and the demo corpus. `shared` is the folder of the data sets."""
    make(out)
    with (shared / "flickr8k" / "captions.csv").open(encoding="utf-8", newline="") as stream:
        dev = sorted({row["image"] for row in csv.DictReader(stream) if row["split"] == "dev"})
    with (shared / "daquar" / "questions.csv").open(encoding="utf-8", newline="") as stream:
        rooms = split_pictures(row["image"] for row in csv.DictReader(stream))
    chosen = {
        "flickr": [shared / "flickr8k" / "images" / name for name in dev[::PHOTO_STEP]],
        "rooms": [shared / "daquar" / "images" / name for name in sorted(rooms) if rooms[name] == "held"][:ROOMS],
        "captions": sorted((shared / "spoken_captions").glob("*.mp3"))[:CAPTIONS],
        "sounds": [p for kind in sorted((shared / "esc10").iterdir()) for p in sorted(kind.glob("4-*.ogg"))[:SOUNDS]],
        "cars": [
            t.with_suffix(".jpg")
            for part in ("eu", "us")
            for t in sorted((shared / "plates" / part).glob("*.txt"))[:CARS]
        ],
    }
    for folder, files in chosen.items():
        (out / folder).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, out / folder / file.name)
    return out


def is_right(asked: BenchmarkQuestion, answer: str, cited: Sequence[str] = ()) -> bool:
    """Whether an answer counts: it contains an accepted answer, within the tolerance; of a question for a file, the
    first citation may be it too.

    >>> is_right(BenchmarkQuestion(1, "", "how many?", ("2", "two"), "how many", ""), "2 dogs")
    True
    >>> is_right(BenchmarkQuestion(1, "", "when?", ("61",), "when", "2"), "1:02")
    True
    """
    plain = _plain(answer)
    if not asked.answers:
        return False
    if asked.answers[0].startswith(HALF):
        wanted = [asked.answers[0].removeprefix(HALF), *asked.answers[1:]]
        return 2 * sum(_stands(_plain(word), plain) for word in wanted) >= len(wanted)
    if asked.tolerance:
        given, wanted_number = _number(answer), float(asked.answers[0])
        margin = (
            wanted_number * float(asked.tolerance[:-1]) / 100
            if asked.tolerance.endswith("%")
            else float(asked.tolerance)
        )
        return given is not None and abs(given - wanted_number) <= margin
    if asked.kind == "yes/no":
        first = plain.split(" ")[0]
        return first in {_plain(one).split(" ")[0] for one in asked.answers} or (
            first != "yes" and _any_stands(asked.answers[1:], plain)
        )
    if asked.kind == "which":
        return any(one in answer for one in asked.answers) or any(
            one in path for one in asked.answers for path in cited[:1]
        )
    if asked.kind == "what does it say":
        plain, joined = plain, re.sub(r"\W", "", answer.lower())
        return _any_stands(asked.answers, plain) or any(
            len(one) > 4 and _fold(one) in _fold(joined) for one in asked.answers
        )
    return _any_stands(asked.answers, plain)


def _any_stands(answers: Sequence[str], told: str) -> bool:
    return any(_stands(_plain(one), told) for one in answers)


def _stands(wanted: str, told: str) -> bool:
    """As whole words; a plural is as good."""
    pattern = r"\s".join(re.escape(word) + "(?:e?s)?" for word in wanted.split(" "))
    return re.search(rf"(?:^|\s){pattern}(?:\s|$)", told) is not None


def _plain(text: str) -> str:
    """Lower case, no punctuation, no articles, numbers as digits."""
    words = re.sub(r"[^\w\s]", " ", text.lower()).split()
    return " ".join(NUMBERS.get(word, word) for word in words if word not in ("a", "an", "the"))


def _fold(plate: str) -> str:
    return plate.lower().replace("o", "0").replace("i", "1")


def _number(answer: str) -> float | None:
    """The first number: m:ss as seconds, words as digits."""
    if found := re.search(r"\b(\d+):(\d\d)\b", answer):
        plain = re.search(r"\d+(?:\.\d+)?", answer)
        if plain is not None and plain.start() < found.start():
            return float(plain[0])
        return 60.0 * int(found[1]) + int(found[2])
    digits = re.search(
        r"\d+(?:\.\d+)?", " ".join(NUMBERS.get(w, w) for w in re.sub(r"[^\w\s.]", " ", answer.lower()).split())
    )
    return float(digits[0]) if digits else None


def _split(answers: str) -> list[str]:
    return [one for one in answers.split("|") if one]
