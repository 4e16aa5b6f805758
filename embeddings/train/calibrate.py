"""Calibrate similarities: for each space and pair of modalities, those of unrelated pairs, and the cut-off.

Measured on Flickr8k's dev split with the finished encoders. `bias`, the cosine of relevance 0.5, is where a query
without an answer finds nothing among 500 photos: above the best match of 98 % of nonsense, and as high as 95.5 % of the
captions whose photo is among the best ten allow.
`slope` is that of a logistic fit to as many related as unrelated pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import Calibration, Encoder, Vectors, normalise, zero_last
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.queries import QUERIES
from crossmedia.embeddings.train import probes
from crossmedia.embeddings.train.data import Photo, picture
from crossmedia.embeddings.train.things import DrawnThing

NONSENSE_KEPT_OUT, ABSENT_KEPT_OUT, CAPTIONS_KEPT = 0.98, 0.93, 0.955
BLIND = 1
"""How many of the last dimensions a picture or sound does without that looks for texts: how strange a text is
(`rarity.py`) says whether it is answered, and would decide between texts by their words alone."""
MIN_SAME_KIND = 0.38
"""Cosine of what the captions of two photos mean together, from which they show the same kind of thing: of pairs as
near as this, half name a thing in common that is not a person."""


def logistic(
    related: NDArray[np.float32], unrelated: NDArray[np.float32], balanced: bool = True
) -> tuple[float, float]:
    """Slope and midpoint of P(related | cosine) (Newton's method). `balanced`: where both kinds weigh the same, and not
    each pair."""
    x = np.concatenate([related, unrelated]).astype(np.float64)
    y = np.concatenate([np.ones(len(related)), np.zeros(len(unrelated))])
    sizes = (2 * len(related), 2 * len(unrelated)) if balanced else (len(x), len(x))
    weight = np.concatenate([np.full(len(related), 1 / sizes[0]), np.full(len(unrelated), 1 / sizes[1])])
    centre, spread = x.mean(), x.std()
    columns = np.stack([(x - centre) / spread, np.ones_like(x)], axis=1)
    theta = np.zeros(2)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-columns @ theta))
        slant = (columns * (weight * chance * (1 - chance))[:, None]).T @ columns + 1e-6 * np.eye(2)
        theta += np.linalg.solve(slant, columns.T @ (weight * (y - chance)))
    return float(theta[0] / spread), float(centre - theta[1] * spread / theta[0])


def cut_off(space: Vectors, nonsense: Vectors, absent: Vectors | None, answered: NDArray[np.float32]) -> float:
    """Where a search of `space` begins to answer.

    `answered`: cosines of right answers that should stay above it. Without `absent` topics it is as strict as those
    allow."""
    silent = float(np.quantile((nonsense @ space.T).max(1), NONSENSE_KEPT_OUT, method="higher")) + 1e-4
    strict = float(np.quantile(answered, 1 - CAPTIONS_KEPT))
    if absent is not None:
        enough = float(np.quantile((absent @ space.T).max(1), ABSENT_KEPT_OUT, method="higher")) + 1e-4
        strict = min(strict, enough)
    return max(silent, strict)


def calibration(related: NDArray[np.float32], unrelated: NDArray[np.float32], bias: float | None) -> Calibration:
    """`bias` None: the midpoint of the logistic fit."""
    slope, midpoint = logistic(related, unrelated)
    return Calibration(float(unrelated.mean()), float(unrelated.std()), midpoint if bias is None else bias, slope)


def among(measured: Calibration, unrelated: NDArray[np.float32]) -> Calibration:
    """With mean and spread of these pairs, the very ones a collection is measured by."""
    return replace(measured, mean=float(unrelated.mean()), std=float(unrelated.std()))


def measure(
    text: Encoder[str],
    picture_tower: Encoder[Picture],
    photos: Sequence[Photo],
    things: Sequence[DrawnThing],
    blind: int = BLIND,
) -> dict[str, Any]:
    """`{"backgrounds": [...], "figures": {...}}`, JSON-ready. `blind`: see `BLIND`; none where a space has no such
    dimensions."""
    captions = text.encode([caption for photo in photos for caption in photo.captions]).vectors
    seen = picture_tower.encode([picture(photo) for photo in photos]).vectors
    nonsense = text.encode(probes.gibberish(50, seed=3)).vectors
    absent = text.encode(probes.ABSENT).vectors
    words = text.encode(probes.SINGLE_WORD_QUERIES).vectors["common"] @ seen["common"].T

    each = len(captions["common"]) // len(photos)
    own = np.arange(len(captions["common"])) // each
    same = own[:, None] == np.arange(len(photos))
    scores = captions["common"] @ seen["common"].T
    asked = text.encode(QUERIES).vectors

    def across(blind: int, topics: Vectors | None) -> Calibration:
        looking = zero_last(seen["common"], blind)
        pairs = captions["common"] @ looking.T
        bias = cut_off(looking, nonsense["common"], topics, answered_cosines(pairs, own))
        return replace(calibration(pairs[same], pairs[~same], bias), blind=blind)

    searched, told = across(0, None), across(blind, absent["common"])
    bias = searched.bias
    calibrations = {
        ("common", "text", "picture"): among(searched, asked["common"] @ seen["common"].T),
        ("common", "picture", "text"): told,
    }
    calibrations |= photos_to_photos(seen, captions["text"].reshape(len(photos), each, -1))
    for space in ("common", "text"):
        alike = _caption_to_caption(captions[space], own, nonsense[space], absent[space])
        calibrations[space, "text", "text"] = among(alike, asked[space] @ captions[space].T)

    return {
        "backgrounds": [{"space": s, "query": q, "target": t, **b.as_dict()} for (s, q, t), b in calibrations.items()],
        "figures": {
            **recall(scores, captions["common"] @ told.compared(seen["common"]).T, own),
            **name_to_picture(text, picture_tower, things),
            "nonsense without an answer": float(((nonsense["common"] @ seen["common"].T).max(1) < bias).mean()),
            "absent topics without an answer": float(((absent["common"] @ seen["common"].T).max(1) < bias).mean()),
            "captions that keep their photo of the top 10": float((answered_cosines(scores, own) >= bias).mean()),
            "photos that answer a word": {
                word: int((row >= bias).sum()) for word, row in zip(probes.SINGLE_WORD_QUERIES, words, strict=True)
            },
        },
    }


def ranks(scores: NDArray[np.float32], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each query's own target among all targets, from 0."""
    mine = scores[np.arange(len(own)), own]
    places: NDArray[np.int64] = (scores > mine[:, None]).sum(1)
    return places


def recall(scores: NDArray[np.float32], looking: NDArray[np.float32], own: NDArray[np.int64]) -> dict[str, float]:
    """`scores`, `looking` (captions, photos), where captions and where photos are the queries: recall@k is the share of
    queries with a right answer among the best k."""
    rank = ranks(scores, own)
    best_caption = np.full(looking.shape[1], -1.0)
    np.maximum.at(best_caption, own, looking[np.arange(len(own)), own])
    photo_rank = (looking > best_caption).sum(0)
    return {
        **{f"text to image recall@{k}": float((rank < k).mean()) for k in (1, 5, 10)},
        "image to text recall@10": float((photo_rank < 10).mean()),
    }


def name_to_picture(
    text: Encoder[str], picture_tower: Encoder[Picture], things: Sequence[DrawnThing]
) -> dict[str, float]:
    """As `names_found`, of a picture tower."""
    return names_found(text, things, picture_tower.encode([thing.picture() for thing in things]).vectors["common"])


def names_found(text: Encoder[str], things: Sequence[DrawnThing], seen: Vectors) -> dict[str, float]:
    """Name to picture: a query a distinct name, right is every picture that bears it. `seen`: vectors of the things."""
    names = np.array([thing.name for thing in things])
    asked = np.unique(names)
    scores = text.encode([str(name) for name in asked]).vectors["common"] @ seen.T
    right = asked[:, None] == names
    best = np.where(right, scores, -1).max(1, keepdims=True)
    rank = ((scores > best) & ~right).sum(1)
    return {f"name to thing recall@{k}": float((rank < k).mean()) for k in (1, 5, 10)}


def answered_cosines(scores: NDArray[np.float32], own: NDArray[np.int64]) -> NDArray[np.float32]:
    """The cosines of the captions whose photo is among the best ten with that photo."""
    cosines: NDArray[np.float32] = scores[np.arange(len(own)), own][ranks(scores, own) < 10]
    return cosines


def same_kind(captions: Vectors) -> NDArray[np.bool_]:
    """Which photos show the same kind of thing, by what their captions say: (N, captions, dim) sentence vectors →
    (N, N)."""
    meaning = normalise(captions.mean(1))
    alike: NDArray[np.bool_] = meaning @ meaning.T >= MIN_SAME_KIND
    return alike


def photos_to_photos(seen: Mapping[str, Vectors], captions: Vectors) -> dict[tuple[str, str, str], Calibration]:
    """Photo to photo in both spaces. Nobody labelled these pairs, but their captions tell: related is what they say
    nearly the same of. Fitted to all pairs as they occur, so that a relevance is how many pairs of that cosine are
    related.

    `seen`: of each space vectors (N, dim) of photos; `captions` (N, captions, dim): sentence vectors of theirs."""
    upper = np.triu_indices(len(captions), 1)
    related = same_kind(captions)[upper]
    calibrations: dict[tuple[str, str, str], Calibration] = {}
    for space in ("common", "picture"):
        scores = (seen[space] @ seen[space].T)[upper]
        slope, bias = logistic(scores[related], scores[~related], balanced=False)
        calibrations[space, "picture", "picture"] = Calibration(float(scores.mean()), float(scores.std()), bias, slope)
    return calibrations


def _caption_to_caption(vectors: Vectors, own: NDArray[np.int64], nonsense: Vectors, absent: Vectors) -> Calibration:
    """Caption to caption: related where they tell of the same photo."""
    upper = np.triu_indices(len(vectors), 1)
    scores = (vectors @ vectors.T)[upper]
    same = own[upper[0]] == own[upper[1]]
    slope, midpoint = logistic(scores[same], scores[~same])
    bias = max(midpoint, cut_off(vectors, nonsense, absent, scores[same]))
    rest = scores[~same]
    return Calibration(float(rest.mean()), float(rest.std()), bias, slope)
