"""The toy profile: encoders without weights, exact and in microseconds, for every test that is not about quality.

They are real encoders in that related things are near and unrelated ones far, across media: the word "red" is near a
red picture, the word "low" near a deep tone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Calibration, Encoding, Modality, Space, Vector, Vectors, normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Picture, Waveform
from crossmedia.embeddings.pointing import Heat, Meaning, heat
from crossmedia.embeddings.profile import Profile, Transcriber, Utterance, Word

MODEL: Final = "toy"
TEACHER: Final = "toy-teacher"
"""A folder of this name among further models stands for its weights: it has none."""
TEXT: Final = Space("text", 64, MODEL, "1", "lower-cased words")
COMMON: Final = Space("common", 64, MODEL, "1", "words of any medium")
PICTURE: Final = Space("picture", 48, MODEL, "1", "4×4 mean colours")
SOUND: Final = Space("sound", 32, MODEL, "1", "32 log bands")
VOICE: Final = Space("voice", 16, MODEL, "1", "half octaves of the loudest frequency")

COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (220, 20, 20),
    "green": (20, 160, 40),
    "blue": (20, 40, 220),
    "yellow": (240, 230, 20),
    "orange": (245, 140, 20),
    "purple": (130, 30, 150),
    "pink": (250, 150, 190),
    "brown": (120, 70, 30),
    "cyan": (20, 220, 230),
}
SILENCE: Final = 1e-3
"""Root mean square under which a stretch of sound is silence."""

_FRAME: Final = SAMPLE_RATE // 10
_GRID: Final = 4


class ToyText:
    """Bags of hashed words: every word is a fixed random direction, a text the normalised sum of its words."""

    modality: Modality = "text"
    spaces: tuple[Space, ...] = (TEXT, COMMON)
    model = MODEL

    def encode(self, batch: Sequence[str]) -> Encoding:
        bags = [re.findall(r"\w+", text.lower()) for text in batch]
        return Encoding({space.name: _rows((_bag(bag, space) for bag in bags), space) for space in self.spaces})


class ToyPicture:
    """`common`: the name of the dominant colour; `picture`: the layout of colours; classes: colours and their
    shares."""

    modality: Modality = "picture"
    spaces: tuple[Space, ...] = (COMMON, PICTURE)
    model = MODEL

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        classes = [colour_shares(picture) for picture in batch]
        return Encoding(
            {
                "common": _rows((_bag([found[0][0]], COMMON) for found in classes), COMMON),
                "picture": _rows((_layout(picture) for picture in batch), PICTURE),
            },
            classes,
        )


class ToyTeacher:
    """`common` alone: every colour by its share, and a word of its own, so that its vectors are near `ToyPicture`'s and
    never the same."""

    modality: Modality = "picture"
    spaces: tuple[Space, ...] = (COMMON,)
    model = TEACHER

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        return Encoding({"common": _rows((_blend(picture) for picture in batch), COMMON)})


class ToyPointer:
    """Points at colours: 4×4 cells, each as the toy encoder of pictures sees it alone."""

    model = MODEL
    dim = 64
    meaning = Meaning(10.0, -5.0, 0.0, 20.0, -10.0)

    def likeness(self, picture: Picture, said: Vector) -> float:
        return float((ToyTeacher().encode([picture]).vectors["common"] @ said)[0])

    def similarities(self, picture: Picture, said: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows, columns = min(_GRID, picture.height), min(_GRID, picture.width)
        cells = [
            Picture(np.ascontiguousarray(cell))
            for row in np.array_split(picture.pixels, rows)
            for cell in np.array_split(row, columns, axis=1)
        ]
        near = said @ ToyPicture().encode(cells).vectors["common"].T
        return near.reshape(len(said), rows, columns), near.max(axis=1)

    def point(self, picture: Picture, said: Vector) -> Heat:
        cells, likeness = self.similarities(picture, said[None])
        return heat(cells[0], float(likeness[0]), self.meaning)


class ToySound:
    """`common`: the word for how it sounds (`sound_name`); `sound`: the spectrum in bands."""

    modality: Modality = "sound"
    spaces: tuple[Space, ...] = (COMMON, SOUND)
    model = MODEL

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        names = [sound_name(waveform) for waveform in batch]
        return Encoding(
            {
                "common": _rows((_bag([name], COMMON) for name in names), COMMON),
                "sound": _rows((_bands(waveform) for waveform in batch), SOUND),
            },
            [[(name, 1.0)] for name in names],
        )


class ToyVoice:
    """Who speaks is told by the half octave in which the tone is that is loudest: 440 and 460 Hz are one voice, 440 and
    900 two.

    A voice is a direction of its own, a little turned towards the next by where in the half octave the tone is.
    """

    modality: Modality = "voice"
    spaces: tuple[Space, ...] = (VOICE,)
    model = MODEL

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        return Encoding({"voice": _rows((_pitch(waveform) for waveform in batch), VOICE)})


class ToyTranscriber:
    """Hears one utterance, such as "tone 440", in each stretch of sound between silences of at least 0.1 s."""

    model = MODEL

    def transcribe(
        self, waveform: Waveform, progress: Callable[[float], None] = lambda seconds: None
    ) -> list[Utterance]:
        progress(waveform.seconds)
        return [_utterance(waveform, start, end) for start, end in stretches(waveform)]

    def hypotheses(self, waveform: Waveform) -> list[tuple[str, float]]:
        """The one it is sure of."""
        return [(" ".join(utterance.text for utterance in self.transcribe(waveform)), 1.0)]


def stretches(waveform: Waveform) -> list[tuple[float, float]]:
    """Where there is sound between silences of at least 0.1 s: the toy voice detector."""
    count = len(waveform.pcm) // _FRAME
    frames = waveform.samples[: count * _FRAME].reshape(count, _FRAME)
    loud = np.concatenate([[False], np.sqrt(np.mean(frames**2, axis=1)) > SILENCE, [False]])
    edges = np.flatnonzero(np.diff(loud.astype(np.int8)))
    return [(start / 10, end / 10) for start, end in edges.reshape(-1, 2).tolist()]


def colour_shares(picture: Picture) -> list[tuple[str, float]]:
    """Names of colours with the share of the pixels nearest to each, largest first; only those that occur.

    Looks at up to 32 × 32 pixels on a regular grid. A picture without pixels is black.
    """
    if not picture.pixels.size:
        return [("black", 1.0)]
    step_y, step_x = max(1, picture.height // 32), max(1, picture.width // 32)
    pixels = picture.pixels[::step_y, ::step_x].reshape(-1, 3).astype(np.float32)
    palette = np.array(list(COLOURS.values()), dtype=np.float32)
    nearest = np.argmin(((pixels[:, None] - palette) ** 2).sum(axis=2), axis=1)
    shares = np.bincount(nearest, minlength=len(COLOURS)) / len(nearest)
    named = [(name, float(share)) for name, share in zip(COLOURS, shares, strict=True) if share > 0]
    return sorted(named, key=lambda pair: -pair[1])


def sound_name(waveform: Waveform) -> str:
    """`silence`, `noise` (a flat spectrum), `low` or `high` (centroid under or over 1 kHz)."""
    samples = waveform.samples
    if not samples.size or float(np.sqrt(np.mean(samples**2))) <= SILENCE:
        return "silence"
    power, frequencies = _spectrum(samples)
    flatness = np.exp(np.mean(np.log(power + 1e-12))) / (np.mean(power) + 1e-12)
    if flatness > 0.2:
        return "noise"
    return "low" if float((power * frequencies).sum() / power.sum()) < 1000 else "high"


def toy_profile(transcriber: Transcriber | None = None) -> Profile:
    """A whole profile without a file. Relevance is 0.5 at cosine 0.4: two texts of five words that share two."""
    related = Calibration(mean=0.0, std=0.13, bias=0.4, slope=15.0)
    alike = Calibration(mean=0.6, std=0.2, bias=0.9, slope=30.0)
    return Profile(
        name="toy",
        text=ToyText(),
        picture=ToyPicture(),
        sound=ToySound(),
        transcriber=transcriber,
        voice=ToyVoice(),
        detector=stretches,
        calibrations={
            ("text", "text", "text"): related,
            **{("common", query, target): related for query in _MODALITIES for target in _MODALITIES},
            ("picture", "picture", "picture"): alike,
            ("sound", "sound", "sound"): alike,
            ("voice", "voice", "voice"): related,
        },
    )


_MODALITIES: Final[tuple[Modality, ...]] = ("text", "picture", "sound")


@lru_cache(maxsize=4096)
def _direction(word: str, space: str, dim: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(f"{space}:{word}".encode()).digest()[:8], "big")
    return normalise(np.random.default_rng(seed).standard_normal(dim))


def _bag(words: Sequence[str], space: Space) -> Vector:
    # An empty text still needs a unit vector: the direction of no word.
    directions = [_direction(word, space.name, space.dim) for word in words or [""]]
    return normalise(np.sum(directions, axis=0))


def _blend(picture: Picture) -> Vector:
    parts = [*colour_shares(picture), ("seen", 0.2)]
    return normalise(np.sum([share * _direction(word, COMMON.name, COMMON.dim) for word, share in parts], axis=0))


def _layout(picture: Picture) -> Vector:
    """Mean colours of a 4 × 4 grid around middle grey, so that unlike pictures point away from each other."""
    if not picture.pixels.size:
        return normalise(np.full(PICTURE.dim, -1.0))
    rows = np.linspace(0, picture.height - 1, 4 * _GRID).astype(int)
    columns = np.linspace(0, picture.width - 1, 4 * _GRID).astype(int)
    small = picture.pixels[rows][:, columns].astype(np.float32)
    cells = small.reshape(_GRID, 4, _GRID, 4, 3).mean(axis=(1, 3))
    # The half step keeps an exactly grey picture from having no direction.
    return normalise(cells.reshape(-1) - 127.25)


def _bands(waveform: Waveform) -> Vector:
    if not waveform.samples.size:
        return normalise(np.ones(SOUND.dim))
    power, frequencies = _spectrum(waveform.samples)
    edges = np.geomspace(40, SAMPLE_RATE / 2, SOUND.dim)
    bands = np.bincount(np.digitize(frequencies, edges[1:]), weights=power, minlength=SOUND.dim)[: SOUND.dim]
    # What is 40 dB under the loudest band is leakage of the window, not sound.
    return normalise(np.maximum(0.0, np.log10((bands + 1e-9) / (bands.max() + 1e-9)) + 4))


def _pitch(waveform: Waveform) -> Vector:
    row = np.zeros(VOICE.dim)
    if waveform.samples.size:
        power, frequencies = _spectrum(waveform.samples)
        place = 2 * np.log2(max(1.0, float(frequencies[np.argmax(power)]) / 50)) % VOICE.dim
        row[int(place)], row[(int(place) + 1) % VOICE.dim] = 1.0, 0.2 * (place % 1)
    else:
        row[0] = 1.0
    return normalise(row)


def _spectrum(samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean power spectrum of frames of 0.1 s, and the frequency (Hz) of each bin."""
    count = max(1, len(samples) // _FRAME)
    padded = np.zeros(count * _FRAME)
    padded[: min(len(samples), count * _FRAME)] = samples[: count * _FRAME]
    frames = padded.reshape(count, _FRAME) * np.hanning(_FRAME)
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)
    return power, np.asarray(np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE), dtype=np.float64)


def _rows(vectors: Iterable[Vector], space: Space) -> Vectors:
    rows = list(vectors)
    return np.stack(rows) if rows else np.zeros((0, space.dim), dtype=np.float32)


def _utterance(waveform: Waveform, start: float, end: float) -> Utterance:
    power, frequencies = _spectrum(waveform.cut(start, end).samples)
    middle = (start + end) / 2
    words = (Word("tone", start, middle), Word(str(round(float(frequencies[np.argmax(power)]))), middle, end))
    return Utterance(" ".join(word.text for word in words), start, end, words)
