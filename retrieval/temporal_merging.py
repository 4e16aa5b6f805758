"""What lies together in time is one hit: the words at 0:42 and the picture at 0:44 answer the same query once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from crossmedia.retrieval.documents import Kind
from crossmedia.retrieval.fusion import RANK_OFFSET, Fused
from crossmedia.retrieval.query import Evidence

NEAR: Final = 2.5
"""Seconds between what is said and what is seen that still lie together."""
WEAK: Final = 0.5
"""Of the relevance of what stands for a hit, below which further evidence does not stretch it."""
MAX_MERGED_SECONDS: Final = 90.0
"""No hit grows longer than this by what joins it, s."""
SENSE: Final[Mapping[Kind, str]] = {
    "shot": "seen",
    "frame": "seen",
    "speech": "said",
    "passage": "said",
    "turn": "spoken",
    "sound": "heard",
}
"""Moments with a time, by what they are found through. Those of one sense tell of the same stretch more or less
closely."""


@dataclass(frozen=True)
class Span:
    """Where a moment lies: its asset, kind, and times in seconds."""

    asset: str
    kind: Kind
    start: float
    end: float


@dataclass
class _Hit:
    """The moment that stands for it, and what each sense has of it."""

    best: Fused
    start: float
    end: float
    by_sense: dict[str, Span]
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)

    def takes(self, span: Span) -> bool:
        sense = SENSE[span.kind]
        if sense in self.by_sense:
            # A key frame of the shot, a sentence of the passage; another shot is another answer.
            own = self.by_sense[sense]
            return own == span or (own.kind != span.kind and span.start < own.end and own.start < span.end)
        gap = max(span.start, self.start) - min(span.end, self.end)
        # A sound is where it is heard: what is seen or said after it is another moment.
        near = 0.0 if "heard" in (sense, *self.by_sense) else NEAR
        return gap <= near and max(span.end, self.end) - min(span.start, self.start) <= MAX_MERGED_SECONDS

    def add(self, fused: Fused, span: Span) -> None:
        sense = SENSE[span.kind]
        if sense not in self.by_sense:
            self.by_sense[sense] = span
        if self.by_sense[sense] is span and fused.relevance >= WEAK * self.best.relevance:
            self.start, self.end = min(self.start, span.start), max(self.end, span.end)
        for evidence in fused.evidence:
            key = (evidence.leg, sense)
            if key not in self.evidence or evidence.relevance > self.evidence[key].relevance:
                self.evidence[key] = evidence

    def fused(self) -> Fused:
        evidence = tuple(sorted(self.evidence.values(), key=lambda e: (-e.relevance, e.rank)))
        return replace(
            self.best,
            score=sum(e.relevance / (RANK_OFFSET + e.rank) for e in evidence),
            relevance=evidence[0].relevance,
            evidence=evidence,
            span=(self.start, self.end),
        )


def joined(ranked: Sequence[Fused], spans: Mapping[str, Span]) -> list[Fused]:
    """Moments of one asset that lie within `NEAR` seconds and are found through different senses become one, best
    first.

    The best ranked stands for it; its span covers one moment of each sense, its evidence is the best of each leg and
    sense, and its score that of its evidence (`fusion.fuse`). A key frame or a passage that answers beside its shot or
    its sentence joins it without stretching it; key frames that answer beside their shot are one moment, from the first
    of them to the last. What has no span stays as it is.
    """
    spans = _frames_together({fused.moment: spans[fused.moment] for fused in ranked if fused.moment in spans})
    hits: list[_Hit | Fused] = []
    of_asset: dict[str, list[_Hit]] = {}
    for fused in ranked:
        span = spans.get(fused.moment)
        if span is None:
            hits.append(fused)
            continue
        beside = of_asset.setdefault(span.asset, [])
        hit = next((hit for hit in beside if hit.takes(span)), None)
        if hit is None:
            hit = _Hit(fused, span.start, span.end, {})
            hits.append(hit)
            beside.append(hit)
        hit.add(fused, span)
    found = [hit if isinstance(hit, Fused) else hit.fused() for hit in hits]
    return sorted(found, key=lambda f: -f.score)


def _frames_together(spans: Mapping[str, Span]) -> dict[str, Span]:
    """The key frames of each shot among them all with one span."""
    shots: dict[str, list[Span]] = {}
    for span in spans.values():
        if span.kind == "shot":
            shots.setdefault(span.asset, []).append(span)
    owners: dict[str, Span] = {}
    for moment, span in spans.items():
        if span.kind == "frame":
            middle = (span.start + span.end) / 2
            owner = next((shot for shot in shots.get(span.asset, ()) if shot.start <= middle < shot.end), None)
            if owner is not None:
                owners[moment] = owner
    together: dict[Span, Span] = {}
    for moment, owner in owners.items():
        own, so_far = spans[moment], together.get(owner, spans[moment])
        together[owner] = replace(own, start=min(own.start, so_far.start), end=max(own.end, so_far.end))
    return {moment: together[owners[moment]] if moment in owners else span for moment, span in spans.items()}
