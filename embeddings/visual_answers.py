"""Answer questions about a picture with a small network over the picture tower and the object detector.

The question attends to a grid of the tower twice, as in stacked attention (Z. Yang et al., CVPR 2016); beside it a
kernel machine knows what was answered to such questions of such pictures. The answer is one of those that the training
questions had. It is learned by `embeddings/train/visual_answers.py` from DAQUAR (M. Malinowski and M. Fritz, NIPS
2014), which asks about things in rooms; its card is `bundled/visual-answers.md`, its figures are those of `crossmedia
eval daquar`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import LITE2, VISUAL_ANSWERS
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.embeddings.onnx import session
from crossmedia.embeddings.picture import FEATURES, HEAD, PICTURE, StudentHead, prepare
from crossmedia.embeddings.segmentation import LAYERS
from crossmedia.embeddings.text import MiniLM

Floats: TypeAlias = NDArray[np.float32]
MIDDLE, LAYER = LAYERS[1:]
CELLS: Final = 81
CHANNELS: Final = 352
"""The tower's last layer before pooling, of 9×9 cells."""
OBJECTS: Final = 80
MIN_SEEN_SCORE: Final = 0.1
"""Score from which an object counts among what is seen."""
SENTENCE: Final = 384
PART_COUNT: Final = 6
HUES: Final = (4, 6, 6)
"""Steps of lightness, of green to red and of blue to yellow in which colours are counted."""
SIGHT: Final = (DIM, PICTURE.dim, 3 * OBJECTS, CHANNELS, PART_COUNT * DIM, 120, math.prod(HUES))
"""What is read of a picture and of its mirror image: the vector in CLIP's space, the native one, objects, the most of
each channel, CLIP's vectors of six parts, the mean of a layer further down, colours."""
MAX_QUESTION_WORDS: Final = 24
"""Words of a question that are read one by one."""
SIDES: Final = {"left": "right", "right": "left"}
MAX_ANSWERS: Final = 5


@dataclass(frozen=True, eq=False)
class PictureFeatures:
    """A picture as the network reads it and its mirror image: (2, 81, 352) cells, (2, 4696) as in `SIGHT`."""

    cells: Floats
    sights: Floats


class Eyes:
    """Pictures → what is read of them. `folder` holds the picture tower, its head and the detector of objects, opened
    at the first."""

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None) -> None:
        self._path, self._threads = folder / LITE2.files[0].name, threads
        self._head_path = folder / HEAD
        self._detector = ObjectDetector(folder, threads)

    @cached_property
    def _tower(self) -> Any:
        return session(self._path, self._threads, (MIDDLE, LAYER, FEATURES), lean=True)

    @cached_property
    def _head(self) -> StudentHead:
        return StudentHead.read(self._head_path)

    def look(self, picture: Picture) -> PictureFeatures:
        """Any size and shape, from 1×1 px."""
        pixels = picture.pixels
        shown = [Picture(np.ascontiguousarray(one)) for one in (pixels, pixels[:, ::-1], *part_views(pixels))]
        prepared = np.stack([prepare(one) for one in shown])
        names = (MIDDLE, LAYER, FEATURES, PICTURE.name)
        middle, layer, features, native = self._tower.run(names, {"pixels": prepared})
        placed = self._head(features)
        known = {name: n for n, name in enumerate(self._detector.classes)}
        detections = self._detector.detect([picture], MIN_SEEN_SCORE)[0]
        objects, hues = count_objects([(known[one.value], one) for one in detections]), colours(prepared[0])
        sights = [
            np.concatenate(
                [
                    placed[v],
                    native[v],
                    objects,
                    layer[v].max((1, 2)),
                    placed[order].reshape(-1),
                    middle[v].mean((1, 2)),
                    hues,
                ]
            )
            for v, order in enumerate(([2, 3, 4, 5, 6, 7], [4, 3, 2, 7, 6, 5]))
        ]
        cells = np.ascontiguousarray(layer[:2].reshape(2, CHANNELS, CELLS).transpose(0, 2, 1), dtype=np.float32)
        return PictureFeatures(cells, np.stack(sights).astype(np.float32))


def part_views(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Six parts of half its height and width: left, middle and right above, then the same below."""
    height, width = pixels.shape[:2]
    h, w = max(1, height // 2), max(1, width // 2)
    return [pixels[top : top + h, left : left + w] for top in (0, height // 2) for left in (0, width // 4, width // 2)]


def colours(pixels: NDArray[np.uint8]) -> Floats:
    """(144,): the root of the share that each colour of CIELAB has in a picture; the strongest count among those before
    them."""
    ends = [(0, 255), (88, 167), (88, 167)]
    lab = np.clip(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), *np.array(ends, np.uint8).T)
    counts = cv2.calcHist([lab], [0, 1, 2], None, list(HUES), [n for low, high in ends for n in (low, high + 1)])
    shares: Floats = np.sqrt(counts.reshape(-1) / counts.sum(), dtype=np.float32)
    return shares


def count_objects(found: Sequence[tuple[int, Detection]]) -> Floats:
    """(240,): of each class the best score, how many there are by their scores, and the share of the picture they
    fill."""
    features = np.zeros((3, OBJECTS), np.float32)
    for n, one in found:
        features[0, n] = max(features[0, n], one.score)
        features[1, n] += one.score
        features[2, n] += (one.box[2] - one.box[0]) * (one.box[3] - one.box[1])
    features[1] = np.log1p(features[1])
    return features.reshape(-1)


def mirror_question(question: str) -> str:
    """The question to ask of the mirrored picture: left and right exchanged."""
    return re.sub(r"\b(left|right)\b", lambda found: SIDES[found[1].lower()], question, flags=re.IGNORECASE)


def number_words(question: str, vocabulary: dict[str, int]) -> NDArray[np.int64]:
    """(24,): the words of a question as numbers from 2; 1 is an unknown word, 0 is padding."""
    words = [vocabulary.get(word, 1) for word in re.findall(r"\w+", question.lower())[:MAX_QUESTION_WORDS]]
    return np.array([*words, *[0] * (MAX_QUESTION_WORDS - len(words))], np.int64)


class VisualAnswers:
    """Answers questions about pictures in a word or some, with the probability that it is the right one. `folder` holds
    `visual-answers.onnx`; the networks it rests on are those in the box. Safe for several threads."""

    model: str = f"{VISUAL_ANSWERS.id}@{VISUAL_ANSWERS.revision}"

    def __init__(self, folder: Path = BUNDLED, threads: int | None = None) -> None:
        self._path, self._threads = folder / VISUAL_ANSWERS.files[0].name, threads
        self._eyes = Eyes(BUNDLED, threads)

    @cached_property
    def _network(self) -> Any:
        return session(self._path, self._threads, lean=True)

    @cached_property
    def _sentences(self) -> MiniLM:
        return MiniLM(BUNDLED, self._threads)

    @cached_property
    def _about(self) -> dict[str, Any]:
        """Answers, words and calibration, which the network brings along."""
        metadata = self._network.get_modelmeta().custom_metadata_map
        return {name: json.loads(metadata[name]) for name in ("answers", "words", "calibration", "figures")}

    @property
    def answers(self) -> tuple[str, ...]:
        """Everything that it can answer."""
        return tuple(self._about["answers"])

    @property
    def figures(self) -> dict[str, float]:
        """What was measured when it was learned: `held`, and `blind` without looking at pictures."""
        return dict(self._about["figures"])

    def look(self, picture: Picture) -> PictureFeatures:
        """What several questions about one picture need once."""
        return self._eyes.look(picture)

    def answer_seen(self, seen: PictureFeatures, question: str) -> list[tuple[str, float]]:
        """The five likeliest answers, best first. The first one's probability is how often such a one is right."""
        about = self._about
        words = {word: n for n, word in enumerate(about["words"], start=2)}
        both = (question, mirror_question(question))
        different = list(dict.fromkeys(both))
        inputs = {
            "cells": seen.cells[None],
            "sights": seen.sights[None],
            "sentence": self._sentences.encode(different).vectors["text"][[0, -1]][None],
            "words": np.stack([number_words(one, words) for one in both])[None],
        }
        (logits,) = self._network.run(("logits",), inputs)
        shares = softmax(logits[0] * np.float32(about["calibration"]["sharpness"]))
        order = np.argsort(-shares, kind="stable")[:MAX_ANSWERS]
        return [(about["answers"][n], calibrate(float(shares[n]), about["calibration"])) for n in order.tolist()]

    def answer(self, picture: Picture, question: str) -> list[tuple[str, float]]:
        """The same, of a picture that is asked about once."""
        return self.answer_seen(self.look(picture), question)


def calibrate(share: float, calibration: dict[str, Any]) -> float:
    """The network's share as the probability that the answer is right: piecewise linear, rising, learned on pictures
    that training has not seen."""
    return float(np.interp(share, calibration["shares"], calibration["right"]))


def softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max())
    whole: Floats = raised / raised.sum()
    return whole
