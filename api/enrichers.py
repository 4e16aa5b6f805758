"""Builds the enrichers by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from embeddings.catalog import Catalog
from embeddings.encoder import VOICE
from embeddings.errors import CrossmediaError, ModelMissing
from embeddings.profile import Profile
from indexer.enrichers.base import Enricher
from retrieval.store import Store

if TYPE_CHECKING:
    from indexer.hashes.hashers import Hashers
    from indexer.scene_text import Engine

RECOGNISED: Final = 0.97
"""Probability from which a voice is one that the collection knows. Across recordings of LibriSpeech one speaker's mean
voices are above it, and strangers' below unless there is noise; two names for one voice are merged more easily than told apart."""


def build_enricher(
    name: str, profile: Profile, catalog: Catalog, store: Store, threads: int, hashers: Callable[[], Hashers]
) -> Enricher:
    """`transcript`, `speakers`, `objects`, `ocr`, `plates` or `hashes`. Raises ModelMissing where its model is absent."""
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
    if name == "hashes":
        from indexer.enrich import whereabouts
        from indexer.enrichers.hashes import HashesEnricher

        def place(asset: str) -> Path | None:
            source = whereabouts(store, asset)
            return Path(source.location) if source else None

        return HashesEnricher(hashers(), place)
    if name == "objects":
        from embeddings.objects import ObjectDetector
        from indexer.enrichers.objects import ObjectsEnricher
        from indexer.tracks import Tracker

        return ObjectsEnricher(ObjectDetector(catalog.resolve("yolox-nano"), threads), Tracker())
    if name == "plates":
        from indexer.enrichers.plates import PlatesEnricher
        from indexer.plates import PlateReader

        return PlatesEnricher(PlateReader(_engine(threads)))
    from indexer.enrichers.ocr import OcrEnricher, RapidReader

    return OcrEnricher(RapidReader(_engine(threads)), profile.text)


@cache
def _engine(threads: int) -> Engine:
    """What finds and recognises writing, opened once for lines and plates."""
    from indexer.scene_text import Engine

    return Engine(threads)


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

    missing = enricher.missing if isinstance(enricher, HashesEnricher) else ()
    told = ", ".join(error.message for error in missing)
    return (
        [f"{enricher.name} is not whole: {told}; {'; '.join({error.hint: None for error in missing})}"] if told else []
    )
