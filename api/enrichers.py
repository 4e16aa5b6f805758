"""Builds the enrichers by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from embeddings.encoder import VOICE
from embeddings.errors import CrossmediaError, ModelMissing
from indexer.enrichers.base import Enricher

if TYPE_CHECKING:
    from api.service import Service

RECOGNISED: Final = 0.97
"""Probability from which a voice is one that the collection knows. Across recordings of LibriSpeech one speaker's mean
voices are above it, and strangers' below unless there is noise; two names for one voice are merged more easily than told apart."""


def build_enricher(name: str, service: Service) -> Enricher:
    """One of `api.service.ENRICHERS`. Raises ModelMissing where its model is absent."""
    # Those two look at files that are in no collection too, and make none.
    if name == "forgery":
        from embeddings.faces import FaceDetector
        from embeddings.forgery import ForgeryDetector
        from indexer.enrichers.forgery import ForgeryEnricher
        from indexer.tracks import Tracker

        faces = FaceDetector(service.catalog.resolve("yunet"), service.settings.threads)
        return ForgeryEnricher(
            faces, ForgeryDetector(service.catalog.resolve("mesoinception-4"), service.settings.threads), Tracker()
        )
    if name == "spoof":
        from embeddings.spoof import SpoofDetector
        from indexer.enrichers.spoof import SpoofEnricher

        return SpoofEnricher(
            SpoofDetector(service.catalog.resolve("aasist-l"), service.settings.threads), service.base.detector
        )
    profile, catalog, store, threads = service.profile, service.catalog, service.store, service.settings.threads
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
    if name in ("hashes", "trust"):
        from indexer.enrich import whereabouts
        from indexer.enrichers.hashes import HashesEnricher
        from indexer.enrichers.trust import TrustEnricher

        def place(asset: str) -> Path | None:
            source = whereabouts(store, asset)
            return Path(source.location) if source else None

        return (
            HashesEnricher(service.banks.hashers, place)
            if name == "hashes"
            else TrustEnricher(service.trust.reader, place)
        )
    if name == "objects":
        from embeddings.objects import ObjectDetector
        from indexer.enrichers.objects import ObjectsEnricher
        from indexer.tracks import Tracker

        return ObjectsEnricher(ObjectDetector(catalog.resolve("yolox-nano"), threads), Tracker())
    from indexer.enrichers.ocr import OcrEnricher, RapidReader

    return OcrEnricher(RapidReader(threads), profile.text)


def runnable(names: Sequence[str], build: Callable[[str], Enricher]) -> tuple[list[Enricher], list[str]]:
    """The enrichers that can run, and a line for each that cannot, or not wholly, with the command that mends it."""
    built: list[Enricher] = []
    absent: list[str] = []
    for name in names:
        try:
            built.append(build(name))
        except CrossmediaError as error:
            absent.append(f"{name} is left out: {error.message}; {error.hint}")
        else:
            absent += _lacking(built[-1])
    return built, absent


def _lacking(enricher: Enricher) -> list[str]:
    from indexer.enrichers.hashes import HashesEnricher
    from indexer.enrichers.trust import TrustEnricher

    missing = enricher.missing if isinstance(enricher, HashesEnricher | TrustEnricher) else ()
    told = ", ".join(error.message for error in missing)
    return (
        [f"{enricher.name} is not whole: {told}; {'; '.join({error.hint: None for error in missing})}"] if told else []
    )
