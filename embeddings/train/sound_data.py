"""Load the sounds for training and measuring the sound tower: features with their kinds and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.sound import sound_features
from crossmedia.embeddings.speech import Whisper
from crossmedia.embeddings.train import synthetic
from crossmedia.embeddings.train.sound_kinds import SOUND_KINDS
from crossmedia.embeddings.train.sound_stats import features_of

Matrix: TypeAlias = NDArray[np.float32]
Names: TypeAlias = NDArray[np.str_]

FOLDS: Final = ("1", "2", "3", "4")
MADE: Final = 40
"""Sounds of each made kind."""
SEED: Final = 7


@dataclass(frozen=True, eq=False)
class Sounds:
    """N sounds: features (N, D), the name of each one's kind, its fold, and whether it was recorded, not made."""

    features: Matrix
    kinds: Names
    folds: Names
    recorded: NDArray[np.bool_]

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Sounds:
        return Sounds(self.features[chosen], self.kinds[chosen], self.folds[chosen], self.recorded[chosen])


def load_learned(data: Path, whisper: Whisper) -> Sounds:
    """ESC-10 in its own folds; LibriSpeech's speakers and the made sounds dealt to the folds, no speaker to two."""
    named = {kind.folder: kind.name for kind in SOUND_KINDS if kind.source == "esc10"}
    esc = sorted((data / "esc10").glob("*/*.ogg"))
    speakers = sorted((data / "speakers").glob("*/*.flac"))
    dealt = {name: FOLDS[n % 4] for n, name in enumerate(sorted({path.parent.name for path in speakers}))}
    parts = [
        (
            features_of(whisper, esc),
            [named[path.parent.name.split(" - ")[1]] for path in esc],
            [p.name[0] for p in esc],
        ),
        (features_of(whisper, speakers), ["speech"] * len(speakers), [dealt[path.parent.name] for path in speakers]),
    ]
    for kind in SOUND_KINDS:
        if kind.source == "made":
            made = synthetic.make(kind.folder, MADE, SEED)
            rows = [sound_features(whisper, made[first : first + 16]) for first in range(0, MADE, 16)]
            parts.append((np.concatenate(rows), [kind.name] * MADE, [FOLDS[n % 4] for n in range(MADE)]))
    features, kinds, folds = zip(*parts, strict=True)
    recorded = np.arange(sum(map(len, kinds))) < len(esc) + len(speakers)
    return Sounds(np.concatenate(features), np.concatenate(kinds), np.concatenate(folds), recorded)


def load_urban(data: Path, whisper: Whisper) -> tuple[Matrix, NDArray[np.int64]]:
    """UrbanSound8K (CC BY-NC: measured on, never learned from): features and class numbers."""
    paths = sorted((data / "urbansound8k").glob("*/*.ogg"))
    return features_of(whisper, paths), np.array([int(path.stem.split("-")[1]) for path in paths])


def load_spoken(data: Path, whisper: Whisper) -> Matrix:
    """Spoken captions: speech that nothing was learned from."""
    return features_of(whisper, sorted((data / "spoken_captions").glob("*.mp3")))


def balance(kinds: Sequence[str] | Names) -> NDArray[np.float64]:
    """Weights that sum to one over all and to the same over each kind."""
    _, number, count = np.unique(np.asarray(kinds), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[number] / len(count))
