"""What the sound tower knows: kinds of sound, the words that anchor each in the common space, and queries to ask it
with.

The words of the made kinds were written knowing what UrbanSound8K's classes are called, so a figure there is not of
unseen names, only of unseen recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Source = Literal["esc10", "speakers", "made"]
"""ESC-10's recordings; LibriSpeech's; `embeddings/train/synthetic.py`."""


@dataclass(frozen=True)
class SoundKind:
    """`name` is the label's value; `folder` the class in ESC-10 or the kind in `synthetic.KINDS`."""

    name: str
    source: Source
    folder: str
    words: tuple[str, ...]


def _kind(name: str, source: Source, folder: str, words: str) -> SoundKind:
    return SoundKind(name, source, folder, tuple(words.split("; ")))


KINDS: Final = (
    _kind("dog bark", "esc10", "Dog bark", "a dog barking; a dog barks; a dog; woof woof; barking; a brown dog"),
    _kind("rain", "esc10", "Rain", "rain falling; rain; rain pouring down; raindrops on a roof; heavy rain; a rainstorm"),
    _kind("sea waves", "esc10", "Sea waves", "sea waves; waves crashing on the shore; the ocean; surf; waves at a beach"),
    _kind("baby cry", "esc10", "Baby cry", "a baby crying; a baby cries; a baby; a crying infant; a wailing newborn"),
    _kind("clock tick", "esc10", "Clock tick", "a clock ticking; a clock; tick tock; the ticking of a watch"),
    _kind("sneeze", "esc10", "Person sneeze", "a person sneezing; somebody sneezes; achoo; a sneeze; sneezing"),
    _kind("helicopter", "esc10", "Helicopter", "a helicopter; a helicopter flying; helicopter rotor; a helicopter in the sky"),
    _kind("chainsaw", "esc10", "Chainsaw", "a chainsaw; a chainsaw cutting wood; a chain saw running; sawing a tree"),
    _kind("rooster", "esc10", "Rooster", "a rooster crowing; a rooster; cock-a-doodle-doo; a crowing cock"),
    _kind("fire crackling", "esc10", "Fire crackling", "fire crackling; a crackling fire; a campfire; flames; a burning fire"),
    _kind("speech", "speakers", "", "a person speaking; people talking; speech; a voice; somebody talks; a conversation"),
    _kind("music", "made", "music", "music; music playing; a song; a melody on an instrument; musicians playing"),
    _kind("noise", "made", "noise", "noise; white noise; a humming fan; hiss; steady hum"),
    _kind("siren", "made", "siren", "a siren; a siren wails; an ambulance siren; a police siren"),
    _kind("horn", "made", "horn", "a car horn; a horn honks; honking; a car beeps its horn"),
    _kind("alarm", "made", "alarm", "an alarm beeping; beeps; an alarm clock; a smoke alarm"),
    _kind("bell", "made", "bell", "a bell ringing; church bells; a bell tolls; chimes"),
    _kind("engine", "made", "engine", "an engine running; a motor; a car engine; an idling engine"),
    _kind("hammering", "made", "hammering", "hammering; a jackhammer; knocking; pounding; hammer blows"),
    _kind("bang", "made", "bang", "a bang; a gun shot; an explosion; a gun fires; fireworks"),
)  # fmt: skip
TEMPLATES: Final = ("{}", "the sound of {}", "a recording of {}", "you can hear {}")
"""Of the anchors. None of them is a template of the queries that measure."""

ASKED: Final = ("{}", "I noticed {} in the background")
"""Queries: the class name alone as the data set writes it, and in a sentence no anchor has."""

URBAN: Final = (
    "air conditioner", "car horn", "children playing", "dog bark", "drilling", "engine idling", "gun shot", "jackhammer",
    "siren", "street music",
)  # fmt: skip
"""UrbanSound8K's class names in the order of its numbers. Only ever asked."""

SEEN: Final = {
    "dog bark": ("dog", "dogs", "puppy", "puppies", "poodle", "greyhound", "collie", "retriever"),
    "sea waves": ("ocean", "sea", "waves", "wave", "surf", "surfer", "surfing", "surfboard", "beach", "shore"),
    "fire crackling": ("fire", "campfire", "bonfire", "flames", "flame"),
    "baby cry": ("baby", "infant", "toddler", "toddlers", "babies"),
}
"""Words of captions whose photos show what makes the sound: what a picture and a sound have in common is measured on
these."""

NEAR: Final = {
    "dog bark": ("animal", "animals", "puppies"),
    "rain": ("rain", "raining", "umbrella", "wet", "water"),
    "sea waves": ("water", "lake", "pool", "river", "sand", "boat"),
    "baby cry": ("child", "children", "kid", "kids", "boy", "boys", "girl", "girls"),
    "helicopter": ("plane", "airplane", "helicopter"),
    "rooster": ("bird", "birds", "chicken", "chickens"),
    "fire crackling": ("smoke", "fireworks", "torch"),
}
"""Words of captions whose photos may show it or something akin: pairs that count neither as right nor as wrong."""
