"""Zero-shot labels: which names of a vocabulary pictures show, by their vectors in the common space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import COMMON, Calibration, Modality, Vector, Vectors, pool
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.calibration import FLAT, adapted
from crossmedia.retrieval.documents import MODALITY
from crossmedia.retrieval.parts import views
from crossmedia.retrieval.relevance import UNKNOWN, probabilities
from crossmedia.retrieval.store import Store
from crossmedia.retrieval.vocabularies.vocabulary import Entry, Vocabulary

PROBABLE: Final = 0.3
"""The score from which a name becomes a label."""
ALIKE: Final = 0.5
"""The relevance from which a picture shows what an example shows."""
MOST: Final = 12
"""Labels of one vocabulary on a moment, those with the best scores."""
ENCODED: Final = 64
"""Names that are encoded at once."""
COMPARED: Final = 256
"""Pictures that are compared at once."""
VIEWS: Final = 8
"""Pictures of an example that are looked at, evenly over it."""
SAMPLED: Final = 1_000
"""Pictures of the collection that tell what is ordinary in it."""
ENOUGH: Final = 20
"""Of fewer pictures nothing is told."""


class Weights(NamedTuple):
    """A logistic regression: what it counts how near a name is to a picture, and how near to ordinary pictures on
    average, and how variably; all in standard deviations of unrelated pairs, which makes encoders comparable.

    `likeliest` bounds what is said of a name before a picture is seen: the most of any name where it was fitted. In a
    collection of nothing but dogs every shape would be one otherwise.
    """

    near: float
    mean: float
    spread: float
    constant: float
    likeliest: float = math.inf


class Regressions(NamedTuple):
    """`among` ordinary pictures, and `alone`, where too few tell what is ordinary."""

    among: Weights
    alone: Weights


MEASURED: Final[Mapping[str, Regressions]] = {
    "minilm-l6-v2+lite2+sound-tower": Regressions(Weights(1.92, 3.41, 5.48, -14.96, -4.69), Weights(2.37, 0, 0, -8.63)),
    CLIP_B16.id: Regressions(Weights(1.80, 2.07, 4.31, -13.40, -4.71), Weights(2.12, 0, 0, -8.74)),
}
"""By the model of the common space, from `eval/vocabulary.py` over 500 photos."""
OTHERS: Final = Regressions(Weights(1.83, 2.58, 3.30, -12.71, -4.70), Weights(2.16, 0, 0, -8.53))
"""Fitted to both together: too careful for the first, too sure for the second."""


class Scorer:
    """One vocabulary over one collection: pictures' vectors → labels with scores in [0, 1].

    A name and its synonyms are one vector, in their middle. Its score is the probability that one of five people who
    describe the picture uses one of them: from how near it is, and how near and how variably it is to the collection's
    pictures in general, which tells names of what is often seen from others. An entry's examples are compared with
    pictures as a search by them does.
    """

    def __init__(
        self,
        labels: Sequence[str],
        names: Vectors,
        ordinary: Vectors,
        regressions: Regressions,
        calibration: Calibration,
        examples: Sequence[tuple[int, Vector]] = (),
        alike: Calibration = UNKNOWN,
    ) -> None:
        """`names`: (labels, dim), compared by `calibration`; `ordinary`: (N, dim), pictures of the collection;
        `examples`: numbers of labels with vectors, compared by `alike`."""
        self.labels = tuple(labels)
        weights, prior = regressions.alone, np.full(len(names), regressions.alone.constant)
        if len(ordinary) >= ENOUGH:
            weights, near = regressions.among, nearness(names, ordinary, calibration)
            prior = weights.mean * near.mean(axis=0) + weights.spread * near.std(axis=0) + weights.constant
        # Both are linear in the picture: one product gives the log-odds.
        scale = weights.near / max(calibration.std, FLAT)
        self._names = calibration.compared(names) * np.float32(scale)
        self._prior = (np.minimum(prior, weights.likeliest) - scale * calibration.mean).astype(np.float32)
        self._shown = [number for number, _ in examples]
        rows = np.stack([row for _, row in examples]) if examples else np.zeros((0, names.shape[1]), np.float32)
        self._examples = alike.compared(rows) * np.float32(alike.slope)
        self._offset = np.float32(alike.slope * alike.bias)

    @classmethod
    def of(cls, vocabulary: Vocabulary, profile: Profile, store: Store) -> Scorer:
        """Encodes every name."""
        calibrations = adapted(profile.calibrations, store.random_pairs())
        return cls(
            [entry.label for entry in vocabulary.entries],
            encode_names(vocabulary.entries, profile),
            store.sample(COMMON, "picture", SAMPLED),
            MEASURED.get(profile.spaces[COMMON].model, OTHERS),
            _calibration(calibrations, "text"),
            _examples(vocabulary.entries, store),
            _calibration(calibrations, "picture"),
        )

    def scores(self, pictures: Vectors) -> Vectors:
        """(N, dim) unit rows → (N, labels)."""
        scores = probabilities(pictures @ self._names.T + self._prior)
        if self._shown:
            alike = probabilities(pictures @ self._examples.T - self._offset)
            alike[alike < ALIKE] = 0
            np.maximum.at(scores.T, self._shown, alike.T)
        return scores

    def find(self, pictures: Vectors) -> list[list[tuple[str, float]]]:
        """(N, dim) unit rows → of each the labels that it probably shows, best first."""
        found = []
        for first in range(0, len(pictures), COMPARED):
            for row in self.scores(pictures[first : first + COMPARED]):
                best = np.argsort(-row, kind="stable")[:MOST]
                found.append([(self.labels[n], float(row[n])) for n in best if row[n] >= PROBABLE])
        return found


def measured_on(pictures: int) -> int:
    """A step that collections with about as many pictures share: what is ordinary is measured again where one has
    grown or shrunk fourfold."""
    return 0 if pictures < ENOUGH else 1 + int(math.log(min(pictures, SAMPLED) / ENOUGH, 4))


def nearness(names: Vectors, pictures: Vectors, calibration: Calibration) -> Vectors:
    """(L, dim), (N, dim) → (N, L): their cosines in standard deviations of unrelated pairs."""
    cosines = pictures @ calibration.compared(names).T
    near: Vectors = (cosines - np.float32(calibration.mean)) / np.float32(max(calibration.std, FLAT))
    return near


def encode_names(entries: Sequence[Entry], profile: Profile) -> Vectors:
    """(entries, dim): of each the middle of its label and synonyms."""
    texts = [name for entry in entries for name in entry.names]
    encoded = [profile.text.encode(some).vectors[COMMON] for some in chunks(texts, ENCODED)]
    rows, extra = np.concatenate(encoded), profile.spaces[COMMON].extra
    ends = np.cumsum([len(entry.names) for entry in entries])
    return np.stack([pool(part, extra) for part in np.split(rows, ends[:-1])])


def _examples(entries: Sequence[Entry], store: Store) -> list[tuple[int, Vector]]:
    """Vectors of what the examples show, each with the number of its entry; an asset that is gone shows nothing."""
    rows = []
    for number, entry in enumerate(entries):
        for asset in entry.examples:
            seen = [moment.id for moment in store.moments(asset) if MODALITY[moment.kind] == "picture"]
            rows += [(number, vector) for vector in views(list(store.vectors(COMMON, seen).values()), VIEWS)]
    return rows


def _calibration(calibrations: Mapping[tuple[str, Modality, Modality], Calibration], modality: Modality) -> Calibration:
    return calibrations.get((COMMON, modality, "picture"), UNKNOWN)
