"""The pass `speakers`: one moment for each turn, searchable by voice, and the speaker's name on sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.cards import VAD
from crossmedia.embeddings.encoder import VOICE, Encoder, Vector, normalise
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Medium, Waveform
from crossmedia.embeddings.vad import VoiceDetector
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.diarise import REVISION, Turn, diarise
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch, moment_id

SPEAKERS: Final[Mapping[str, int]] = {"speech": 1, "passage": 2}
"""Kinds of moments that are told who speaks in them, and how many at most."""
MIN_SPEAKER_SHARE: Final = 0.25
"""Of the time spoken in a passage, from which a second speaker is named."""

MIN_VOICE_PROBABILITY: Final = 0.97
"""Probability from which a voice is one that the collection knows. Across recordings of LibriSpeech one speaker's mean
voices are above it, and strangers' below unless there is noise; two names for one voice are merged more easily than
told apart."""


class SpeakersEnricher:
    """Moments of kind `turn` with the vector `voice` and the label `speaker`, which sentences and passages get too.

    A speaker whom the collection does not know is called `voice`, the beginning of the asset's id, and a number.
    """

    name = "speakers"
    accepts: tuple[Medium, ...] = ("audio", "video")
    after: tuple[str, ...] = ("transcript",)
    """Enrichers whose moments it labels: it runs again when they have."""
    hears = True
    recognises = True

    def __init__(
        self, voice: Encoder[Waveform], known: Callable[[Vector], str | None], detector: VoiceDetector
    ) -> None:
        """`known`: a speaker's mean vector → the name of that voice in the collection. `detector`: where somebody
        speaks."""
        self._voice = voice
        self._known = known
        self._detector = detector
        self.model = f"{voice.model}+{VAD.id}@{VAD.revision}+turns@{REVISION}"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        waveform = sound_track(decoded)
        turns = diarise(waveform, list(self._detector(waveform)), self._voice) if waveform else []
        names = self._names(asset, turns)
        spoken = [
            Moment(
                id=moment_id(asset.id, "turn", number),
                asset=asset.id,
                kind="turn",
                start=turn.start,
                end=turn.end,
                vectors={"voice": turn.vector},
                labels=(self._label(names[turn.speaker], turn.score, turn.start, turn.end),),
            )
            for number, turn in enumerate(turns)
        ]
        patches = [patch for moment in moments if (patch := self._patch(moment, turns, names))]
        return Enrichment(
            asset.id, self.name, self.model, moments=tuple(spoken), patches=tuple(patches), spaces=self._voice.spaces
        )

    def _names(self, asset: Asset, turns: Sequence[Turn]) -> list[str]:
        """By speaker."""
        known = [self._known(centroid) for centroid in _centroids(turns)]
        number, names = 0, []
        for name in known:
            while name is None:
                number += 1
                fresh = f"voice {asset.id[:4]}-{number}"
                # An earlier pass over this asset may have given the name to another of its speakers.
                name = None if fresh in known else fresh
            names.append(name)
        return names

    def _patch(self, moment: Moment, turns: Sequence[Turn], names: Sequence[str]) -> Patch | None:
        """The label of whoever speaks most of a sentence; of a passage, of the second too, who has a good share of
        it."""
        if moment.kind not in SPEAKERS or moment.start is None or moment.end is None:
            return None
        shared: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for turn in turns:
            start, end = max(turn.start, moment.start), min(turn.end, moment.end)
            if end > start:
                shared[names[turn.speaker]].append((start, end, turn.score))
        seconds = {name: sum(end - start for start, end, _ in parts) for name, parts in shared.items()}
        ranked = sorted(seconds, key=lambda name: -seconds[name])[: SPEAKERS[moment.kind]]
        enough = [
            name for name in ranked if name == ranked[0] or seconds[name] >= MIN_SPEAKER_SHARE * sum(seconds.values())
        ]
        labels = [
            self._label(
                name,
                sum((end - start) * score for start, end, score in shared[name]) / seconds[name],
                shared[name][0][0],
                shared[name][-1][1],
            )
            for name in enough
        ]
        return Patch(moment.id, labels=tuple(labels)) if labels else None

    def _label(self, name: str, score: float, start: float, end: float) -> Label:
        return Label(label_kinds.SPEAKER.name, name, score, self.model, start=start, end=end)


def _centroids(turns: Sequence[Turn]) -> Iterator[Vector]:
    """Of each speaker the mean of the turns, the longer ones counting more."""
    for speaker in range(1 + max((turn.speaker for turn in turns), default=-1)):
        own = [turn for turn in turns if turn.speaker == speaker]
        yield normalise(np.sum([(turn.end - turn.start) * turn.vector for turn in own], axis=0))


def _build(context: PassContext) -> SpeakersEnricher:
    profile = context.profile
    if profile.voice is None:
        raise ModelMissing(f"the profile {profile.name} has no speaker recognition", "use the profile builtin")
    from crossmedia.retrieval.identities import known_voice

    least = profile.calibrations[VOICE, "voice", "voice"].similarity(MIN_VOICE_PROBABILITY)
    return SpeakersEnricher(profile.voice, known_voice(context.store, least), profile.detector)


PASS: Final = PassSpec(
    name=SpeakersEnricher.name,
    summary="who speaks when, with known speakers recognised",
    labels=(label_kinds.SPEAKER,),
    spaces=(VOICE,),
    after=SpeakersEnricher.after,
    build=_build,
)
