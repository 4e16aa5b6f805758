"""Calibrate and measure the voice encoder on LibriSpeech, clean and degraded.

Two recordings that a speaker made in one go are more alike than two of different days. So the calibration spoils an
eighth of the recordings, in noise and by a room: without them its fit is six times as steep, sure of what it has not
heard. With half of them spoilt, or a telephone among them, every fourth pair of clean strangers passes for one speaker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Vectors
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.train.calibrate import calibration
from crossmedia.embeddings.train.sound_measure import calibration_error
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.synthetic import coloured_noise
from crossmedia.embeddings.voice import Voice

Samples: TypeAlias = NDArray[np.floating]
Names: TypeAlias = NDArray[np.str_]

MIN_STRETCH_SECONDS, MAX_STRETCH_SECONDS = 3.0, 10.0
"""Seconds of the stretches that are compared in the calibration."""
DRAWS: Final = 4
"""Stretches of each recording."""
CALIBRATION_DEGRADATIONS: Final = (*[""] * 14, "noise", "room")
"""How the stretches of the calibration are spoilt; an empty name leaves one as it is."""
SECONDS: Final = (1.0, 1.6, 2.0, 4.0, 8.0)


@dataclass(frozen=True, eq=False)
class Trials:
    """Pairs of stretches from different recordings: cosine, and the speakers of the two."""

    cosines: NDArray[np.float32]
    left: Names
    right: Names

    @property
    def same(self) -> NDArray[np.bool_]:
        return np.asarray(self.left == self.right)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Trials:
        return Trials(self.cosines[chosen], self.left[chosen], self.right[chosen])


def pairs(vectors: Vectors, speakers: Names, recordings: NDArray[np.int64]) -> Trials:
    """Every pair of rows that come from different recordings."""
    one, other = np.triu_indices(len(vectors), 1)
    apart = recordings[one] != recordings[other]
    one, other = one[apart], other[apart]
    return Trials((vectors @ vectors.T)[one, other], speakers[one], speakers[other])


def equal_error_rate(same: NDArray[np.floating], different: NDArray[np.floating]) -> float:
    """Where as large a share of the same is refused as of the different is accepted; between two scores, their mean.

    >>> round(equal_error_rate(np.array([0.9, 0.8, 0.4]), np.array([0.5, 0.1, 0.2])), 4)
    0.3333
    """
    cuts = np.unique(np.concatenate([same, different]))
    refused = np.searchsorted(np.sort(same), cuts) / len(same)
    accepted = 1 - np.searchsorted(np.sort(different), cuts) / len(different)
    nearest = int(np.argmin(np.abs(refused - accepted)))
    return float((refused[nearest] + accepted[nearest]) / 2)


def telephone(samples: Samples, chance: np.random.Generator) -> Samples:
    """300 to 3,400 Hz only."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    return np.asarray(np.fft.irfft(spectrum * ((frequencies > 300) & (frequencies < 3400)), len(samples)))


def add_noise(samples: Samples, chance: np.random.Generator) -> Samples:
    """Pink noise 10 to 20 dB under the voice."""
    level = float(np.sqrt(np.mean(np.square(samples)))) * 10 ** (-chance.uniform(10, 20) / 20)
    return np.asarray(samples + level * coloured_noise(chance, 1.0, len(samples)))


def room(samples: Samples, chance: np.random.Generator) -> Samples:
    """Reverberation of 0.2 to 0.6 s, as strong as the voice itself or down to a quarter (decaying noise; Moorer
    1979)."""
    tail = int(SAMPLE_RATE * chance.uniform(0.2, 0.6))
    answer = chance.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail)
    size = len(samples) + tail
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(answer, size), size)[: len(samples)]
    return np.asarray(samples + chance.uniform(0.25, 1.0) * wet * np.std(samples) / max(1e-9, float(np.std(wet))))


DEGRADATIONS: Final[Mapping[str, Callable[[Samples, np.random.Generator], Samples]]] = {
    "telephone": telephone,
    "noise": add_noise,
    "room": room,
}


def stretch(waveform: Waveform, seconds: float, chance: np.random.Generator) -> Waveform:
    """A stretch of a recording from a random place; all of it where it is shorter."""
    start = chance.uniform(0, max(0.0, waveform.seconds - seconds))
    return waveform.cut(start, start + seconds)


def spoil(waveform: Waveform, how: str, chance: np.random.Generator) -> Waveform:
    return Waveform(DEGRADATIONS[how](waveform.samples, chance).astype(np.float32))


def score_held_out(trials: Trials) -> NDArray[np.floating]:
    """(trials, cosine and relevance, label): of any two speakers, by a calibration that has heard neither of them."""
    rows = []
    for two in combinations(np.unique(trials.left).tolist(), 2):
        ours = np.isin(trials.left, two), np.isin(trials.right, two)
        learned, asked = trials[~ours[0] & ~ours[1]], trials[ours[0] & ours[1]]
        fitted = calibration(learned.cosines[learned.same], learned.cosines[~learned.same], None)
        rows.append(np.stack([[fitted.relevance(float(cosine)) for cosine in asked.cosines], asked.same], axis=1))
    return np.concatenate(rows)


def brier(rows: NDArray[np.floating]) -> float:
    """Mean squared distance of a probability from what was true (Brier 1950); 0.25 is what a coin says."""
    return float(np.mean(np.square(rows[:, 0] - rows[:, 1])))


def measure(folder: Path, small: Path, whole: Path) -> dict[str, Any]:
    """`{"backgrounds": [...], "figures": {...}}`, JSON-ready. `small`, `whole`: folders of the network that ships, and
    the float one."""
    paths = sorted(folder.glob("*/*.flac"))
    recordings, speakers = [read_sound(path) for path in paths], np.array([path.parent.name for path in paths])
    numbers = np.arange(len(paths))
    voice, chance = Voice(small), np.random.default_rng(5)

    def encode(batch: Sequence[Waveform], encoder: Voice = voice) -> Vectors:
        return encoder.encode(batch).vectors["voice"]

    def trials(batch: Sequence[Waveform]) -> Trials:
        repeated = np.tile(numbers, len(batch) // len(numbers))
        return pairs(encode(batch), speakers[repeated], repeated)

    def across(one: Sequence[Waveform], other: Sequence[Waveform]) -> Trials:
        cosines, apart = encode(one) @ encode(other).T, numbers[:, None] != numbers
        left, right = np.meshgrid(speakers, speakers, indexing="ij")
        return Trials(cosines[apart], left[apart], right[apart])

    def drawn(seconds: float | None, how: Sequence[str]) -> list[Waveform]:
        """A stretch of each recording, spoilt in one of these ways."""
        calibrations = []
        for recording in recordings:
            part = stretch(recording, seconds or chance.uniform(MIN_STRETCH_SECONDS, MAX_STRETCH_SECONDS), chance)
            chosen = how[int(chance.integers(len(how)))]
            calibrations.append(spoil(part, chosen, chance) if chosen else part)
        return calibrations

    exact, shipped = encode(recordings, Voice(whole)), encode(recordings)
    plain = [pairs(vectors, speakers, numbers) for vectors in (exact, shipped)]
    errors = [equal_error_rate(one.cosines[one.same], one.cosines[~one.same]) for one in plain]
    figures = {
        "cosine to the float network": float(np.sum(exact * shipped, axis=1).mean()),
        "equal error rate, whole recordings, float network": errors[0],
        "equal error rate, whole recordings": errors[1],
    }
    mixed = trials([part for _ in range(DRAWS) for part in drawn(None, CALIBRATION_DEGRADATIONS)])
    fitted = calibration(mixed.cosines[mixed.same], mixed.cosines[~mixed.same], None)

    def told(name: str, asked: Trials) -> None:
        figures[f"equal error rate, {name}"] = equal_error_rate(asked.cosines[asked.same], asked.cosines[~asked.same])
        chances = np.array([fitted.relevance(float(cosine)) for cosine in asked.cosines])
        weights = np.where(asked.same, 0.5 / asked.same.sum(), 0.5 / (~asked.same).sum())
        figures[f"Brier score, {name}"] = float(np.sum(weights * np.square(chances - asked.same)))

    unheard = score_held_out(mixed)
    figures["Brier score of unheard speakers"] = brier(unheard)
    figures["expected calibration error of unheard speakers"] = calibration_error(unheard[:, 0], unheard[:, 1] > 0)
    told("as calibrated", mixed)
    for seconds in SECONDS:
        told(f"{seconds:g} s", trials(drawn(seconds, [""])))
    for how in ("", *DEGRADATIONS):
        told(f"3 to 10 s, {how or 'as they are'}", trials(drawn(None, [how])))
    for how in DEGRADATIONS:
        told(f"3 to 10 s, {how} against as they are", across(drawn(None, [how]), drawn(None, [""])))
    row = {"space": "voice", "query": "voice", "target": "voice", **fitted.as_dict()}
    return {"backgrounds": [row], "figures": figures}
