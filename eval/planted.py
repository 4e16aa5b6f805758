"""A video of several minutes of which everything is known: cuts and fades, what is shown, said and heard, and when.

python -m crossmedia.eval.planted FOLDER [SEED]
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.api.espeak import say
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.stop_words import STOP_WORDS
from crossmedia.eval import reel
from crossmedia.eval.bench.common import SHARED
from crossmedia.eval.datasets import classes, flickr8k
from crossmedia.indexer.decode.reader import decode

ShotKind: TypeAlias = Literal["picture", "writing", "speech", "sound"]
Samples: TypeAlias = NDArray[np.float32]

SENTENCES: Final[tuple[tuple[str, str], ...]] = (
    (
        "The train to Edinburgh leaves from platform nine at a quarter past six.",
        "when does the train to Edinburgh leave",
    ),
    ("Please send the signed contract to our lawyer before Friday.", "the contract must go to the lawyer"),
    ("The volcano erupted during the night and covered the village in ash.", "a volcanic eruption buried a village"),
    ("Our company made a profit of four million dollars last year.", "how much money the company earned"),
    ("The doctor told him to take the medicine twice a day.", "how often to take the medicine"),
    ("Melt the butter slowly, then stir in the flour and the sugar.", "recipe with butter, flour and sugar"),
    ("The museum is closed on Mondays and on public holidays.", "opening days of the museum"),
    ("The telescope discovered a planet that circles a distant star.", "astronomers found a new planet"),
    ("The election was won by the mayor with a very small majority.", "the mayor won the vote narrowly"),
    ("Heavy storms are expected on the coast tomorrow afternoon.", "weather forecast of storms at the coast"),
    ("She learned to play the violin when she was seven years old.", "a child learning the violin"),
    ("The password of the server must be changed every ninety days.", "rules about changing passwords"),
)
"""What is said, and how one asks for it."""
SINGLE_WORDS: Final = ("elephant", "umbrella", "Tuesday", "mountain", "seventeen", "library", "chocolate", "window")
"""Said alone, a second apart."""
CARDS: Final = ("QUARTERLY REPORT", "CHAPTER SEVEN", "EMERGENCY EXIT", "THANK YOU")
_VOICES: Final = ("en", "en-us", "en+f3", "en+m3")
_PHOTOS: Final = 30
_ALIKE: Final = 0.2
"""Share of their words that the captions of two photos may have in common: a query is to mean one of them."""
_AGREED: Final = 4
"""Describers of five, at least, who name something in a photo that nobody sees in another one."""
_SIZE: Final = (360, 360)
_CARD: Final = (720, 720)
_ROOM: Final = 1.1
"""How much larger than the window a photo is. The photos are square, and whoever described one saw all of it."""
_SOUND: Final = 4.0
"""Seconds of a sound at most; a short one is heard again and again for half as long."""
_PAUSE: Final = 0.3
_LEAD: Final = 1.2
_QUIET: Final = 0.02
"""Amplitude below which an end of a recording is silence, of its loudest."""


@dataclass(frozen=True)
class Planted:
    """All times in s. `fades`: (start, end) of gradual transitions. `words`: (text, start, end) of each sentence and
    each word said alone. `moments`: (what is asked, start, end of what answers, kind), for search. `photos`: by what is
    asked for it."""

    path: Path
    cuts: tuple[float, ...]
    fades: tuple[tuple[float, float], ...]
    words: tuple[tuple[str, float, float], ...]
    moments: tuple[tuple[str, float, float, ShotKind], ...]
    photos: dict[str, Path]

    @property
    def truth(self) -> reel.Truth:
        """Of its shots."""
        return reel.Truth(self.cuts, self.fades, ())


@dataclass(frozen=True)
class _Heard:
    """A sentence with what one asks for it, or a sound with its class as both."""

    samples: Samples
    kind: ShotKind
    text: str
    query: str


def make(folder: Path, data: Path, seed: int) -> Planted:
    """Writes `planted.mp4` into `folder`: 360×360, 25 fps, AAC; the same for the same seed and data.

    `data` holds `flickr8k` (its dev photos) and `esc10`, whose clips are replaced by drawn sounds where they are
    absent. Each shot shows one photo or title card and has at most one sentence or sound in it, unrelated to what is
    shown.
    """
    rng = np.random.default_rng(seed)
    photos = _photos(rng, data)
    shown = _plan_shots(rng, photos)
    heard = _plan_sounds(rng, data)
    order = rng.permutation(len(shown))
    takes: list[reel.Take] = []
    sound: list[Samples] = []
    words: list[tuple[str, float, float]] = []
    moments: list[tuple[str, float, float, ShotKind]] = []
    joints = _joints(rng, len(shown))
    begin = 0.0
    for number, index in enumerate(order):
        picture, kind, query = shown[index]
        here = heard[number] if number < len(heard) else None
        length = len(here.samples) / SAMPLE_RATE if here else 2.0
        seconds = float(np.ceil((length + 2 * _LEAD + rng.uniform(0, 1.5)) * 25) / 25)
        joint = joints[number]
        flashes = (seconds - _LEAD,) if rng.random() < 0.2 else ()
        move = "still" if kind == "writing" else reel.MOVES[rng.integers(len(reel.MOVES))]
        takes.append(reel.Take(picture, seconds, move, joint, float(rng.uniform(0.6, 1.8)), flashes, _ROOM))
        moments.append((query, begin, begin + seconds, kind))
        sound.append(np.zeros(round(seconds * SAMPLE_RATE), np.float32))
        if here:
            at = round(_LEAD * SAMPLE_RATE)
            sound[-1][at : at + len(here.samples)] = here.samples
            span = begin + _LEAD, begin + _LEAD + length
            moments.append((here.query, *span, here.kind))
            if here.kind == "speech":
                words.append((here.text, *span))
        begin += seconds
    alone, samples = _alone(begin + _LEAD)
    seconds = float(np.ceil(len(samples) / SAMPLE_RATE * 25) / 25)
    takes.append(reel.Take(reel.draw_scene(rng, size=_CARD), seconds, "zoom"))
    sound.append(np.pad(samples, (0, round(seconds * SAMPLE_RATE) - len(samples))))
    path = folder / "planted.mp4"
    noise = rng.normal(0, 0.001, sum(map(len, sound))).astype(np.float32)
    track = np.clip(np.concatenate(sound) + noise, -1, 1)
    truth = reel.write(path, takes, reel.VideoFormat(size=_SIZE), rng, track)
    return Planted(
        path, truth.cuts, truth.fades, (*words, *alone), tuple(moments), {one.caption: one.path for one in photos}
    )


def _photos(rng: np.random.Generator, data: Path) -> list[_Photo]:
    """Each of which a query can mean, and none of which has to do with what is said and heard."""
    captions = flickr8k(data / "flickr8k", "dev").captions
    elsewhere = _meaning([query for _, query in SENTENCES] + list(classes(data / "esc10").values()))
    chosen: list[_Photo] = []
    paths = sorted(captions)
    for index in rng.permutation(len(paths)):
        if len(chosen) == _PHOTOS:
            break
        photo = _Photo.of(paths[index], captions[paths[index]])
        if not photo.about & elsewhere and all(_can_be_meant([*chosen, photo])):
            chosen.append(photo)
    return chosen


def _plan_shots(rng: np.random.Generator, photos: Sequence[_Photo]) -> list[tuple[reel.Pixels, ShotKind, str]]:
    """(Picture, kind, query) of each shot."""
    shown: list[tuple[reel.Pixels, ShotKind, str]] = [(reel.photo(one.path), "picture", one.caption) for one in photos]
    return shown + [(reel.draw_scene(rng, card, _CARD), "writing", card.lower()) for card in CARDS]


@dataclass(frozen=True)
class _Photo:
    """`caption`: the one most like the others. `about`: the words of all; `named`: those that `_AGREED` describers
    use."""

    path: Path
    caption: str
    about: frozenset[str]
    named: frozenset[str]

    @staticmethod
    def of(path: Path, captions: Sequence[str]) -> _Photo:
        each = [_meaning([caption]) for caption in captions]
        used = Counter(word for words in each for word in words)
        typical = max(range(len(each)), key=lambda n: sum(_overlap(each[n], words) for words in each))
        named = frozenset(word for word, times in used.items() if times >= _AGREED)
        return _Photo(path, captions[typical], frozenset(used), named)


def _can_be_meant(photos: Sequence[_Photo]) -> Iterator[bool]:
    """Of each photo, whether a query can mean it alone."""
    for photo in photos:
        others = [other.about for other in photos if other is not photo]
        alike = max((_overlap(photo.about, about) for about in others), default=0.0)
        yield alike <= _ALIKE and bool(photo.named.difference(*others))


def _overlap(one: Set[str], other: Set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _meaning(texts: Sequence[str]) -> set[str]:
    """The words that say what they are about."""
    return {word for text in texts for word in re.findall("[a-z]{3,}", text.lower()) if word not in STOP_WORDS}


def _plan_sounds(rng: np.random.Generator, data: Path) -> list[_Heard]:
    """Sentences and sounds in random order, one of each class."""
    heard = [
        _Heard(speak(text, _VOICES[number % len(_VOICES)]), "speech", text, query)
        for number, (text, query) in enumerate(SENTENCES)
    ]
    heard += [_Heard(samples, "sound", name, name) for name, samples in _sounds(rng, data / "esc10")]
    return [heard[index] for index in rng.permutation(len(heard))]


def speak(text: str, voice: str) -> Samples:
    """What is said, from its first sound to its last."""
    return _trim(say(text, voice=voice).samples)


def _trim(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > _QUIET * max(1e-6, float(np.abs(samples).max())))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _sounds(rng: np.random.Generator, folder: Path) -> list[tuple[str, Samples]]:
    """(Class name, recording) of each class of ESC-10 (Piczak 2015)."""
    by_class: dict[str, list[Path]] = {}
    for path, name in classes(folder).items():
        by_class.setdefault(name.lower(), []).append(path)
    recordings = []
    for name, paths in sorted(by_class.items()):
        content = decode(paths[rng.integers(len(paths))]).content
        assert isinstance(content, Waveform)
        samples = _trim(content.samples)[: round(_SOUND * SAMPLE_RATE)]
        while len(samples) < round(_SOUND / 2 * SAMPLE_RATE):
            samples = np.concatenate([samples, np.zeros(round(_PAUSE * SAMPLE_RATE), np.float32), samples])
        recordings.append((name, samples / max(1e-6, float(np.abs(samples).max())) * np.float32(0.6)))
    return recordings or _make_tones()


def _make_tones() -> list[tuple[str, Samples]]:
    """A siren and a beep."""
    time = np.arange(round(_SOUND * SAMPLE_RATE)) / SAMPLE_RATE
    siren = 0.5 * np.sin(2 * np.pi * (700 * time - 40 * np.cos(2 * np.pi * 0.5 * time)))
    beep = 0.5 * np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.5)
    return [("siren", siren.astype(np.float32)), ("beep", beep.astype(np.float32))]


def _alone(begin: float) -> tuple[list[tuple[str, float, float]], Samples]:
    """The words that are said alone, from `begin` s on, and the sound of the shot that they stand in."""
    parts = [np.zeros(round(_LEAD * SAMPLE_RATE), np.float32)]
    words = []
    for word in SINGLE_WORDS:
        samples = speak(word, _VOICES[0])
        words.append((word, begin, begin + len(samples) / SAMPLE_RATE))
        parts += [samples, np.zeros(SAMPLE_RATE, np.float32)]
        begin += (len(samples) + SAMPLE_RATE) / SAMPLE_RATE
    return words, np.concatenate(parts)


def _joints(rng: np.random.Generator, count: int) -> Sequence[reel.Joint]:
    """Three cuts for each two gradual transitions."""
    kinds: list[reel.Joint] = ["dissolve", "dissolve", "black", "white"]
    gradual = [kinds[number % len(kinds)] for number in range(round(count * 0.4))]
    cuts: list[reel.Joint] = ["cut"] * (count - len(gradual))
    every = [*gradual, *cuts]
    return [every[index] for index in rng.permutation(count)]


if __name__ == "__main__":
    planted = make(Path(sys.argv[1]), SHARED / "data", int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    for query, start, end, kind in planted.moments:
        print(f"{start:7.2f} {end:7.2f}  {kind:<8} {query}")
    print(f"{planted.path}: {len(planted.cuts)} cuts, {len(planted.fades)} fades, {len(planted.words)} things said")
