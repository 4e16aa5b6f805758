"""Load DAQUAR: its pictures as features, questions as words and vectors, answers as numbers."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.clip_b16_words import MAP, MappedWords
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.query_bank import content
from crossmedia.embeddings.visual_answers import Eyes, Floats, PictureFeatures, mirror_question, number_words

QuestionSplit = Literal["train", "tune", "held"]
MIN_OCCURRENCES: Final = 2
"""How often an answer, and a word, has to come to be learned."""


@dataclass(frozen=True)
class VisualQuestion:
    """A question about a picture, and its answer: several are joined by `, `."""

    image: str
    question: str
    answer: str


def read_questions(folder: Path) -> list[VisualQuestion]:
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as stream:
        return [VisualQuestion(row["image"], row["question"], row["answer"]) for row in csv.DictReader(stream)]


def split_pictures(images: Iterable[str]) -> dict[str, QuestionSplit]:
    """By the pictures' names alone: the first fifth by their SHA-1 is held out, and nothing is ever fitted, tuned or
    chosen on it; the next tenth is what is tuned on."""
    order = sorted(set(images), key=lambda name: hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest())
    held, tuned = round(len(order) / 5), round(len(order) / 10)
    return {name: "held" if n < held else "tune" if n < held + tuned else "train" for n, name in enumerate(order)}


def answers_of(asked: list[VisualQuestion]) -> list[str]:
    """What can be answered, most frequent first."""
    counted = Counter(one.answer for one in asked)
    return [answer for answer, count in counted.most_common() if count >= MIN_OCCURRENCES]


def words_of(asked: list[VisualQuestion]) -> list[str]:
    counted = Counter(word for one in asked for word in re.findall(r"\w+", one.question.lower()))
    return [word for word, count in counted.most_common() if count >= MIN_OCCURRENCES]


def mark_named(asked: list[VisualQuestion], images: list[str], answers: list[str]) -> NDArray[np.bool_]:
    """(pictures, answers): whether a thing of the answer is named in what was asked about the picture, or in what was
    answered."""
    named: dict[str, set[str]] = {image: set() for image in images}
    for one in asked:
        named[one.image].update(one.answer.split(", "), re.findall(r"\w+", one.question.lower()))
    things = [set(answer.split(", ")) for answer in answers]
    return np.array([[not some.isdisjoint(named[image]) for some in things] for image in images])


@dataclass(frozen=True, eq=False)
class VisualMaterial:
    """Questions: (n,) their parts, (n,) and (n,) their pictures and answers by number (-1: not learned), (n, 2, 384)
    and (n, 2, 24) sentences and words as `VisualAnswers` reads them, of the question and of that to the mirrored
    picture. Pictures:
    (p, 2, 81, 352) and (p, 2, 4696) what is seen, (p, answers) what is in them. Answers: (answers, 384) and (answers,
    512) their names as sentences, and among pictures."""

    part: NDArray[np.str_]
    image: NDArray[np.int64]
    answer: NDArray[np.int64]
    sentence: Floats
    words: NDArray[np.int64]
    cells: Floats
    sights: Floats
    shown: NDArray[np.bool_]
    names: Floats
    names_seen: Floats

    def among(self, *parts: QuestionSplit) -> VisualMaterial:
        """The questions of these parts."""
        return self.rows(np.isin(self.part, parts))

    def rows(self, which: NDArray[np.bool_]) -> VisualMaterial:
        """These questions."""
        return replace(
            self,
            part=self.part[which],
            image=self.image[which],
            answer=self.answer[which],
            sentence=self.sentence[which],
            words=self.words[which],
        )


def prepare(folder: Path, asked: list[VisualQuestion], answers: list[str], words: list[str]) -> VisualMaterial:
    """`asked` about the pictures in `folder`, with the answers and words that are learned."""
    texts, images = MappedWords(BUNDLED, BUNDLED / MAP), sorted({one.image for one in asked})
    places, numbers = {image: n for n, image in enumerate(images)}, {answer: n for n, answer in enumerate(answers)}
    vocabulary = {word: n for n, word in enumerate(words, start=2)}
    both = [text for one in asked for text in (one.question, mirror_question(one.question))]
    questions = {text: n for n, text in enumerate(dict.fromkeys(both))}
    vectors = texts.encode(list(questions)).vectors["text"]
    named = texts.encode([answer.replace("_", " ") for answer in answers]).vectors
    part, seen = split_pictures(images), look_at([folder / "images" / image for image in images])
    return VisualMaterial(
        np.array([part[one.image] for one in asked]),
        np.array([places[one.image] for one in asked]),
        np.array([numbers.get(one.answer, -1) for one in asked]),
        vectors[[questions[text] for text in both]].reshape(len(asked), 2, -1),
        np.stack([number_words(text, vocabulary) for text in both]).reshape(len(asked), 2, -1),
        np.stack([one.cells for one in seen]),
        np.stack([one.sights for one in seen]),
        mark_named(asked, images, answers),
        named["text"],
        content(named[COMMON]),
    )


def look_at(paths: list[Path]) -> list[PictureFeatures]:
    eyes, seen = Eyes(BUNDLED), []
    for number, path in enumerate(paths, start=1):
        with Image.open(path) as image:
            seen.append(eyes.look(Picture(np.asarray(image.convert("RGB")))))
        if number % 100 == 0:
            print(f"{number} of {len(paths)} pictures", flush=True)
    return seen
