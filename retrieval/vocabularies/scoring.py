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
from crossmedia.retrieval.likeness import MIN_SIMILAR
from crossmedia.retrieval.parts import views
from crossmedia.retrieval.relevance import UNKNOWN, probabilities
from crossmedia.retrieval.store import Store
from crossmedia.retrieval.vocabularies.vocabulary import Entry, Vocabulary

MIN_SCORE: Final = 0.3
"""The score from which a name becomes a label."""
MAX_LABELS: Final = 12
"""Labels of one vocabulary on a moment, those with the best scores."""
TEXT_BATCH: Final = 64
"""Names that are encoded at once."""
PICTURE_BATCH: Final = 256
"""Pictures that are compared at once."""
MAX_VIEWS: Final = 8
"""Pictures of an example that are looked at, evenly over it."""
SAMPLE: Final = 1_000
"""Pictures of the collection in the sample."""
MIN_SAMPLE: Final = 20
"""With fewer pictures in the collection no sample is taken."""


class Weights(NamedTuple):
    """A logistic regression over a name's standard score for a picture, and the mean and standard deviation of its
    standard scores for a sample of the collection's pictures.

    The last two and the constant are the prior log-odds of a name. They are bounded by `max_prior`, the highest of any
    name that the regression was fitted to; else every shape in a collection of dogs would be one.
    """

    score: float
    mean: float
    std: float
    constant: float
    max_prior: float = math.inf


class Regressions(NamedTuple):
    """With a sample of the collection's pictures, and without one, where there are too few."""

    with_sample: Weights
    without_sample: Weights


REGRESSIONS: Final[Mapping[str, Regressions]] = {
    CLIP_B16.id: Regressions(Weights(2.30, 1.98, 6.76, -14.77, -4.85), Weights(2.81, 0, 0, -9.23)),
}
"""By the model of the common space, from `eval/vocabulary.py` over 500 photos: halfway between what is right for CLIP's
own tower and for its student."""
POOLED: Final = Regressions(Weights(1.83, 2.58, 3.30, -12.71, -4.70), Weights(2.16, 0, 0, -8.53))
"""For other encoders: fitted to two together, an ImageNet network and CLIP without a query bank."""


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
        sample: Vectors,
        regressions: Regressions,
        calibration: Calibration,
        examples: Sequence[tuple[int, Vector]] = (),
        alike: Calibration = UNKNOWN,
    ) -> None:
        """`names`: (labels, dim), compared by `calibration`; `sample`: (N, dim), pictures of the collection;
        `examples`: numbers of labels with vectors, compared by `alike`."""
        self.labels = tuple(labels)
        weights, prior = regressions.without_sample, np.full(len(names), regressions.without_sample.constant)
        if len(sample) >= MIN_SAMPLE:
            weights, near = regressions.with_sample, standard_scores(names, sample, calibration)
            prior = weights.mean * near.mean(axis=0) + weights.std * near.std(axis=0) + weights.constant
        # Both are linear in the picture: one product gives the log-odds.
        scale = weights.score / max(calibration.std, FLAT)
        self._names = calibration.compared(names) * np.float32(scale)
        self._prior = (np.minimum(prior, weights.max_prior) - scale * calibration.mean).astype(np.float32)
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
            store.sample(COMMON, "picture", SAMPLE),
            REGRESSIONS.get(profile.spaces[COMMON].model, POOLED),
            _calibration(calibrations, "text"),
            _examples(vocabulary.entries, store),
            _calibration(calibrations, "picture"),
        )

    def scores(self, pictures: Vectors) -> Vectors:
        """(N, dim) unit rows → (N, labels)."""
        scores = probabilities(pictures @ self._names.T + self._prior)
        if self._shown:
            alike = probabilities(pictures @ self._examples.T - self._offset)
            alike[alike < MIN_SIMILAR] = 0  # merely of its kind is not what it shows
            np.maximum.at(scores.T, self._shown, alike.T)
        return scores

    def find(self, pictures: Vectors) -> list[list[tuple[str, float]]]:
        """(N, dim) unit rows → of each the labels that it probably shows, best first."""
        found = []
        for first in range(0, len(pictures), PICTURE_BATCH):
            for row in self.scores(pictures[first : first + PICTURE_BATCH]):
                best = np.argsort(-row, kind="stable")[:MAX_LABELS]
                found.append([(self.labels[n], float(row[n])) for n in best if row[n] >= MIN_SCORE])
        return found


def sample_step(pictures: int) -> int:
    """A step that collections with about as many pictures share: the sample is taken again where one has
    grown or shrunk fourfold."""
    return 0 if pictures < MIN_SAMPLE else 1 + int(math.log(min(pictures, SAMPLE) / MIN_SAMPLE, 4))


def standard_scores(names: Vectors, pictures: Vectors, calibration: Calibration) -> Vectors:
    """(L, dim), (N, dim) → (N, L): their cosines in standard deviations of unrelated pairs."""
    cosines = pictures @ calibration.compared(names).T
    near: Vectors = (cosines - np.float32(calibration.mean)) / np.float32(max(calibration.std, FLAT))
    return near


def encode_names(entries: Sequence[Entry], profile: Profile) -> Vectors:
    """(entries, dim): of each the middle of its label and synonyms."""
    texts = [name for entry in entries for name in entry.names]
    encoded = [profile.text.encode(some).vectors[COMMON] for some in chunks(texts, TEXT_BATCH)]
    rows, extra = np.concatenate(encoded), profile.spaces[COMMON].extra
    ends = np.cumsum([len(entry.names) for entry in entries])
    return np.stack([pool(part, extra) for part in np.split(rows, ends[:-1])])


def _examples(entries: Sequence[Entry], store: Store) -> list[tuple[int, Vector]]:
    """Vectors of what the examples show, each with the number of its entry; an asset that is gone shows nothing."""
    rows = []
    for number, entry in enumerate(entries):
        for asset in entry.examples:
            seen = [moment.id for moment in store.moments(asset) if MODALITY[moment.kind] == "picture"]
            rows += [(number, vector) for vector in views(list(store.vectors(COMMON, seen).values()), MAX_VIEWS)]
    return rows


def _calibration(calibrations: Mapping[tuple[str, Modality, Modality], Calibration], modality: Modality) -> Calibration:
    return calibrations.get((COMMON, modality, "picture"), UNKNOWN)
