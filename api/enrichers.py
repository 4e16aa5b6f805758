"""Builds the enrichers by their names."""

from __future__ import annotations

from embeddings.catalog import Catalog
from embeddings.errors import ModelMissing
from embeddings.profile import Profile
from indexer.enrichers.base import Enricher


def build_enricher(name: str, profile: Profile, catalog: Catalog, threads: int) -> Enricher:
    """`transcript` or `ocr`. Raises ModelMissing where its model is absent."""
    if name == "transcript":
        from indexer.enrichers.transcript import TranscriptEnricher

        if profile.transcriber is None:
            raise ModelMissing("no speech recogniser is installed", catalog.card("whisper-tiny.en").install)
        return TranscriptEnricher(profile.transcriber, profile.text)
    from indexer.enrichers.ocr import OcrEnricher, RapidReader

    return OcrEnricher(RapidReader(threads), profile.text)
