"""The words that people use for the classes of the object detector, from `things.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.retrieval.answering.question import content
from crossmedia.retrieval.documents import Label, Moment
from crossmedia.retrieval.naming import find_names

_NAMES: Final[Mapping[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

KNOWN: Final = frozenset(_NAMES)
"""The classes of the detector, COCO's 80: there is probably none of one that it did not detect."""
PEOPLE: Final = frozenset(_NAMES["person"].split())
"""Words for a person."""
CALLED: Final = {word: value for value, words in _NAMES.items() for word in words.split()}
"""Word → the class that it means."""
GROUNDS: Final = frozenset(("grass", "snow", "sand", "water", "floor", "rock"))
"""Areas that things stand or lie on."""
MIN_COUNTED_SCORE: Final = 0.4
"""Score from which an object counts: the detector is right at it more often than not."""


@dataclass(frozen=True)
class Thing:
    """What a topic names: a value of `object` labels (or of areas, sounds, people), how many content words of the topic
    it covers, and whether the detector would know it."""

    value: str
    covers: int
    words: int
    known: bool

    @property
    def whole(self) -> bool:
        """Whether nothing of the topic is left: "brown dogs" asks for more than dogs."""
        return self.covers >= self.words


def thing_of(topic: str) -> Thing | None:
    """The thing that a topic names first, by the detector's classes; None where it names none of them."""
    words = content(topic)
    for phrase in find_names(topic).phrases:
        for value in phrase.values:
            if value in KNOWN:
                return Thing(value, len(value.split()), len(words), True)
    for word in words:
        if word in CALLED:
            return Thing(CALLED[word], 1, len(words), True)
    return None


def things_of(topic: str) -> list[str]:
    """All classes that a topic names, in its order."""
    values = [
        value
        for word in content(topic)
        for value in (CALLED.get(word), *(v for p in find_names(word).phrases for v in p.values))
        if value in KNOWN
    ]
    return list(dict.fromkeys(value for value in values if value))


def labels_of(moment: Moment, kind: str, value: str | None = None, least: float = 0.0) -> list[Label]:
    """A moment's labels of a kind and value, best first."""
    labels = [
        label for label in moment.labels if label.kind == kind and label.score >= least and value in (None, label.value)
    ]
    return sorted(labels, key=lambda label: -label.score)


def every(moments: tuple[Moment, ...], kind: str) -> Iterator[tuple[Moment, Label]]:
    """All labels of a kind on these moments."""
    for moment in moments:
        for label in moment.labels:
            if label.kind == kind:
                yield moment, label


def ground_of(moment: Moment) -> Label | None:
    """The largest area of a picture that things stand on."""
    return next((label for label in labels_of(moment, "area") if label.value in GROUNDS), None)
