"""The pass `spoof`: scores `spoof:speech` of how synthetic a turn, or speech without turns, sounds.

Indications, never verdicts: see `embeddings/indications.py`. This pass runs only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.media import Medium, Waveform
from crossmedia.embeddings.spoof import SpoofDetector
from crossmedia.embeddings.vad import VoiceDetector
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import ADDED, Asset, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.SPOOF.name
SPEECH: Final = "speech"
MAX_PAUSE_SECONDS: Final = 0.5
"""Pauses up to which what is spoken is one stretch, s, as within a turn."""
MAX_STRETCH_SECONDS: Final = 30.0
"""Of a stretch, s: somebody else may speak by then."""


class SpoofEnricher:
    """One label a turn. Stretches of speech that are of no turn are labelled on the asset's first moment."""

    name = "spoof"
    accepts: tuple[Medium, ...] = ("audio", "video")
    after: tuple[str, ...] = ("speakers",)
    hears = True

    def __init__(self, detector: SpoofDetector, voiced: VoiceDetector) -> None:
        """`voiced`: where somebody speaks."""
        self._detector = detector
        self._voiced = voiced
        self.model = f"{detector.model}+spoof@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        waveform = sound_track(decoded)
        turns = [moment for moment in moments if moment.kind == "turn" and moment.start is not None and moment.end]
        own = [moment for moment in moments if moment.kind not in ADDED]
        patches: list[Patch] = []
        if waveform is not None and turns:
            for turn in turns:
                label = self._label(waveform, turn.start or 0.0, turn.end or 0.0)
                patches += [Patch(turn.id, labels=(label,))] if label else []
                progress(turn.end or 0.0)
        elif waveform is not None and own:
            labels = self.labels(waveform, progress)
            patches += [Patch(own[0].id, labels=tuple(labels))] if labels else []
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))

    def labels(self, waveform: Waveform, progress: Progress = ignore_progress) -> list[Label]:
        """One a stretch of speech that is long enough, whoever speaks."""
        labels = []
        for start, end in stretches(self._voiced(waveform)):
            label = self._label(waveform, start, end)
            labels += [label] if label else []
            progress(end)
        return labels

    def _label(self, waveform: Waveform, start: float, end: float) -> Label | None:
        score = self._detector.score_of(waveform, start, end)
        return None if score is None else Label(KIND, SPEECH, score, self.model, start=start, end=end)


def stretches(voiced: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Joined over short pauses, and divided where they are long.

    >>> list(stretches([(0.0, 2.0), (2.4, 5.0), (7.0, 40.0)]))
    [(0.0, 5.0), (7.0, 37.0), (37.0, 40.0)]
    """
    joined: list[list[float]] = []
    for start, end in voiced:
        if joined and start - joined[-1][1] <= MAX_PAUSE_SECONDS:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    for start, end in joined:
        while end - start > MAX_STRETCH_SECONDS:
            yield start, start + MAX_STRETCH_SECONDS
            start += MAX_STRETCH_SECONDS
        yield start, end


def _build(context: PassContext) -> SpoofEnricher:
    return SpoofEnricher(SpoofDetector(context.catalog.resolve(cards.SPOOF.id), context.threads), context.voiced)


PASS: Final = PassSpec(
    name=SpoofEnricher.name,
    summary="how synthetic speech sounds: an indication, never a verdict",
    labels=(label_kinds.SPOOF,),
    models=(cards.SPOOF.id,),
    after=SpoofEnricher.after,
    default="off",
    switch="indications",
    build=_build,
)
