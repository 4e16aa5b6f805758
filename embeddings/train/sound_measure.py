"""Measure and calibrate the sound tower by cross-validation: each sound by a head that did not learn from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Calibration, Encoder, Vectors, normalise, zero_last
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.sound_head import MIN_PROBABILITY, SoundHead
from crossmedia.embeddings.train import probes
from crossmedia.embeddings.train.calibrate import BLIND, calibration, cut_off, logistic
from crossmedia.embeddings.train.data import Photo, flickr8k, picture
from crossmedia.embeddings.train.sound_data import FOLDS, Matrix, Names, Sounds
from crossmedia.embeddings.train.sound_kinds import (
    AMBIGUOUS_SOURCES,
    QUERY_TEMPLATES,
    SOUND_KINDS,
    URBAN,
    VISIBLE_SOURCES,
)

PHOTOS_KEPT_OUT: Final = 0.85
"""Share of photos that find no sound of something they do not show."""
FALSE_MATCHES: Final = 0.02
"""Share of pairs of sounds of different kinds over the middle of ("common", "sound", "sound")."""
AGREED: Final = 3
"""Captions of five that must name a thing for a photo to show it."""
BINS: Final = 10
COARSE_KINDS: Final = ("speech", "music", "noise")


def average_precision(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Mean, over the right ones, of the precision down to each. (N,) and (N,), at least one right."""
    ranked = right[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked].mean())


def calibration_error(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Expected calibration error (Naeini et al. 2015): mean |score − share right| over ten bins of equal width."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [abs(float(scores[place == n].sum() - right[place == n].sum())) for n in range(BINS)]
    return sum(gaps) / len(scores)


def coarse(chances: Matrix) -> Matrix:
    """(N, K) → (N, 3): speech, music, and all the rest as noise."""
    names = [kind.name for kind in SOUND_KINDS]
    two = chances[:, [names.index("speech"), names.index("music")]]
    return np.hstack([two, 1 - two.sum(axis=1, keepdims=True)])


@dataclass
class Measured:
    """`held` (N, K): probabilities of each sound by a head of the other folds; `plain` (N, 512): by ridge
    regression."""

    head: SoundHead
    sounds: Sounds
    held: Matrix
    plain: Vectors
    text: Encoder[str]
    picture: Encoder[Picture]

    def said(self, texts: Sequence[str]) -> Vectors:
        return self.text.encode(texts).vectors["common"]

    @cached_property
    def esc(self) -> NDArray[np.bool_]:
        return np.isin(self.sounds.kinds, [kind.name for kind in SOUND_KINDS if kind.source == "esc10"])

    @cached_property
    def heard(self) -> Vectors:
        return self.head.common(self.held)

    @cached_property
    def asked(self) -> list[tuple[str, Names]]:
        """Queries by template, and the kind that answers each."""
        kinds = [kind for kind in SOUND_KINDS if kind.source == "esc10"]
        return [
            (t, np.array([t.format(kind.folder if t == "{}" else kind.folder.lower()) for kind in kinds]))
            for t in QUERY_TEMPLATES
        ]

    def calibrations(self, flickr: Path) -> list[dict[str, Any]]:
        """Of the common space between sounds and words, pictures and sounds; rows as in `backgrounds.json`."""
        photos = flickr8k(flickr, "dev")
        blind_words = self._words(photos, BLIND)
        words, seen = self._words(photos), self._pictures(photos)
        alike = self._alike()
        similarities = {
            ("text", "sound"): words,
            ("sound", "text"): blind_words,
            ("picture", "sound"): seen,
            ("sound", "picture"): seen,
        }
        similarities["sound", "sound"] = alike
        return [{"space": "common", "query": q, "target": t, **b.as_dict()} for (q, t), b in similarities.items()]

    def _words(self, photos: Sequence[Photo], blind: int = 0) -> Calibration:
        """Between texts and recorded sounds; `blind`: see `Calibration`."""
        names = [kind.name for kind in SOUND_KINDS if kind.source == "esc10"]
        queries = np.concatenate([texts for _, texts in self.asked])
        gallery = zero_last(self.heard[self.sounds.recorded], blind)
        scores = self.said(queries.tolist()) @ gallery.T
        right = np.array(names * len(self.asked))[:, None] == self.sounds.kinds[self.sounds.recorded]
        first = np.argsort(np.argsort(-scores, axis=1), axis=1) < right.sum(axis=1, keepdims=True)
        silent = self.said(
            [c for photo in photos for c in photo.captions[:1] if not count_mentions(photo, VISIBLE_SOURCES)]
        )
        absent = np.concatenate([self.said(probes.ABSENT), silent])
        nonsense = self.said(probes.gibberish(50, seed=3))
        middle = cut_off(gallery, nonsense, absent, scores[right & first])

        def quiet(texts: Vectors) -> float:
            return float(((texts @ gallery.T).max(axis=1) < middle).mean())

        self._found = {
            "nonsense without a sound": quiet(nonsense),
            "absent topics without a sound": quiet(self.said(probes.ABSENT)),
            "captions of other things without a sound": quiet(silent),
            "right sounds of a class name that stay": float((scores[right & first] >= middle).mean()),
            "wrong sounds among those a class name finds": float((~right[scores >= middle]).mean()),
        }
        return replace(calibration(scores[right], scores[~right], middle), blind=blind)

    def _pictures(self, photos: Sequence[Photo]) -> Calibration:
        seen = self.picture.encode([picture(photo) for photo in photos]).vectors["common"]
        scores, kinds = seen @ self.heard[self.esc].T, self.sounds.kinds[self.esc]
        told, akin = (
            [count_mentions(photo, VISIBLE_SOURCES) for photo in photos],
            [count_mentions(photo, AMBIGUOUS_SOURCES) for photo in photos],
        )
        right = np.array([np.isin(kinds, [kind for kind, count in one.items() if count >= AGREED]) for one in told])
        wrong = np.logical_not(
            np.array([np.isin(kinds, [*one, *other]) for one, other in zip(told, akin, strict=True)])
        )
        worst = np.where(wrong, scores, -1).max(axis=1)
        middle = float(np.quantile(worst, PHOTOS_KEPT_OUT))
        bark = kinds == "dog bark"
        dogs: NDArray[np.bool_] = np.any(right[:, bark], axis=1)
        self._found |= {
            "dog photos nearer to a bark than to any wrong sound": float(
                (scores[dogs][:, bark].max(axis=1) > worst[dogs]).mean()
            ),
            "dog photos that find a bark": float((scores[dogs][:, bark].max(axis=1) >= middle).mean()),
            "photos that find no wrong sound": float((worst < middle).mean()),
            "barks whose nearest photo shows a dog": float(dogs[scores[:, bark].argmax(axis=0)].mean()),
        }
        return calibration(scores[right], scores[wrong], middle)

    def _alike(self) -> Calibration:
        vectors, kinds = self.heard[self.sounds.recorded], self.sounds.kinds[self.sounds.recorded]
        upper = np.triu_indices(len(vectors), 1)
        scores, same = (vectors @ vectors.T)[upper], (kinds[:, None] == kinds)[upper]
        middle = max(logistic(scores[same], scores[~same])[1], float(np.quantile(scores[~same], 1 - FALSE_MATCHES)))
        return calibration(scores[same], scores[~same], middle)

    def figures(self) -> dict[str, float]:
        """On ESC-10's and LibriSpeech's held-out folds, and what `calibrations` found."""
        figures: dict[str, float] = {}
        flat = np.hstack(
            [self.plain, np.ones((len(self.plain), 1), np.float32), np.zeros((len(self.plain), 1), np.float32)]
        )
        for template, texts in self.asked:
            queries = self.said(texts.tolist())
            for name, vectors in (("softmax", self.heard), ("ridge", normalise(flat))):
                figures[f"ESC-10 text to sound mAP, {template!r}, {name}"] = self._map(queries, vectors)
        names = np.array([kind.name for kind in SOUND_KINDS])
        real = self.sounds[self.sounds.recorded]
        chances, best = self.held[self.sounds.recorded], self.held[self.sounds.recorded].argmax(axis=1)
        right, score = names[best] == real.kinds, chances.max(axis=1)
        esc = self.esc[self.sounds.recorded]
        figures |= {
            "ESC-10 accuracy": float(right[esc].mean()),
            "ESC-10 with a label": float((score[esc] >= MIN_PROBABILITY).mean()),
            "ESC-10 labels that are right": float(right[esc & (score >= MIN_PROBABILITY)].mean()),
            "expected calibration error, ESC-10": calibration_error(score[esc], right[esc]),
            "expected calibration error, ESC-10 and speech": calibration_error(score, right),
            "ESC-10 told as noise": float((coarse(chances[esc]).argmax(axis=1) == 2).mean()),
            "held-out speakers told as speech": float((coarse(chances[~esc]).argmax(axis=1) == 0).mean()),
        }
        return figures | self._found

    def _map(self, queries: Vectors, vectors: Vectors) -> float:
        """Mean over folds and classes, each fold ranked alone."""
        kinds = [kind.name for kind in SOUND_KINDS if kind.source == "esc10"]
        folds = [self.esc & (self.sounds.folds == fold) for fold in FOLDS]
        return float(
            np.mean(
                [
                    average_precision(vectors[fold] @ query, self.sounds.kinds[fold] == kind)
                    for fold in folds
                    for query, kind in zip(queries, kinds, strict=True)
                ]
            )
        )

    def measure_unlearned(self, urban: tuple[Matrix, NDArray[np.int64]], spoken: Matrix) -> dict[str, float]:
        """By the head of all folds on what nothing was learned from."""
        features, numbers = urban
        chances = self.head.chances(features)
        vectors, told = self.head.common(chances), coarse(chances).argmax(axis=1)
        each = [average_precision(vectors @ q, numbers == n) for n, q in enumerate(self.said(URBAN))]
        figures = {"UrbanSound8K text to sound mAP": float(np.mean(each))}
        figures |= {f"UrbanSound8K mAP, {name}": value for name, value in zip(URBAN, each, strict=True)}
        for name in URBAN:
            as_what = "music" if name == "street music" else "noise"
            share = float((told[numbers == URBAN.index(name)] == COARSE_KINDS.index(as_what)).mean())
            figures[f"UrbanSound8K {name} told as {as_what}"] = share
        figures["spoken captions told as speech"] = float(
            (coarse(self.head.chances(spoken)).argmax(axis=1) == 0).mean()
        )
        return figures


def count_mentions(photo: Photo, words: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Kinds of sound of which the captions have a word, with how many captions do."""
    caption_words = [set(re.findall("[a-z]+", caption.lower())) for caption in photo.captions]
    counted = {kind: sum(not said.isdisjoint(named) for said in caption_words) for kind, named in words.items()}
    return {kind: count for kind, count in counted.items() if count}
