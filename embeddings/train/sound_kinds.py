"""The kinds of sound, the words that anchor each in the common space, and the queries that measure them.

The words of the made kinds were written knowing what UrbanSound8K's classes are called, so a figure there is not of
unseen names, only of unseen recordings.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

SoundOrigin = Literal["esc10", "speakers", "made"]
"""ESC-10's recordings; LibriSpeech's; `embeddings/train/synthetic.py`."""


@dataclass(frozen=True)
class SoundKind:
    """`name` is the label's value; `folder` the class in ESC-10 or the kind in `synthetic.SYNTHESISERS`."""

    name: str
    source: SoundOrigin
    folder: str
    words: tuple[str, ...]


def _read_kinds() -> tuple[SoundKind, ...]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return tuple(
            SoundKind(row["name"], cast(SoundOrigin, row["source"]), row["folder"], tuple(row["words"].split("; ")))
            for row in rows
        )


SOUND_KINDS: Final = _read_kinds()
TEMPLATES: Final = ("{}", "the sound of {}", "a recording of {}", "you can hear {}")
"""Of the anchors. None of them is a template of the queries that measure."""

QUERY_TEMPLATES: Final = ("{}", "I noticed {} in the background")
"""Queries: the class name alone as the data set writes it, and in a sentence no anchor has."""

URBAN: Final = tuple(
    "air conditioner; car horn; children playing; dog bark; drilling; engine idling; gun shot; jackhammer; siren; "
    "street music".split("; ")
)
"""UrbanSound8K's class names in the order of its numbers. Only ever asked."""

VISIBLE_SOURCES: Final = {
    "dog bark": ("dog", "dogs", "puppy", "puppies", "poodle", "greyhound", "collie", "retriever"),
    "sea waves": ("ocean", "sea", "waves", "wave", "surf", "surfer", "surfing", "surfboard", "beach", "shore"),
    "fire crackling": ("fire", "campfire", "bonfire", "flames", "flame"),
    "baby cry": ("baby", "infant", "toddler", "toddlers", "babies"),
}
"""Words of captions whose photos show what makes the sound: what a picture and a sound have in common is measured on
these."""

AMBIGUOUS_SOURCES: Final = {
    "dog bark": ("animal", "animals", "puppies"),
    "rain": ("rain", "raining", "umbrella", "wet", "water"),
    "sea waves": ("water", "lake", "pool", "river", "sand", "boat"),
    "baby cry": ("child", "children", "kid", "kids", "boy", "boys", "girl", "girls"),
    "helicopter": ("plane", "airplane", "helicopter"),
    "rooster": ("bird", "birds", "chicken", "chickens"),
    "fire crackling": ("smoke", "fireworks", "torch"),
}
"""Words of captions whose photos may show it or something akin: pairs that count neither as right nor as wrong."""
