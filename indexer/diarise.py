"""Diarise speech: find who speaks when, without knowing how many speak, by clustering windows of voice.

Windows are clustered by average linkage (as Garcia-Romero et al. 2017 do, with cosines in place of PLDA) up to a
similarity where speakers end; then a hidden Markov model whose states are the clusters finds the turns (Viterbi; the
re-segmentation of Sell and Garcia-Romero 2015). Long recordings are clustered in blocks, and the blocks' clusters
again: the mean similarity of two groups is the inner product of their means, so it is the same criterion throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from crossmedia.embeddings.encoder import Encoder, Vector, Vectors, normalise
from crossmedia.embeddings.media import Waveform

Spans: TypeAlias = NDArray[np.float64]
"""(N, 2): start and end in s."""
Numbers: TypeAlias = NDArray[np.int64]

WINDOW: Final = 1.6
"""What is heard at once, s, every `HOP` s; what the built-in voice encoder reads."""
HOP: Final = 0.4
SLOT: Final = 0.2
"""What is given to one speaker as a whole, s."""
MIN_GROUP_COSINE: Final = 0.61
"""Mean cosine between the windows of two groups from which they are one speaker.

Between 0.6 and 0.63 the diarisation error rate is 4 % on 48 conversations of `eval/speakers.py`, of other seeds than
are reported, and 9 in 10 numbers of speakers are right; 9 % and 7 in 10 by spectral clustering of the same windows
(eigengap; of the neighbours the nearest 15, 30 or 50 % kept, 30 % being best).
"""
MIN_SURE_SECONDS: Final = 0.8
"""Seconds of voice from which a window may say that there is another speaker."""
MIN_SPEAKER_SECONDS: Final = 1.5
"""Seconds of voice that make a speaker; who has less is taken for the likeliest other."""
CHANGE: Final = 0.5
"""What another speaker costs from one slot to the next, in cosines of a slot; half of it where there is a pause."""
MAX_PAUSE_SECONDS: Final = 0.5
"""Pauses up to which what a speaker says is one turn, s."""
BLOCK: Final = 1000
"""Windows that are clustered together: about seven minutes of speech."""
BATCH: Final = 64
REVISION: Final = "1"
"""Of the method; another one gives other turns."""
STEEP: Final = 12.0
"""Of a turn's score, per unit of cosine."""


@dataclass(frozen=True, eq=False)
class Turn:
    """`speaker` speaks from `start` to `end`, s; speakers count from 0 in the order of their first turns.

    `vector`: of the voice in this turn, unit length. `score` in [0, 1]: how much nearer it is to its speaker than to
    the next one, or than strangers are; 0.5 where it is not.
    """

    start: float
    end: float
    speaker: int
    vector: Vector
    score: float


def diarise(waveform: Waveform, stretches: Sequence[tuple[float, float]], voice: Encoder[Waveform]) -> list[Turn]:
    """Turns, ascending and apart, within the stretches that hold a voice (s; ascending, apart, of some length)."""
    if not stretches:
        return []
    windows = np.array([window for stretch in stretches for window in _windows(*stretch)])
    vectors = _encode(waveform, windows, voice)
    slots, begins = _slots(stretches)
    reach = _reach(slots.mean(axis=1), windows.mean(axis=1))
    lengths = windows[:, 1] - windows[:, 0]
    sure = lengths >= min(MIN_SURE_SECONDS, float(lengths.max()))
    centroids = _centroids(vectors[sure], cluster(vectors[sure]))
    path = _speakers(vectors, centroids, slots, begins, reach)
    return _turns(path, slots, vectors, windows.mean(axis=1))


def cluster(vectors: Vectors) -> Numbers:
    """(N, D) unit rows → (N,) which group each belongs to, from 0: average linkage up to `MIN_GROUP_COSINE`, in "
    "blocks."""
    labels = np.zeros(len(vectors), dtype=np.int64)
    means: list[NDArray[np.float64]] = []
    for first in range(0, len(vectors), BLOCK):
        part = vectors[first : first + BLOCK].astype(np.float64)
        groups = np.zeros(1, dtype=np.int64)
        if len(part) > 1:
            groups = fcluster(linkage(part, "average", metric="cosine"), 1 - MIN_GROUP_COSINE, "distance") - 1
        labels[first : first + BLOCK] = groups + len(means)
        means += [part[groups == group].mean(axis=0) for group in range(int(groups.max()) + 1)]
    return _merge_groups(np.array(means), np.bincount(labels, minlength=len(means)))[labels]


def _merge_groups(means: NDArray[np.float64], counts: Numbers) -> Numbers:
    """(K, D) means of groups and their sizes → (K,) which larger group each belongs to."""
    owner = np.arange(len(means))
    alive = np.ones(len(means), dtype=np.bool_)
    alike = means @ means.T
    np.fill_diagonal(alike, -1)
    while len(means) > 1:
        one, other = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[one, other] < MIN_GROUP_COSINE:
            break
        means[one] = (means[one] * counts[one] + means[other] * counts[other]) / (counts[one] + counts[other])
        counts[one] += counts[other]
        owner[owner == other] = one
        alive[other] = False
        alike[one] = alike[:, one] = np.where(alive, means @ means[one], -1)
        alike[other] = alike[:, other] = alike[one, one] = -1
    return np.unique(owner, return_inverse=True)[1]


def _windows(start: float, end: float) -> list[tuple[float, float]]:
    if end - start <= WINDOW:
        return [(start, end)]
    count = 1 + int(np.ceil((end - start - WINDOW) / HOP))
    return [(first, first + WINDOW) for first in np.linspace(start, end - WINDOW, count).tolist()]


def _slots(stretches: Sequence[tuple[float, float]]) -> tuple[Spans, NDArray[np.bool_]]:
    """Slots of about `SLOT` s, and whether each begins a stretch."""
    edges = [np.linspace(start, end, 1 + max(1, round((end - start) / SLOT))) for start, end in stretches]
    slots = np.concatenate([np.stack([edge[:-1], edge[1:]], axis=1) for edge in edges])
    begins = np.zeros(len(slots), dtype=np.bool_)
    begins[np.cumsum([0, *(len(edge) - 1 for edge in edges[:-1])])] = True
    return slots, begins


def _encode(waveform: Waveform, windows: Spans, voice: Encoder[Waveform]) -> Vectors:
    rows = []
    for first in range(0, len(windows), BATCH):
        parts = [waveform.cut(start, end) for start, end in windows[first : first + BATCH].tolist()]
        rows.append(voice.encode(parts).vectors["voice"])
    return np.concatenate(rows)


def _nearest(times: NDArray[np.float64], among: NDArray[np.float64]) -> Numbers:
    """Of each time the number of the nearest of ascending ones."""
    after = np.clip(np.searchsorted(among, times), 1, max(1, len(among) - 1))
    if len(among) == 1:
        return np.zeros(len(times), dtype=np.int64)
    return np.where(times - among[after - 1] <= among[after] - times, after - 1, after)


def _reach(slots: NDArray[np.float64], windows: NDArray[np.float64]) -> list[tuple[Numbers, NDArray[np.float64]]]:
    """Of each slot the windows around it and their weights, which sum to one: falling to nothing half a window away.

    Given a window at a time for all slots, since a table of slots and windows would be too large for hours.
    """
    nearest = _nearest(slots, windows)
    reach = []
    for step in range(-int(WINDOW / HOP), int(WINDOW / HOP) + 1):
        number = np.clip(nearest + step, 0, len(windows) - 1)
        weight = np.maximum(0.0, 1 - np.abs(slots - windows[number]) / (WINDOW / 2))
        weight[number != nearest + step] = 0.0
        reach.append((number, weight + 1e-3 * (step == 0)))
    total = np.sum([weight for _, weight in reach], axis=0)
    return [(number, weight / total) for number, weight in reach]


def _centroids(vectors: Vectors, labels: Numbers) -> Vectors:
    return normalise(np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)]))


def _speakers(
    vectors: Vectors,
    centroids: Vectors,
    slots: Spans,
    begins: NDArray[np.bool_],
    reach: list[tuple[Numbers, NDArray[np.float64]]],
) -> Numbers:
    """(slots,) of who speaks, each for at least `MIN_SPEAKER_SECONDS` s in all."""
    alike = vectors @ centroids.T
    scores = np.zeros((len(slots), len(centroids)))
    for number, weight in reach:
        scores += weight[:, None] * alike[number]
    lasting = slots[:, 1] - slots[:, 0]
    while True:
        path = _path(scores, np.where(begins, CHANGE / 2, CHANGE))
        spoken = np.bincount(path, lasting, scores.shape[1])
        few = int((spoken < MIN_SPEAKER_SECONDS).sum())
        if scores.shape[1] == 1 or not few:
            return path
        # Half of those who say too little at a time, so that the rest can take up what they said, in few rounds.
        gone = min((few + 1) // 2, scores.shape[1] - 1)
        scores = np.delete(scores, np.argsort(spoken, kind="stable")[:gone], axis=1)


def _path(scores: NDArray[np.float64], cost: NDArray[np.float64]) -> Numbers:
    """The best way through (slots, speakers), where a change before a slot costs this much (Viterbi 1967)."""
    count, speakers = scores.shape
    came = np.zeros((count, speakers), dtype=np.int32)
    stay, total = np.arange(speakers), scores[0].copy()
    for slot in range(1, count):
        best = int(total.argmax())
        changed = total[best] - cost[slot]
        came[slot] = np.where(total >= changed, stay, best)
        total = np.maximum(total, changed) + scores[slot]
    path = np.zeros(count, dtype=np.int64)
    path[-1] = total.argmax()
    for slot in range(count - 1, 0, -1):
        path[slot - 1] = came[slot, path[slot]]
    return path


def _turns(path: Numbers, slots: Spans, vectors: Vectors, middles: NDArray[np.float64]) -> list[Turn]:
    order = {speaker: number for number, speaker in enumerate(dict.fromkeys(path.tolist()))}
    spans: list[tuple[float, float, int]] = []
    for (start, end), speaker in zip(slots.tolist(), path.tolist(), strict=True):
        if spans and spans[-1][2] == order[speaker] and start - spans[-1][1] <= MAX_PAUSE_SECONDS:
            spans[-1] = (spans[-1][0], end, order[speaker])
        else:
            spans.append((start, end, order[speaker]))
    means = []
    for start, end, _ in spans:
        inside = (middles >= start) & (middles <= end)
        means.append(
            vectors[inside].mean(axis=0) if inside.any() else vectors[np.abs(middles - (start + end) / 2).argmin()]
        )
    own = normalise(np.stack(means))
    alike = own @ _centroids(own, np.array([speaker for _, _, speaker in spans])).T
    turns = []
    for (start, end, speaker), vector, row in zip(spans, own, alike, strict=True):
        next_best = float(np.delete(row, speaker).max(initial=MIN_GROUP_COSINE))
        score = 1 / (1 + np.exp(-STEEP * (float(row[speaker]) - next_best)))
        turns.append(Turn(start, end, speaker, vector, max(0.5, float(score))))
    return turns
