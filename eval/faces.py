"""Whose faces: verification and identification on known people, and the names a collection gives them, among
strangers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.api.service import Service
from crossmedia.embeddings.encoder import FACE, Vectors
from crossmedia.embeddings.face import largest
from crossmedia.embeddings.faces import FacesOff, Portrait
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.train.voice_measure import Names, equal_error_rate, pairs
from crossmedia.eval.figures import Figure, Section
from crossmedia.eval.metrics import interval, mean
from crossmedia.eval.voices import NamedTurn, pairwise, purity
from crossmedia.retrieval.people import person

RESAMPLED: Final = 200
STRANGER_PHOTOS: Final = 300
"""Photos of Flickr8k among which the known people are found again."""


def measure(service: Service, data: Path, collection: str = "eval-faces") -> list[Section]:
    """Verification of the faces alone, and of what the enricher makes of them. Raises FacesOff."""
    paths = sorted((data / "faces").glob("*/*.png"))
    begun = perf_counter()
    apart = _verify(service, paths)
    between = perf_counter()
    named = _measure_names(service, paths, data, collection)
    return [replace(apart, seconds=between - begun), replace(named, seconds=perf_counter() - between)]


def error_rates(vectors: Vectors, people: Names) -> tuple[float, float, float]:
    """The equal error rate of all pairs, with a 95 % interval by resampling people: pairs of one picture are not
    independent.

    >>> error_rates(np.eye(4, dtype=np.float32)[[0, 0, 1, 1]], np.array(["a", "a", "b", "b"]))
    (0.0, 0.0, 0.0)
    """
    rates = [_rate(vectors, people, np.arange(len(people)))]
    chance, known = np.random.default_rng(5), np.unique(people)
    for _ in range(RESAMPLED):
        drawn = chance.choice(known, len(known))
        if len(set(drawn.tolist())) > 1:
            rows = np.concatenate([np.flatnonzero(people == name) for name in drawn])
            rates.append(_rate(vectors[rows], people[rows], rows))
    low, high = np.quantile(rates, (0.025, 0.975)).tolist()
    return rates[0], low, high


def _rate(vectors: Vectors, people: Names, pictures: NDArray[np.int64]) -> float:
    trials = pairs(vectors, people, pictures)
    return equal_error_rate(trials.cosines[trials.same], trials.cosines[~trials.same])


def identify(vectors: Vectors, people: Names) -> list[float]:
    """Of each picture whether the nearest other picture's person is its own."""
    near = vectors @ vectors.T
    np.fill_diagonal(near, -np.inf)
    return [float(own) for own in people[near.argmax(axis=1)] == people]


def _verify(service: Service, paths: Sequence[Path]) -> Section:
    profile = service.runtime.profile
    if profile.face is None or profile.finder is None:
        raise FacesOff
    started = perf_counter()
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    portraits = profile.finder.detect(photos)
    finding = perf_counter() - started
    largest_of = [largest(Portrait(photo, face) for face in own) for photo, own in zip(photos, portraits, strict=True)]
    seen = [one for one in largest_of if one is not None]
    started = perf_counter()
    vectors = profile.face.encode(seen).vectors[FACE]
    telling = perf_counter() - started
    people: Names = np.array([p.parent.name for p, one in zip(paths, largest_of, strict=True) if one is not None])
    rate, low, high = error_rates(vectors, people)
    trials = pairs(vectors, people, np.arange(len(people)))
    calibration = profile.calibrations[FACE, "face", "face"]
    chances = np.array([calibration.relevance(float(cosine)) for cosine in trials.cosines])
    right = identify(vectors, people)
    low_right, high_right = interval(right)
    return Section(
        "Faces told apart",
        f"{len(paths)} grey pictures of {len(set(people.tolist()))} people (Georgia Tech face database, 92×112, as "
        f"they are), all {len(trials.cosines)} pairs. Intervals: people resampled {RESAMPLED} times.",
        (
            Figure("pictures in which a face is found", mean([one is not None for one in largest_of]), "%", len(paths)),
            Figure("equal error rate", rate, "%", low=low, high=high, target="3 %"),
            Figure("identified by the nearest other picture", mean(right), "%", len(right), low_right, high_right),
            Figure(
                "pairs of one person with a probability under 0.5", mean((chances < 0.5)[trials.same].tolist()), "%"
            ),
            Figure("pairs of two people with one of 0.5 or more", mean((chances >= 0.5)[~trials.same].tolist()), "%"),
            Figure("pictures a second, finding faces", round(len(paths) / finding, 1), ""),
            Figure("faces a second, telling them apart", round(len(seen) / telling, 1), ""),
        ),
    )


def _measure_names(service: Service, paths: Sequence[Path], data: Path, collection: str) -> Section:
    strangers = sorted((data / "flickr8k" / "images").glob("*.jpg"))[:STRANGER_PHOTOS]
    # In an order that has nothing to do with who it is.
    shuffled = np.random.default_rng(7).permutation(np.array([*paths, *strangers], dtype=object)).tolist()
    service.indexing.index(shuffled, collection)
    place = {located.asset: Path(located.source.location) for located in service.runtime.store.located(collection)}
    started = perf_counter()
    service.indexing.enrich(only=["faces"], assets=list(place))
    rate = len(place) / (perf_counter() - started)
    known = {path.resolve() for path in paths}
    faces: list[NamedTurn] = []
    others: list[NamedTurn] = []
    for asset, path in place.items():
        for moment in service.runtime.store.moments(asset):
            label = person(moment) if moment.kind == "face" else None
            if label is not None:
                of = path.parent.name if path in known else f"stranger {moment.id}"
                (faces if path in known else others).append(NamedTurn(of, label.value, asset))
    precision, recall = pairwise(faces)
    people = len({face.speaker for face in faces})
    mixed = {face.name for face in faces} & {face.name for face in others}
    return Section(
        "People of a collection",
        f"The same pictures among {len(strangers)} photos of Flickr8k, in a shuffled order; a face of a photo is "
        "taken for a stranger's.",
        (
            Figure("people found", len({face.name for face in faces}), "", target=str(people)),
            Figure("purity", purity(faces), "%", len(faces)),
            Figure("pairs of one name that are of one person", precision, "%"),
            Figure("pairs of one person that have one name", recall, "%"),
            Figure("pairwise F1", round(2 * precision * recall / max(1e-9, precision + recall), 4), ""),
            Figure("faces in the photos", len(others), ""),
            Figure("of those called as somebody known", sum(face.name in mixed for face in others), ""),
            Figure("pictures a second, the enricher", round(rate, 1), ""),
        ),
        tuple(_line(name, faces) for name in sorted({face.name for face in faces})),
    )


def _line(name: str, faces: Sequence[NamedTurn]) -> str:
    counts: Mapping[str, int] = Counter(face.speaker for face in faces if face.name == name)
    return f"{name}: " + ", ".join(f"{who} {count}×" for who, count in counts.items())
