"""The pass `transcript`: a moment for each sentence and each two in a row, searchable by words and by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.cards import WHISPER
from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.profile import Transcriber, Utterance
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.segment import runs
from crossmedia.retrieval.documents import Asset, Enrichment, Kind, Label, Moment, moment_id

_BATCH: Final = 64


class TranscriptEnricher:
    """Moments of kind `speech` and `passage`, with times, words and the vectors of the text encoder; each says its
    language.

    What is said across the border of two sentences is found in the passage of both. No speech, no moments.
    """

    name = "transcript"
    accepts: tuple[Medium, ...] = ("audio", "video")
    after: tuple[str, ...] = ()
    hears = True

    def __init__(self, transcriber: Transcriber, text: Encoder[str]) -> None:
        self._transcriber = transcriber
        self._text = text
        self.model = f"{transcriber.model}+{text.model}+passages@2"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        waveform = sound_track(decoded)
        utterances = self._transcriber.transcribe(waveform, progress) if waveform else []
        spoken = [self._moment(asset, "speech", number, [utterance]) for number, utterance in enumerate(utterances)]
        together = [
            self._moment(asset, "passage", number, utterances[first : last + 1])
            for number, (first, last) in enumerate(runs([(u.start, u.end, len(u.words)) for u in utterances]))
        ]
        return Enrichment(
            asset.id,
            self.name,
            self.model,
            moments=tuple(self._encoded([*spoken, *together])),
            spaces=self._text.spaces,
        )

    def _moment(self, asset: Asset, kind: Kind, number: int, said: Sequence[Utterance]) -> Moment:
        return Moment(
            id=moment_id(asset.id, kind, number),
            asset=asset.id,
            kind=kind,
            start=said[0].start,
            end=said[-1].end,
            fields={"transcript": " ".join(utterance.text for utterance in said)},
            labels=(Label(label_kinds.LANGUAGE.name, said[0].language, said[0].sureness, self._transcriber.model),),
            words=tuple(word for utterance in said for word in utterance.words),
        )

    def _encoded(self, moments: Sequence[Moment]) -> list[Moment]:
        encoded: list[Moment] = []
        for first in range(0, len(moments), _BATCH):
            batch = moments[first : first + _BATCH]
            vectors = self._text.encode([moment.fields["transcript"] for moment in batch]).vectors
            encoded += [
                replace(moment, vectors={space: rows[row] for space, rows in vectors.items()})
                for row, moment in enumerate(batch)
            ]
        return encoded


def _build(context: PassContext) -> TranscriptEnricher:
    profile = context.profile
    if profile.transcriber is None:
        raise ModelMissing("no speech recogniser is installed", context.catalog.card(WHISPER.id).install)
    return TranscriptEnricher(profile.transcriber, profile.text)


PASS: Final = PassSpec(
    name=TranscriptEnricher.name,
    summary="what is said, with the times of the words",
    labels=(label_kinds.LANGUAGE,),
    spaces=(COMMON, "text"),
    build=_build,
)
