"""The pass `sounds`: labels `sound:siren`, … on the events of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.media import Medium, Waveform
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.SOUND.name
MIN_SOUND_PROBABILITY: Final = 0.2
"""Probability from which a class is reported: of ESC-10's clips three in four have one of theirs at it
(`bundled/tagger.md`)."""
MAX_CLASSES: Final = 4
"""Classes of one event."""
UNREPORTED_CLASSES: Final = frozenset(
    ("silence", "inside, small room", "inside, large room or hall", "sound effect", "noise")
)
"""Of the room or of the recording, and not of what sounds."""


class Listens(Protocol):
    """What tells kinds of sound."""

    model: str

    def best(self, sound: Waveform, least: float, most: int) -> list[tuple[str, float]]: ...


class SoundsEnricher:
    """Labels on the moments of kind `sound`; what the first pass called one already is not told twice."""

    name = "sounds"
    accepts: tuple[Medium, ...] = ("audio", "video")
    after: tuple[str, ...] = ()
    hears = True

    def __init__(self, tagger: Listens) -> None:
        self._tagger = tagger
        self.model = f"{tagger.model}+sounds@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        waveform = sound_track(decoded)
        patches = []
        for moment in moments if waveform is not None else ():
            if moment.kind != "sound" or moment.start is None or moment.end is None or waveform is None:
                continue
            known = {label.value for label in moment.labels if label.kind == KIND}
            heard = self._tagger.best(
                waveform.cut(moment.start, moment.end), MIN_SOUND_PROBABILITY, MAX_CLASSES + len(UNREPORTED_CLASSES)
            )
            new = [(value, score) for value, score in heard if value not in known and value not in UNREPORTED_CLASSES][
                :MAX_CLASSES
            ]
            if new:
                labels = (
                    Label(KIND, v, round(s, 4), self._tagger.model, None, moment.start, moment.end) for v, s in new
                )
                patches.append(Patch(moment.id, labels=tuple(labels)))
            progress(moment.end)
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _build(context: PassContext) -> SoundsEnricher:
    from crossmedia.embeddings.tagger import Tagger

    return SoundsEnricher(Tagger(context.catalog.resolve(cards.TAGGER.id), context.threads))


PASS: Final = PassSpec(
    name=SoundsEnricher.name,
    summary="what is heard: sirens, barking, rain",
    labels=(label_kinds.SOUND,),
    models=(cards.TAGGER.id,),
    build=_build,
)
