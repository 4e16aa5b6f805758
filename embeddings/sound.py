"""The sound encoder: features of Whisper's encoder, pooled over time and projected so that kinds of sound separate.

Gong et al. 2023 (Whisper-AT) found the encoder of Whisper to keep much of the background sound it learned to ignore.
The pooled output and the spectrum's own mean and spread are standardised, then whitened within classes (Hatch et al.
2006, WCCN) and cut to 64 dimensions; both learned on ESC-10 by `embeddings/train/sound_stats.py`. The same pass gives
the common space and labels: `embeddings/sound_head.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.cards import COMMON, SOUND
from crossmedia.embeddings.catalog import BUNDLED
from crossmedia.embeddings.encoder import Calibration, Encoding, Modality, Space, Vectors, normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.sound_head import SoundHead, load
from crossmedia.embeddings.speech import Whisper

WINDOW: Final = 10.0
"""Longest stretch given to the encoder at once, s. Unpadded: a tenth of the time of Whisper's own 30 s."""
DIM: Final = 64
REVISION: Final = "1"

SOUND_BACKGROUND: Final = Calibration(mean=-0.065, std=0.315, bias=0.63, slope=10.0)
"""Of ("sound", "sound", "sound"): `python -m crossmedia.embeddings.train.sound_stats ../shared/data`, folds not learned
from.

2 % of the pairs of different classes and 59 % of those of one class lie over the middle.
"""

_BATCH: Final = 8
_MIN_SAMPLES: Final = SAMPLE_RATE // 10
_FRAME: Final = SAMPLE_RATE // 50
_QUIETEST: Final = 1e-4
_RANGE: Final = 0.01


@dataclass(frozen=True, eq=False)
class Projection:
    """`features` → (x - mean) / deviation, to unit length, - centre, × matrix, to unit length."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    centre: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> Vectors:
        """(N, D) → (N, 64) unit rows."""
        unit = normalise((features - self.mean) / self.deviation)
        return normalise((unit - self.centre) @ self.matrix)


class WhisperSound:
    """An `Encoder[Waveform]` of the spaces `common` (514) and `sound` (64), sharing the network of the transcriber.

    Classes are kinds of sound with calibrated probabilities (`SoundHead.labels`). `folder` holds `sound-tower.npz`.
    """

    modality: Modality = "sound"

    def __init__(self, whisper: Whisper, folder: Path = BUNDLED) -> None:
        self._whisper = whisper
        self._folder = folder
        self.model = f"sound:{whisper.model}+{SOUND.revision}"
        native = f"sound:{whisper.model}"
        self.spaces: tuple[Space, ...] = (COMMON, Space("sound", DIM, native, REVISION, "16 kHz log-mel, pooled"))

    @cached_property
    def head(self) -> SoundHead:
        """Read when the first sound is heard."""
        return load(self._folder / "sound-tower.npz")

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        """Waveforms of any length; what is silent at their ends or between does not count, unless all is.

        What is silent throughout has no class, and is near to no text and no picture.
        """
        if not batch:
            return Encoding({space.name: np.zeros((0, space.dim), dtype=np.float32) for space in self.spaces})
        features = sound_features(self._whisper, batch)
        chances = self.head.chances(features)
        silent = [not np.any(np.abs(waveform.samples) > _QUIETEST) for waveform in batch]
        chances[silent] = 0
        return Encoding(
            {"common": self.head.common(chances), "sound": projection()(features)},
            [[] if quiet else self.head.labels(row) for row, quiet in zip(chances, silent, strict=True)],
        )


def sound_features(whisper: Whisper, batch: Sequence[Waveform]) -> NDArray[np.float32]:
    """(N, 3 × width + 160): mean, maximum and deviation of the encoder's frames, mean and deviation of the mel
    bands."""
    windows = [(owner, *_window(whisper, part)) for owner, waveform in enumerate(batch) for part in _parts(waveform)]
    outputs = _encode(whisper, [mel for _, mel, _ in windows])
    frames: dict[int, list[NDArray[np.float32]]] = defaultdict(list)
    for (owner, mel, heard), output in zip(windows, outputs, strict=True):
        pairs = mel.reshape(len(mel), -1, 2).mean(axis=2).T
        frames[owner].append(np.hstack([output, pairs])[heard])
    return np.stack([_pool(np.concatenate(frames[owner]), outputs[0].shape[1]) for owner in range(len(batch))])


@cache
def projection() -> Projection:
    """The one that ships; its matrix is stored in 8 bits with a scale a column."""
    with files("crossmedia.embeddings").joinpath("bundled/sound-stats.npz").open("rb") as file, np.load(file) as stored:
        matrix = stored["matrix"].astype(np.float32) * stored["scale"].astype(np.float32)
        mean, deviation, centre = (stored[name].astype(np.float32) for name in ("mean", "deviation", "centre"))
    return Projection(mean, deviation, centre, matrix)


def _parts(waveform: Waveform) -> list[NDArray[np.float32]]:
    size = int(WINDOW * SAMPLE_RATE)
    samples = waveform.samples
    parts = [samples[first : first + size] for first in range(0, max(1, len(samples)), size)]
    # A remainder too short to say anything would still weigh in through its maximum.
    return [part for part in parts if len(part) >= _MIN_SAMPLES] or [
        np.pad(parts[0], (0, _MIN_SAMPLES - len(parts[0])))
    ]


def _window(whisper: Whisper, samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The spectrogram and which pairs of its frames hold sound: within 40 dB of the loudest."""
    mel = whisper.mel(samples)
    count = mel.shape[1] // 2
    padded = np.pad(samples, (0, max(0, count * _FRAME - len(samples))))[: count * _FRAME]
    level = np.sqrt(np.mean(np.square(padded.reshape(count, _FRAME), dtype=np.float64), axis=1))
    heard = level > max(_QUIETEST, float(level.max()) * _RANGE)
    return mel, heard if heard.any() else np.ones(count, dtype=np.bool_)


def _encode(whisper: Whisper, mels: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Batches of equal length, since padding would be heard."""
    alike: dict[int, list[int]] = defaultdict(list)
    for number, mel in enumerate(mels):
        alike[mel.shape[1]].append(number)
    outputs: dict[int, NDArray[np.float32]] = {}
    for numbers in alike.values():
        for first in range(0, len(numbers), _BATCH):
            group = numbers[first : first + _BATCH]
            outputs.update(zip(group, whisper.encode(np.stack([mels[number] for number in group])), strict=True))
    return [outputs[number] for number in range(len(mels))]


def _pool(frames: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    mean, deviation = frames.mean(axis=0), frames.std(axis=0)
    parts = [mean[:width], frames[:, :width].max(axis=0), deviation[:width], mean[width:], deviation[width:]]
    return np.concatenate(parts).astype(np.float32)
