"""The linear map of a head, learned with symmetric InfoNCE and Adam.

van den Oord et al., "Representation learning with contrastive predictive coding" (2018); Kingma and Ba, "Adam" (2015),
with decoupled weight decay (Loshchilov and Hutter 2019). On 20 to 2,200 pairs of clip art and their names it was never
behind closed-form ridge regression, so there is one method for any number of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.align import Residual, nearness
from crossmedia.embeddings.alignment.paired import Paired, Rows
from crossmedia.embeddings.encoder import Vectors, normalise

BATCH: Final = 256
PASSES, LEAST_STEPS, MOST_STEPS = 30, 100, 1500
RATE: Final = 1e-2
DECAY: Final = 1.0
DROPOUT: Final = 0.2
SHARPNESS: Final = 12.0
"""Cosines are multiplied by this before the softmax."""
NOT_WRONG: Final = -1e4
"""Logit of what stands beside a pair in its batch but is a pair too."""
PROTOTYPES: Final = 4096
OPEN, CLOSED = 10.0, 1.0
"""Percentiles, among the pairs, of how near a source is to the others: from here the gate is open, under here
closed."""
SLANT: Final = 0.1
"""Least distance between the two, in cosine."""

Array = NDArray[np.float32]


@dataclass
class _Adam:
    """One matrix, updated in place."""

    value: Array
    first: Array
    second: Array
    steps: int = 0

    def step(self, gradient: Array, rate: float) -> None:
        self.steps += 1
        self.first += np.float32(0.1) * (gradient - self.first)
        self.second += np.float32(0.001) * (gradient * gradient - self.second)
        mean = self.first / np.float32(1 - 0.9**self.steps)
        spread = np.sqrt(self.second / np.float32(1 - 0.999**self.steps)) + np.float32(1e-8)
        self.value -= np.float32(rate) * (mean / spread + np.float32(DECAY) * self.value)


def fit(
    paired: Paired, rows: Rows, seed: int = 0, passes: int | None = None, tick: Callable[[], None] = lambda: None
) -> Residual:
    """A head of strength 1 learned from these rows of the pairs. The same input gives the same head."""
    chance = np.random.default_rng(seed)
    sources = np.unique(paired.pairs[rows, 0])
    anchors, lengths, rests = _anchors(paired)
    absent = None
    content = paired.content()
    if content is None:
        absent = -normalise(anchors[paired.pairs[rows, 1]].mean(0, keepdims=True))[0]
        content = np.tile(absent, (len(paired.native), 1))
    joined = np.hstack([paired.native, content])
    mean = joined[sources].mean(0)
    inputs = joined - mean
    scales, sides = paired.sides()
    heard = anchors * (lengths / lengths.mean())
    factor = np.float32(SHARPNESS / (scales.mean() * lengths.mean()))

    width = (inputs.shape[1], content.shape[1])
    matrix = _Adam(np.zeros(width, np.float32), np.zeros(width, np.float32), np.zeros(width, np.float32))
    for step, total, pairs in _batches(rows, passes, chance):
        source, anchor = paired.pairs[pairs].T
        seen = inputs[source] * (chance.random((len(pairs), width[0]), dtype=np.float32) >= DROPOUT)
        seen /= np.float32(1 - DROPOUT)
        lean = content[source] + seen @ matrix.value
        length = np.linalg.norm(lean, axis=1, keepdims=True) + np.float32(1e-6)
        unit = lean / length
        target = heard[anchor]
        logits = SHARPNESS * (unit @ target.T) + factor * (sides[source] @ rests[anchor].T)
        also = paired.together(source, anchor)
        np.fill_diagonal(also, False)
        logits[also] = NOT_WRONG
        error = (_softmax(logits) + _softmax(logits.T).T) / 2
        error[np.diag_indices(len(pairs))] -= 1
        pull = (error * np.float32(SHARPNESS / len(pairs))) @ target
        turn = (pull - unit * (unit * pull).sum(1, keepdims=True)) / length
        matrix.step(seen.T @ turn, _rate(step, total))
        tick()
    near = paired.native[_some(sources, chance)]
    low, high = _gate(near)
    return Residual(mean.astype(np.float32), matrix.value, near, low, high, 1.0, absent)


def steps(count: int, passes: int | None) -> int:
    """How many batches `fit` runs over so many pairs."""
    a_pass = max(1, count // BATCH)
    return a_pass * passes if passes else int(np.clip(a_pass * PASSES, LEAST_STEPS, MOST_STEPS))


def _batches(rows: Rows, passes: int | None, chance: np.random.Generator) -> Iterator[tuple[int, int, Rows]]:
    """(step, number of steps, rows of the pairs), each pass in a new order."""
    total = steps(len(rows), passes)
    done = 0
    while True:
        for batch in np.array_split(chance.permutation(rows), max(1, len(rows) // BATCH)):
            if done == total:
                return
            yield done, total, batch
            done += 1


def _anchors(paired: Paired) -> tuple[Vectors, Array, Vectors]:
    """Their content (A, c), its length (A, 1), and the dimensions that are none (A, extra)."""
    size = paired.space.dim - paired.space.extra
    content = paired.anchors[:, :size]
    return normalise(content), np.linalg.norm(content, axis=1, keepdims=True), paired.anchors[:, size:]


def _softmax(logits: Array) -> Array:
    """Row by row."""
    chances: Array = np.exp(logits - logits.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    return chances


def _rate(step: int, total: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    return float(RATE * min(1.0, (step + 1) / (0.1 * total + 1)) * 0.5 * (1 + np.cos(np.pi * step / total)))


def _some(sources: Rows, chance: np.random.Generator) -> Rows:
    return sources if len(sources) <= PROTOTYPES else np.sort(chance.choice(sources, PROTOTYPES, replace=False))


def _gate(near: Vectors) -> tuple[float, float]:
    """Where the gate closes and opens, from how near each source is to the others."""
    cosines = near @ near.T
    np.fill_diagonal(cosines, -1)
    closed, opened = np.percentile(nearness(cosines), [CLOSED, OPEN])
    return float(min(closed, opened - SLANT)), float(opened)
