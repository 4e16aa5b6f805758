"""Classify sounds, and place them among words and pictures in the common space.

A softmax over kinds of sound; its probabilities weigh the kinds' anchors, which are mean vectors of texts in the common
space (Norouzi et al. 2013, ConSE). Learned by `embeddings/train/sound_tower.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings import query_bank
from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.errors import ModelCorrupt

DOUBT: Final = 0.5
"""How far a sound that could be anything is moved away from all words, as a cosine."""
MIN_PROBABILITY: Final = 0.5
"""Least probability of a label: at most one of those that exclude each other."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SoundHead:
    """K kinds over features of dimension D.

    `weights` (D + 1, K), the last row added; `anchors` (K, 512) unit rows, where words of the kinds lie; `temperature`
    divides the logits (Guo et al. 2017). `names` are the kinds'; `told` says which are given as labels of their own.
    """

    mean: Matrix
    deviation: Matrix
    weights: Matrix
    anchors: Matrix
    temperature: float
    names: tuple[str, ...]
    told: tuple[bool, ...]

    def chances(self, features: Matrix) -> Matrix:
        """(N, D) → (N, K) calibrated probabilities."""
        logits = standardise(features, self.mean, self.deviation) @ self.weights[:-1] + self.weights[-1]
        return softmax(logits / self.temperature)

    def common(self, chances: Matrix) -> Vectors:
        """(N, K) → (N, 514) unit rows (v, −o, √(1 − o²)) / √2, as `query_bank.py` has them.

        v is the direction of the anchors' mean w, weighted by the probabilities; o = `DOUBT` · (1 − |w|) rises with
        doubt, since anchors point in many directions. With a text (t, 1, 0) / √2 the inner product is (t · v − o) / 2.
        A row of zeros, nothing heard, becomes (0, −1, 0): opposite to every text and like no picture.
        """
        mixed = chances @ self.anchors
        sure = np.minimum(1, np.linalg.norm(mixed, axis=1, keepdims=True))
        offset = np.where(sure > 0, DOUBT * (1 - sure), 1)
        return query_bank.pictures(normalise(mixed), offset)

    def labels(self, chances: NDArray[np.float32]) -> list[tuple[str, float]]:
        """(K,) → names with probability ≥ `MIN_PROBABILITY`, likeliest first: what it is, and which of speech, music
        and noise.

        The three exclude each other and are all there is: noise is whatever is neither speech nor music, be it a bark
        or a hum (as in MUSAN, Snyder et al. 2015).
        """
        chance = dict(zip(self.names, chances.tolist(), strict=True))
        scores = {name: chance[name] for name, told in zip(self.names, self.told, strict=True) if told}
        scores |= {"speech": chance["speech"], "music": chance["music"]}
        scores["noise"] = 1 - scores["speech"] - scores["music"]
        return sorted(
            ((name, score) for name, score in scores.items() if score >= MIN_PROBABILITY), key=lambda pair: -pair[1]
        )


def standardise(features: Matrix, mean: Matrix, deviation: Matrix) -> Matrix:
    """(N, D) → rows of length 10, so that the weights stay of the size of one."""
    return normalise((features - mean) / deviation) * np.float32(10)


def softmax(logits: Matrix) -> Matrix:
    """Rows → probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def load(path: Path) -> SoundHead:
    """Reads what `save` wrote; raises `ModelCorrupt`."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            rows = {
                name: stored[name].astype(np.float32)
                for name in ("mean", "deviation", "weights", "anchors", "temperature")
            }
            names, told = tuple(map(str, stored["names"])), tuple(map(bool, stored["told"]))
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise ModelCorrupt(
            f"{path} is not a sound head: {error!r}", 'pip install --force-reinstall "crossmedia"'
        ) from error
    return SoundHead(
        rows["mean"], rows["deviation"], rows["weights"], rows["anchors"], float(rows["temperature"]), names, told
    )


def save(head: SoundHead, path: Path) -> SoundHead:
    """Writes it in half precision; gives back what will be read."""
    small = {name: getattr(head, name).astype(np.float16) for name in ("mean", "deviation", "weights", "anchors")}
    np.savez_compressed(
        path,
        allow_pickle=False,
        temperature=np.float32(head.temperature),
        names=np.array(head.names),
        told=np.array(head.told),
        **small,
    )
    return load(path)
