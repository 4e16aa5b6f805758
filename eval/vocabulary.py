"""Measure zero-shot labels: which names of a vocabulary stand in the captions of photos, and which the labels give.

What a caption does not name may be there all the same, so precision is a lower bound. The weights of
`retrieval/vocabularies/scoring.py` are those of a logistic regression over all photos; its figures are of folds, each
photo scored by the regression over the other four fifths.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import COMMON, Vectors
from crossmedia.embeddings.profile import Profile
from crossmedia.eval.figures import Figure, Section
from crossmedia.eval.metrics import average_precision, mean
from crossmedia.eval.objects import open_photo
from crossmedia.retrieval.morphology import singulars
from crossmedia.retrieval.naming import MAX_PHRASE_WORDS
from crossmedia.retrieval.relevance import UNKNOWN, probabilities
from crossmedia.retrieval.vocabularies.scoring import MAX_LABELS, MIN_SCORE, Weights, encode_names, standard_scores
from crossmedia.retrieval.vocabularies.vocabulary import Entry, Vocabulary

FOLDS: Final = 5
SEVERAL: Final = 5
"""Photos that a label is on, for it to have a figure of its own."""
BATCH: Final = 32

Truth = NDArray[np.bool_]


def numbered(entries: Sequence[Entry]) -> dict[str, int]:
    """The number of the entry that each name belongs to."""
    return {name: number for number, entry in enumerate(entries) for name in entry.names}


def named_in(captions: Sequence[str], numbers: Mapping[str, int]) -> set[int]:
    """The numbers of the entries that captions name, one of several included.

    >>> named_in(["Two dogs on a sofa ."], numbered([Entry("dog"), Entry("couch", ("sofa",)), Entry("cat")]))
    {0, 1}
    """
    found = set()
    for caption in captions:
        words = re.findall(r"[a-z'-]+", caption.lower())
        for length in range(1, MAX_PHRASE_WORDS + 1):
            for first in range(len(words) - length + 1):
                *before, last = words[first : first + length]
                found |= {numbers.get(" ".join((*before, one))) for one in (last, *singulars(last))}
    return {number for number in found if number is not None}


def measure(
    profile: Profile, captions: Mapping[Path, Sequence[str]], vocabulary: Vocabulary
) -> tuple[Section, list[Weights]]:
    """Figures by folds; and the weights of the regressions over all photos, with and without what is ordinary."""
    started = time.perf_counter()
    photos, entries = sorted(captions), vocabulary.entries
    numbers = numbered(entries)
    truth = np.zeros((len(photos), len(entries)), bool)
    for row, photo in zip(truth, photos, strict=True):
        row[list(named_in(captions[photo], numbers))] = True
    vectors, classes = _look(profile, photos)
    calibration = profile.calibrations.get((COMMON, "text", "picture"), UNKNOWN)
    near = standard_scores(encode_names(entries, profile), vectors, calibration)
    ones = np.ones((len(photos), 1))
    features = np.stack([near, ones * near.mean(axis=0), ones * near.std(axis=0)], axis=-1)
    fold = np.arange(len(photos)) % FOLDS
    scores = np.zeros(truth.shape)
    for held_out in range(FOLDS):
        weights = _fit(features[fold != held_out], truth[fold != held_out])
        scores[fold == held_out] = _apply(weights, features[fold == held_out])
    known = _classified(classes, numbers, len(entries))
    figures = [
        *_ranked("by the vocabulary", scores, truth, truth.sum(axis=0) >= SEVERAL),
        *_ranked("by the classes of the picture encoder", known, truth, truth.sum(axis=0) >= SEVERAL),
        *_labelled(scores, truth),
    ]
    note = f"{len(photos)} photos, {len(entries):,} labels; a label is right where one of five captions names it"
    seconds = time.perf_counter() - started
    every, alone = _fit(features, truth).tolist(), _fit(features[..., :1], truth).tolist()
    prior = features[0, :, 1:] @ np.array(every[1:3]) + every[3]
    return (
        Section(f"Labels of the vocabulary {vocabulary.name}", note, tuple(figures), seconds=seconds),
        [Weights(*every)._replace(max_prior=float(prior.max())), Weights(alone[0], 0.0, 0.0, alone[1])],
    )


def _look(profile: Profile, photos: Sequence[Path]) -> tuple[Vectors, list[Sequence[tuple[str, float]]]]:
    vectors, classes = [], list[Sequence[tuple[str, float]]]()
    for batch in chunks(photos, BATCH):
        seen = profile.picture.encode([open_photo(photo) for photo in batch])
        vectors.append(seen.vectors[COMMON])
        classes += seen.classes
    return np.concatenate(vectors), classes


def _fit(features: NDArray[np.float64], truth: Truth) -> NDArray[np.float64]:
    """(…, F) and (…) → F weights and a constant of a logistic regression."""
    rows = np.append(features, np.ones((*features.shape[:-1], 1)), axis=-1).reshape(-1, features.shape[-1] + 1)
    right = truth.ravel()

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = rows @ weights
        gradient = rows.T @ (probabilities(odds) - right) / len(right)
        return float(np.mean(np.logaddexp(0, odds) - right * odds)), gradient

    found: NDArray[np.float64] = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="BFGS").x
    return found


def _apply(weights: NDArray[np.float64], features: NDArray[np.float64]) -> NDArray[np.float64]:
    return probabilities(features @ weights[:-1] + weights[-1])


def _classified(
    classes: Sequence[Sequence[tuple[str, float]]], numbers: Mapping[str, int], count: int
) -> NDArray[np.float64]:
    """What the encoder's classes of the same names say; nothing of the other entries."""
    scores = np.zeros((len(classes), count))
    for row, found in zip(scores, classes, strict=False):
        for name, score in found:
            if (number := numbers.get(name.lower())) is not None:
                row[number] = max(row[number], score)
    return scores


def _ranked(how: str, scores: NDArray[np.float64], truth: Truth, frequent: NDArray[np.bool_]) -> list[Figure]:
    """Mean average precision: of photos for each label that is on several, and of such labels for each photo."""
    if len(scores) != len(truth):
        return []
    labels = np.flatnonzero(frequent)
    by_label = [_precision(scores[:, label], truth[:, label]) for label in labels]
    by_photo = [
        _precision(row[labels], own[labels]) for row, own in zip(scores, truth, strict=True) if own[labels].any()
    ]
    return [
        Figure(f"mAP of photos, {how}", mean(by_label), of=len(by_label)),
        Figure(f"mAP of labels, {how}", mean(by_photo), of=len(by_photo)),
    ]


def _precision(scores: NDArray[np.float64], right: Truth) -> float:
    return average_precision(list(np.argsort(-scores, kind="stable")), set(np.flatnonzero(right)))


def _labelled(scores: NDArray[np.float64], truth: Truth) -> list[Figure]:
    """What the labels that are kept are worth."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :MAX_LABELS]
    kept = np.zeros(truth.shape, bool)
    np.put_along_axis(kept, best, np.take_along_axis(scores, best, axis=1) >= MIN_SCORE, axis=1)
    return [
        Figure("labels that a caption names", float(truth[kept].mean()), of=int(kept.sum())),
        Figure("names in captions that are labels", float(kept[truth].mean()), of=int(truth.sum())),
        Figure("labels a photo", float(kept.sum() / len(truth)), "", of=len(truth)),
        Figure("mean score of those labels", float(scores[kept].mean()), of=int(kept.sum())),
    ]
