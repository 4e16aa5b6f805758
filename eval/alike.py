"""Measure search by example: whether photos like a photo are found, how alike they are said to be, and copies of it.

Nobody labelled which photos are of one kind, but captions tell: photos are where two people name the same thing on each
(people left out), and where the captions mean nearly the same. The first is nothing that calibration has seen; the
second is what it was fitted to, so the figures of the levels hold for photos like these.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.api.service import Service
from crossmedia.embeddings.train.calibrate import same_kind
from crossmedia.eval.copies import COPIES
from crossmedia.eval.figures import Figure, Section, share
from crossmedia.eval.metrics import mean
from crossmedia.eval.vocabulary import named_in, numbered
from crossmedia.retrieval.likeness import LEVELS, MIN_HITS, Likeness
from crossmedia.retrieval.query import DEFAULT_MIN_RELEVANCE, Example, Filters, Query
from crossmedia.retrieval.vocabularies.bundled import read_bundled

COLLECTION: Final = "alike"
PEOPLE: Final = frozenset("person people man woman boy girl child baby toddler crowd couple family group".split()) | {
    "group of people"
}
FREQUENT: Final = 10
"""Photos that a thing is on, for it to count."""
FIRST: Final = 10
MAX_HITS: Final = 100
COPIED: Final = 10
"""One photo in so many is copied."""


COPY_LEVELS: Final[tuple[Likeness, ...]] = ("same", "near-duplicate")


@dataclass(frozen=True)
class PhotoHit:
    """A hit: the number of its photo, its relevance, and how alike it is said to be."""

    photo: int
    relevance: float
    likeness: Likeness | None


def measure(
    service: Service, captions: Mapping[Path, Sequence[str]], room: Path, tell: Callable[[str], None]
) -> list[Section]:
    """Indexes the photos, then asks with each of them, and with copies of some."""
    started = time.perf_counter()
    photos = sorted(captions)
    tell(f"indexing {len(photos)} photos")
    service.indexing.index(photos, COLLECTION)
    numbers = {str(photo.resolve()): number for number, photo in enumerate(photos)}
    located = {x.asset: numbers[x.source.location] for x in service.runtime.store.located(COLLECTION)}
    assets = {number: asset for asset, number in located.items()}

    def ask(example: Example) -> list[PhotoHit]:
        filters = Filters(media=("image",), collection=COLLECTION)
        query = Query(examples=(example,), filters=filters, k=MAX_HITS, fold=False)
        hits = service.searching.search(query).hits
        return [PhotoHit(located[hit.asset], hit.relevance, hit.likeness) for hit in hits]

    tell(f"asking with {len(photos)} photos")
    answers = [ask(Example(asset=assets[number])) if number in assets else [] for number in range(len(photos))]
    sentences = service.runtime.profile.text.encode([text for photo in photos for text in captions[photo]]).vectors[
        "text"
    ]
    related = same_kind(sentences.reshape(len(photos), -1, sentences.shape[1]))
    named = _named([captions[photo] for photo in photos])
    kinds = Section(
        "Photos like a photo",
        f"{len(photos)} photos, each an example for the others; of a kind are those on which two people name the same.",
        (*_kinds(answers, named), *_levels(answers, related)),
        _by_name(answers, named),
        time.perf_counter() - started,
    )
    return [kinds, _copies(photos, room, lambda path: ask(service.searching.example(path)), tell)]


def _named(captions: Sequence[Sequence[str]]) -> list[frozenset[str]]:
    """What two people name on each photo and on at least `FREQUENT` of them, people left out."""
    entries = read_bundled("things").entries
    names = numbered(entries)
    every: list[set[str]] = []
    for texts in captions:
        said = Counter(number for text in texts for number in named_in([text], names))
        every.append({entries[number].label for number, times in said.items() if times >= 2} - PEOPLE)
    often = Counter(name for own in every for name in own)
    return [frozenset(name for name in own if often[name] >= FREQUENT) for own in every]


def _relevant(hits: Sequence[PhotoHit]) -> int:
    """How many are at or above the default cut-off."""
    return sum(hit.relevance >= DEFAULT_MIN_RELEVANCE for hit in hits)


def _kinds(answers: Sequence[Sequence[PhotoHit]], named: Sequence[frozenset[str]]) -> list[Figure]:
    asked = [number for number, own in enumerate(named) if own]
    first = [bool(named[hit.photo] & named[number]) for number in asked for hit in answers[number][:FIRST]]
    alike = [_relevant(hits) for hits in answers]
    return [
        Figure(
            f"first {FIRST} hits that show a thing that the example shows",
            mean(first),
            of=len(first),
        ),
        Figure("further hits at the default cut-off, median", float(median(alike)), "", of=len(alike)),
        share("photos that find one at least", [n > 0 for n in alike]),
        share(f"photos that are answered by {MIN_HITS} or more", [len(hits) >= MIN_HITS for hits in answers]),
    ]


def _levels(answers: Sequence[Sequence[PhotoHit]], related: NDArray[np.bool_]) -> list[Figure]:
    right: dict[Likeness, list[bool]] = defaultdict(list)
    for number, hits in enumerate(answers):
        for hit in hits:
            if hit.likeness is not None:
                right[hit.likeness].append(bool(related[number, hit.photo]))
    return [
        Figure(
            f"hits called “{level}” whose captions mean nearly the same",
            mean(right[level]),
            of=len(right[level]),
        )
        for level in LEVELS
        if right[level]
    ]


def _by_name(answers: Sequence[Sequence[PhotoHit]], named: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Of each frequent thing how many of the first hits show it, and how many there are."""
    often = Counter(name for own in named for name in own)
    lines = []
    for name, times in often.most_common():
        own = [answers[number] for number, names in enumerate(named) if name in names]
        right = mean([name in named[hit.photo] for hits in own for hit in hits[:FIRST]])
        alike = median(map(_relevant, own))
        hits = f"{right:.0%} of the first {FIRST} hits; {alike:g} further hits at the cut-off, median"
        lines.append(f"{name} ({times} photos): {hits}")
    return tuple(lines)


def _copies(
    photos: Sequence[Path], room: Path, ask: Callable[[Path], list[PhotoHit]], tell: Callable[[str], None]
) -> Section:
    started = time.perf_counter()
    tell("asking with copies")
    figures = []
    strangers = 0
    for name, change in COPIES.items():
        first, called = [], []
        for number in range(0, len(photos), COPIED):
            path = room / "copy.png"
            with Image.open(photos[number]) as original:
                change(original.convert("RGB")).save(path)
            hits = ask(path)
            own = next((hit for hit in hits if hit.photo == number), None)
            first.append(bool(hits) and hits[0].photo == number)
            called.append(own is not None and own.likeness in COPY_LEVELS)
            strangers += sum(hit.photo != number and hit.likeness in COPY_LEVELS for hit in hits)
        figures += [share(f"{name}: the original is the first hit", first), share(f"{name}: said to be a copy", called)]
    figures.append(Figure("other photos said to be a copy", float(strangers), "", of=len(COPIES) * len(first)))
    return Section(
        "Copies of a photo", "Each copy is the example.", tuple(figures), seconds=time.perf_counter() - started
    )
