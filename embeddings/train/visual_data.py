"""DAQUAR as it is learned from: pictures as they are read, questions as words and vectors, answers by number."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.catalog import BUNDLED
from embeddings.media import Picture
from embeddings.text import MiniLM
from embeddings.visual_answers import Eyes, numbered

Part = Literal["train", "tune", "held"]
RARE: Final = 2
"""How often an answer, and a word, has to come to be learned."""
SIDES: Final = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Asked:
    """A question about a picture, and its answer: several are joined by `, `."""

    image: str
    question: str
    answer: str


def read(folder: Path) -> list[Asked]:
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as stream:
        return [Asked(row["image"], row["question"], row["answer"]) for row in csv.DictReader(stream)]


def parts(images: Iterable[str]) -> dict[str, Part]:
    """By the pictures' names alone: the first fifth by their SHA-1 is held out, and nothing is ever fitted, tuned or chosen on it;
    the next tenth is what is tuned on."""
    order = sorted(set(images), key=lambda name: hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest())
    held, tuned = round(len(order) / 5), round(len(order) / 10)
    return {name: "held" if n < held else "tune" if n < held + tuned else "train" for n, name in enumerate(order)}


def answers_of(asked: list[Asked]) -> list[str]:
    """What can be answered, most frequent first."""
    counted = Counter(one.answer for one in asked)
    return [answer for answer, count in counted.most_common() if count >= RARE]


def words_of(asked: list[Asked]) -> list[str]:
    counted = Counter(word for one in asked for word in re.findall(r"\w+", one.question.lower()))
    return [word for word, count in counted.most_common() if count >= RARE]


def views(picture: Picture) -> list[Picture]:
    """The picture, its mirror image, and three cuts of nine tenths of it."""
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    h, w = round(0.9 * height), round(0.9 * width)
    corners = ((0, 0), (height - h, width - w), (0, width - w))
    cuts = [pixels[top : top + h, left : left + w] for top, left in corners]
    return [Picture(np.ascontiguousarray(one)) for one in (pixels, pixels[:, ::-1], *cuts)]


def mirrored(question: str) -> str:
    """What a mirrored picture has to be asked."""
    return re.sub(r"\b(left|right)\b", lambda found: SIDES[found[1]], question)


@dataclass(frozen=True, eq=False)
class Pictures:
    """By (picture, view): (N, V, 81, 352), (N, V, 642), (N, V, 240), in half precision; by picture: (N, 2, 3670)."""

    names: list[str]
    cells: NDArray[np.float16]
    whole: NDArray[np.float16]
    objects: NDArray[np.float16]
    sights: NDArray[np.float32]


def looked_at(folder: Path, names: list[str]) -> Pictures:
    eyes = Eyes(BUNDLED)
    rows = []
    for number, name in enumerate(names, start=1):
        with Image.open(folder / "images" / name) as image:
            picture = Picture(np.asarray(image.convert("RGB")))
        rows.append([eyes.look(view) for view in views(picture)])
        if number % 100 == 0:
            print(f"{number} of {len(names)} pictures", flush=True)

    def stacked(which: str) -> NDArray[np.float16]:
        return np.stack([np.stack([getattr(one, which) for one in some]) for some in rows]).astype(np.float16)

    sights = np.stack([some[0].sights for some in rows])
    return Pictures(names, stacked("cells"), stacked("whole"), stacked("objects"), sights)


@dataclass(frozen=True, eq=False)
class Questions:
    """Rows: number of the picture, of the answer (-1: not learned), words and sentence, and both of the mirrored question."""

    image: NDArray[np.int64]
    answer: NDArray[np.int64]
    words: NDArray[np.int64]
    sentence: NDArray[np.float32]


def prepared(asked: list[Asked], names: list[str], answers: list[str], words: list[str]) -> Questions:
    """`words` and `sentence` have two rows a question: as it is, and for the mirrored picture."""
    places, numbers = {name: n for n, name in enumerate(names)}, {answer: n for n, answer in enumerate(answers)}
    vocabulary = {word: n for n, word in enumerate(words, start=2)}
    both = [text for one in asked for text in (one.question, mirrored(one.question))]
    known = {text: n for n, text in enumerate(dict.fromkeys(both))}
    vectors = MiniLM(BUNDLED).encode(list(known)).vectors["text"]
    return Questions(
        np.array([places[one.image] for one in asked]),
        np.array([numbers.get(one.answer, -1) for one in asked]),
        np.stack([numbered(text, vocabulary) for text in both]).reshape(len(asked), 2, -1),
        vectors[[known[text] for text in both]].reshape(len(asked), 2, -1),
    )


__all__ = ["Asked", "Pictures", "Questions", "answers_of", "looked_at", "parts", "prepared", "read", "words_of"]
