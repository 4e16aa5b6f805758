"""Builds the enrichers by their names."""

from __future__ import annotations

from typing import Final

from embeddings.catalog import Catalog
from embeddings.encoder import VOICE
from embeddings.errors import ModelMissing
from embeddings.profile import Profile
from indexer.enrichers.base import Enricher
from retrieval.store import Store

RECOGNISED: Final = 0.97
"""Probability from which a voice is one that the collection knows. Across recordings of LibriSpeech one speaker's mean
voices are above it, and strangers' below unless there is noise; two names for one voice are merged more easily than told apart."""


def build_enricher(name: str, profile: Profile, catalog: Catalog, store: Store, threads: int) -> Enricher:
    """`transcript`, `speakers`, `objects` or `ocr`. Raises ModelMissing where its model is absent."""
    if name == "transcript":
        from indexer.enrichers.transcript import TranscriptEnricher

        if profile.transcriber is None:
            raise ModelMissing("no speech recogniser is installed", catalog.card("whisper-tiny.en").install)
        return TranscriptEnricher(profile.transcriber, profile.text)
    if name == "speakers":
        from indexer.enrichers.speakers import SpeakersEnricher
        from retrieval.identities import known_voice

        if profile.voice is None:
            raise ModelMissing(f"the profile {profile.name} tells no voices apart", "use the profile builtin")
        least = profile.backgrounds[VOICE, "voice", "voice"].similarity(RECOGNISED)
        return SpeakersEnricher(profile.voice, known_voice(store, least), profile.detector)
    if name == "objects":
        from embeddings.objects import ObjectDetector
        from indexer.enrichers.objects import ObjectsEnricher
        from indexer.tracks import Tracker

        return ObjectsEnricher(ObjectDetector(catalog.resolve("yolox-nano"), threads), Tracker())
    from indexer.enrichers.ocr import OcrEnricher, RapidReader

    return OcrEnricher(RapidReader(threads), profile.text)
