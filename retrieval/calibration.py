"""What an unrelated pair scores in this collection, measured when it has grown and kept with it.

The built-in calibrations were measured on photographs and captions. In another collection everything may be nearer to
everything, or farther: its random pairs tell, since in any collection nearly all pairs are unrelated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import IDENTITIES, Calibration, Modality, Vectors
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.queries import QUERIES
from crossmedia.retrieval.documents import PARTS
from crossmedia.retrieval.store import RandomPairs, Store

QUERIED: Final = 200
"""Vectors of the collection that stand for queries by example."""
SAMPLED: Final = 1_000
MIN_TARGETS: Final = 50
"""Of fewer targets nothing is measured."""
TRUST: Final = 500
"""So many targets are trusted as much as the built-in calibration."""
ORDINARY: Final = 0.5
"""So many standard deviations of random pairs apart are the means of collections that need the same cut-off: clip art,
rooms and photographs of people. Only what exceeds it moves anything."""
GROWTH: Final = 1.25
"""How much a field grows or shrinks before it is measured again."""
DUPLICATE: Final = 0.999
"""A pair as near as this is the same thing twice."""

MIDDLE, STEEP = 3.5, 1.5
"""Where relevance is one half, and its slope there, in standard deviations of random pairs: about what the built-in
encoders have from labelled pairs. For encoders without such figures."""
FLAT: Final = 1e-3

Calibrations = Mapping[tuple[str, Modality, Modality], Calibration]


def refresh(store: Store, profile: Profile) -> None:
    """Measure anew if some field of the store has grown or shrunk enough since the last time."""
    searched = profile.spaces.keys() - IDENTITIES
    counted = {
        field: n
        for field, n in store.counted().items()
        if n >= MIN_TARGETS and field[0] in searched and field[1] not in PARTS
    }
    known = {(u.space, u.target): u.targets for u in store.random_pairs()}
    if set(known) == set(counted) and all(
        max(count, known[field]) <= GROWTH * min(count, known[field]) for field, count in counted.items()
    ):
        return
    asked = profile.text.encode(QUERIES).vectors
    samples = {field: store.sample(*field, SAMPLED) for field in counted}
    store.keep_random_pairs([*_measured(counted, samples, asked, profile.calibrations)])


def adapted(calibrations: Calibrations, measured: Sequence[RandomPairs]) -> Calibrations:
    """The given calibrations as they are in a collection with these random pairs; for a pair of modalities that nobody
    gave one, a calibration from its random pairs alone."""
    found = dict(calibrations)
    for one in measured:
        key = (one.space, one.query, one.target)
        if key in found:
            found[key] = found[key].among(_beyond(found[key], one.mean), one.targets / (one.targets + TRUST))
        else:
            middle = min(one.mean + MIDDLE * one.std, (1 + one.mean) / 2)
            found[key] = Calibration(one.mean, one.std, middle, STEEP / max(one.std, FLAT))
    return found


def _beyond(given: Calibration, mean: float) -> float:
    """The collection's mean, nearer to the given one by what is ordinary."""
    ordinary = ORDINARY * given.std
    return given.mean + math.copysign(max(0.0, abs(mean - given.mean) - ordinary), mean - given.mean)


def _measured(
    counted: Mapping[tuple[str, Modality], int],
    samples: Mapping[tuple[str, Modality], Vectors],
    asked: Mapping[str, Vectors],
    calibrations: Calibrations,
) -> Iterator[RandomPairs]:
    for (space, target), targets in samples.items():
        queries: dict[Modality, Vectors] = {
            modality: vectors[:: max(1, len(vectors) // QUERIED)]
            for (s, modality), vectors in samples.items()
            if s == space
        }
        if space in asked:
            queries["text"] = asked[space]
        for modality, vectors in queries.items():
            given = calibrations.get((space, modality, target))
            cosines = ((given.compared(vectors) if given else vectors) @ targets.T).ravel()
            cosines = cosines[cosines < DUPLICATE]
            if len(cosines):
                mean, std = float(np.mean(cosines)), float(np.std(cosines))
                yield RandomPairs(space, modality, target, mean, std, len(targets), counted[space, target])
