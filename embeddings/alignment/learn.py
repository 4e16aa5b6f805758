"""Train a head: choose its strength, measure it on held-out pairs, then learn it from all pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.align import Residual
from crossmedia.embeddings.alignment import measure
from crossmedia.embeddings.alignment.fit import fit, steps
from crossmedia.embeddings.alignment.paired import Paired, Rows, parts
from crossmedia.embeddings.encoder import Calibration, Vectors
from crossmedia.embeddings.errors import CrossmediaError

MIN_SOURCES, MIN_ANCHORS = 10, 2
MIN_HELD_OUT: Final = 100
"""So many held-out sources make one division enough; with fewer, each source is held out once."""
STRENGTHS: Final = (0.25, 0.5, 0.75, 1.0)
MIN_SHARE, MAX_LIFT = 1e-3, 0.3
INNER: Final = 0.2
"""Share of what is learned from that is held out once more, to choose among the strengths."""


class TooFewPairs(CrossmediaError):
    """Nothing can be learned from so little, or nothing can be said of what was learned."""

    code = "too_few_pairs"
    status = 422


@dataclass(frozen=True, eq=False)
class Learnt:
    """`residual`: learned from all pairs, as strong as on average over the divisions. `figures`: JSON-ready, of
    heads that had not seen what they are measured on. `better`: whether that is more than chance."""

    residual: Residual
    calibration: Calibration
    figures: dict[str, Any]
    better: bool


def work(paired: Paired, held_out: float, passes: int | None) -> int:
    """How many ticks `learn` will give."""
    total = 0
    for learned, _ in parts(len(paired.native), held_out, MIN_HELD_OUT, 0):
        total += _steps(paired, learned, passes)
    return total + steps(len(paired.pairs), passes)


def learn(
    paired: Paired,
    *,
    held_out: float = 0.2,
    passes: int | None = None,
    seed: int = 0,
    known: Calibration | None = None,
    liftable: bool = True,
    tick: Callable[[], None] = lambda: None,
) -> Learnt:
    """Measure on `held_out` of the sources, then learn from all.

    `known`: what similarities mean so far, for the cut-off. `liftable`: the dimensions of the sources that are no
    content hold an offset. Raises TooFewPairs.
    """
    count = len(paired.native)
    if count < MIN_SOURCES or len(paired.anchors) < MIN_ANCHORS:
        raise TooFewPairs(
            f"{count} different files or texts to map and {len(paired.anchors)} on the other side are too few to "
            "learn from",
            f"give at least {MIN_SOURCES}, with {MIN_ANCHORS} different ones on the other side; some dozens are better",
        )
    strengths: list[float] = []
    aside: list[Rows] = []
    start = _base(paired, np.arange(len(paired.pairs))).copy()
    contents = np.zeros((count, paired.space.dim - paired.space.extra), np.float32)
    opened = np.zeros(count, np.float32)
    familiar: list[bool] = []
    for learned, kept in parts(count, held_out, MIN_HELD_OUT, seed):
        residual = _fitted(paired, learned, passes, seed, tick)
        strengths.append(residual.strength)
        start[kept] = _base(paired, paired.of(learned))[kept]
        contents[kept] = residual.contents(paired.native, paired.content())[kept]
        opened[kept] = residual.gate(paired.native)[kept]
        familiar += np.isin(paired.pairs[paired.of(kept), 1], paired.pairs[paired.of(learned), 1]).tolist()
        aside.append(kept)
    kept = np.sort(np.concatenate(aside))
    moved = paired.placed(contents)
    lift = 0.0
    if known is not None and paired.common is not None and liftable:
        lift = _lift(known, measure.similarities(paired, start, kept)[1], measure.similarities(paired, moved, kept)[1])
        moved = paired.placed(contents, lift * opened)
    before, after = (measure.ranks(paired, vectors, kept) for vectors in (start, moved))
    gain = after.reciprocal - before.reciprocal
    low, high = measure.interval(gain, after.owners, seed)
    related, unrelated = measure.similarities(paired, moved, kept)
    calibration = measure.calibration(related, unrelated)
    strength = float(np.mean(strengths))
    residual = replace(fit(paired, np.arange(len(paired.pairs)), seed, passes, tick), strength=strength, lift=lift)
    cosines = (start[kept] * moved[kept]).sum(1)
    figures: dict[str, Any] = {
        "pairs": len(paired.pairs),
        "sources": count,
        "anchors": len(paired.anchors),
        "divisions": len(aside),
        "held_out": len(kept),
        "held_out_pairs": len(familiar),
        "held_out_pairs_of_new_anchors": familiar.count(False),
        "before": before.figures(),
        "after": after.figures(),
        "mrr_gain": {"mean": float(gain.mean()), "interval": (low, high)},
        "strength": strength,
        "lift": lift,
        "cosine_before_after": {"mean": float(cosines.mean()), "least": float(cosines.min())}
        if paired.common is not None
        else None,
        "passing": _passing(paired, start, moved, kept, known if paired.common is not None and known else calibration),
    }
    return Learnt(residual, calibration, figures, low > 0)


def _fitted(paired: Paired, sources: Rows, passes: int | None, seed: int, tick: Callable[[], None]) -> Residual:
    """Learned from these sources; as strong as does best on parts of them that are held out once more."""
    strength = STRENGTHS[-1]
    if paired.common is not None:
        placed = {candidate: paired.common.copy() for candidate in STRENGTHS}
        aside = []
        for inner, kept in parts(len(sources), INNER, MIN_HELD_OUT, seed + 1):
            trial = fit(paired, paired.of(sources[inner]), seed, passes, tick)
            for candidate in STRENGTHS:
                placed[candidate][sources[kept]] = _vectors(paired, replace(trial, strength=candidate))[sources[kept]]
            aside.append(sources[kept])
        kept = np.sort(np.concatenate(aside))
        qualities = {candidate: measure.ranks(paired, vectors, kept).quality for candidate, vectors in placed.items()}
        strength = max(STRENGTHS, key=lambda candidate: (qualities[candidate], candidate))
    return replace(fit(paired, paired.of(sources), seed, passes, tick), strength=strength)


def _steps(paired: Paired, sources: Rows, passes: int | None) -> int:
    total = steps(len(paired.of(sources)), passes)
    if paired.common is not None:
        for inner, _ in parts(len(sources), INNER, MIN_HELD_OUT, 1):
            total += steps(len(paired.of(sources[inner])), passes)
    return total


def _lift(known: Calibration, before: measure.Values, after: measure.Values) -> float:
    """How much less to take off, so that after is as often over the cut-off as before; both of unrelated pairs."""
    share = max(MIN_SHARE, float((before >= known.bias).mean()))
    level = float(np.quantile(after, 1 - share))
    # Inner products are half of what the content gives and the offset takes.
    return float(np.clip(2 * (known.bias - level), -MAX_LIFT, MAX_LIFT))


def _vectors(paired: Paired, residual: Residual) -> Vectors:
    return paired.placed(residual.contents(paired.native, paired.content()))


def _base(paired: Paired, rows: Rows) -> Vectors:
    """Where the sources lie without a head: of an encoder without common vectors, all in one place."""
    if paired.common is not None:
        return paired.common
    content = paired.anchors[:, : paired.space.dim - paired.space.extra]
    away = -content[paired.pairs[rows, 1]].mean(0, keepdims=True)
    return paired.placed(np.tile(away / max(float(np.linalg.norm(away)), 1e-6), (len(paired.native), 1)))


def _passing(paired: Paired, start: Vectors, moved: Vectors, kept: Rows, known: Calibration) -> dict[str, float]:
    """Shares of pairs, and of sources with anchors that are not theirs, whose similarity passes the cut-off."""
    shares: dict[str, float] = {}
    for name, vectors in (("before", start), ("after", moved)):
        related, unrelated = measure.similarities(paired, vectors, kept)
        shares[f"pairs {name}"] = float((related >= known.bias).mean())
        shares[f"others {name}"] = float((unrelated >= known.bias).mean())
    return shares
