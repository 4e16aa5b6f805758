"""Measure on held-out pairs how well each side finds the other: ranks with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.alignment.paired import Paired, Rows
from crossmedia.embeddings.encoder import Calibration, Vectors

DEPTHS: Final = (1, 5, 10)
RESAMPLES: Final = 1000
STRICT: Final = 98.0
"""Percentile of unrelated pairs that a similarity must pass to count as an answer."""

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Of each held-out pair: where its source stands for its anchor, from 0; ties count half. `owners`: the sources.

    What is paired with the same anchor too is neither right nor wrong and left out of the ranking.
    """

    forward: Values
    backward: Values
    owners: Rows
    among: int
    anchors: int

    def figures(self) -> dict[str, Any]:
        return {
            "anchor_to_source": {"among": self.among, **_figures(self.forward, self.owners)},
            "source_to_anchor": {"among": self.anchors, **_figures(self.backward, self.owners)},
        }

    @property
    def quality(self) -> float:
        """MRR of both directions."""
        return float((1 / (self.forward + 1)).mean() + (1 / (self.backward + 1)).mean()) / 2

    @property
    def reciprocal(self) -> Values:
        """Of the sources' ranks for their anchors; its mean is MRR."""
        reciprocals: Values = 1 / (self.forward + 1)
        return reciprocals


def ranks(paired: Paired, vectors: Vectors, held_out: Rows) -> Ranks:
    """`vectors` (S, dim) of all sources; those in `held_out` are ranked among each other."""
    rows = paired.of(held_out)
    anchors = np.unique(paired.pairs[rows, 1])
    scores = vectors[held_out] @ paired.anchors[anchors].T
    source = np.searchsorted(held_out, paired.pairs[rows, 0])
    anchor = np.searchsorted(anchors, paired.pairs[rows, 1])
    right = paired.together(held_out, anchors)
    own = scores[source, anchor]
    return Ranks(
        _places(scores.T[anchor], right.T[anchor], own),
        _places(scores[source], right[source], own),
        source,
        len(held_out),
        len(anchors),
    )


def interval(values: Values, owners: Rows, seed: int = 0) -> tuple[float, float]:
    """95 % of the means of samples of the sources, drawn with replacement (percentile bootstrap, Efron 1979)."""
    count = int(owners.max()) + 1 if len(owners) else 0
    if not count:
        return 0.0, 0.0
    sums, sizes = np.bincount(owners, values, count), np.bincount(owners, minlength=count)
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    means = sums[drawn].sum(1) / np.maximum(1, sizes[drawn].sum(1))
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def similarities(paired: Paired, vectors: Vectors, held_out: Rows) -> tuple[Values, Values]:
    """Inner products of held-out pairs, and of held-out sources with the other anchors of the part."""
    anchors = np.unique(paired.pairs[paired.of(held_out), 1])
    scores = (vectors[held_out] @ paired.anchors[anchors].T).astype(np.float64)
    right = paired.together(held_out, anchors)
    return scores[right], scores[~right]


def calibration(related: Values, unrelated: Values) -> Calibration:
    """Both kinds taken as normal with one spread: their log-odds are then a line. The cut-off is not under the
    similarity that 98 % of the unrelated stay below."""
    mean, spread = float(unrelated.mean()), float(unrelated.std())
    pooled = max(1e-6, (float(related.var()) + float(unrelated.var())) / 2)
    slope = max(1.0, (float(related.mean()) - mean) / pooled)
    bias = max((float(related.mean()) + mean) / 2, float(np.percentile(unrelated, STRICT)))
    return Calibration(mean, spread, bias, slope)


def _places(scores: NDArray[np.float32], right: NDArray[np.bool_], own: NDArray[np.float32]) -> Values:
    wrong = ~right
    ahead = ((scores > own[:, None]) & wrong).sum(1) + ((scores == own[:, None]) & wrong).sum(1) / 2
    return np.asarray(ahead, np.float64)


def _figures(places: Values, owners: Rows) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for depth in DEPTHS:
        hit = (places < depth).astype(np.float64)
        figures[f"recall@{depth}"] = float(hit.mean())
        figures[f"recall@{depth} interval"] = interval(hit, owners)
    figures["mrr"] = float((1 / (places + 1)).mean())
    figures["median rank"] = float(np.median(places)) + 1
    return figures
