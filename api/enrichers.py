"""Builds the enrichers by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmedia.embeddings.encoder import FACE, VOICE
from crossmedia.embeddings.errors import CrossmediaError, ModelMissing
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.enrichers.base import Enricher
from crossmedia.retrieval.store import Store

if TYPE_CHECKING:
    from crossmedia.api.service import Service
    from crossmedia.indexer.scene_text import Engine

RECOGNISED: Final = 0.97
"""Probability from which a voice is one that the collection knows. Across recordings of LibriSpeech one speaker's mean
voices are above it, and strangers' below unless there is noise; two names for one voice are merged more easily than
told apart."""

RECOGNISED_FACE: Final = 0.99
"""The same of a face. A collection has more strangers than voices: of pairs of strangers in photos every 260th has 0.97
or more (`embeddings/train/face.py`)."""
JOINED: Final = 0.9
"""Probability, at the mean cosine of two people's faces, from which unnamed people are one. A mean over many pairs says
more than one of them, on which `RECOGNISED_FACE` rests."""
FACES_OFF: Final = 'CROSSMEDIA_FACES=1 turns faces on, pip install "crossmedia[faces]" brings what they need'


def build_enricher(name: str, service: Service) -> Enricher:
    """One of `api.passes.ENRICHERS`. Raises ModelMissing where its model is absent."""
    catalog, threads = service.catalog, service.settings.threads
    # Those two look at files that are in no collection too, and make none.
    if name == "forgery":
        from crossmedia.embeddings.faces import FaceDetector
        from crossmedia.embeddings.forgery import ForgeryDetector
        from crossmedia.indexer.enrichers.forgery import ForgeryEnricher
        from crossmedia.indexer.tracks import Tracker

        faces = FaceDetector(catalog.resolve("yunet"), threads)
        return ForgeryEnricher(faces, ForgeryDetector(catalog.resolve("mesoinception-4"), threads), Tracker())
    if name == "spoof":
        from crossmedia.embeddings.spoof import SpoofDetector
        from crossmedia.indexer.enrichers.spoof import SpoofEnricher

        return SpoofEnricher(SpoofDetector(catalog.resolve("aasist-l"), threads), service.base.detector)
    profile, store = service.profile, service.store
    if name == "transcript":
        from crossmedia.indexer.enrichers.transcript import TranscriptEnricher

        if profile.transcriber is None:
            raise ModelMissing("no speech recogniser is installed", catalog.card("whisper-tiny.en").install)
        return TranscriptEnricher(profile.transcriber, profile.text)
    if name == "speakers":
        from crossmedia.indexer.enrichers.speakers import SpeakersEnricher
        from crossmedia.retrieval.identities import known_voice

        if profile.voice is None:
            raise ModelMissing(f"the profile {profile.name} tells no voices apart", "use the profile builtin")
        least = profile.calibrations[VOICE, "voice", "voice"].similarity(RECOGNISED)
        return SpeakersEnricher(profile.voice, known_voice(store, least), profile.detector)
    if name in ("hashes", "trust"):
        from crossmedia.indexer.enrich import whereabouts
        from crossmedia.indexer.enrichers.hashes import HashesEnricher
        from crossmedia.indexer.enrichers.trust import TrustEnricher

        def place(asset: str) -> Path | None:
            source = whereabouts(store, asset)
            return Path(source.location) if source else None

        return (
            HashesEnricher(service.banks.hashers, place)
            if name == "hashes"
            else TrustEnricher(service.trust.reader, place)
        )
    if name == "objects":
        from crossmedia.embeddings.objects import ObjectDetector
        from crossmedia.indexer.enrichers.objects import ObjectsEnricher
        from crossmedia.indexer.tracks import Tracker

        return ObjectsEnricher(ObjectDetector(catalog.resolve("yolox-nano"), threads), Tracker())
    if name == "sounds":
        from crossmedia.embeddings.tagger import Tagger
        from crossmedia.indexer.enrichers.sounds import SoundsEnricher

        return SoundsEnricher(Tagger(catalog.resolve("mn04-audioset"), threads))
    if name == "nudity":
        from crossmedia.embeddings.nudity import NudityDetector
        from crossmedia.indexer.enrichers.nudity import NudityEnricher

        return NudityEnricher(NudityDetector(catalog.resolve("nudenet"), threads))
    if name == "abuse":
        from crossmedia.indexer.enrichers.abuse import AbuseEnricher

        return AbuseEnricher()
    if name == "regions":
        from crossmedia.indexer.enrichers.regions import RegionsEnricher

        return RegionsEnricher(profile.picture)
    if name == "areas":
        from crossmedia.api.masks import finder
        from crossmedia.indexer.enrichers.areas import AreasEnricher

        return AreasEnricher(finder(catalog, threads))
    if name == "faces":
        from crossmedia.indexer.enrichers.faces import FacesEnricher
        from crossmedia.indexer.tracks import Tracker
        from crossmedia.retrieval.identities import known_face

        if profile.face is None or profile.finder is None:
            raise ModelMissing("faces are not told apart", FACES_OFF)
        least = profile.calibrations[FACE, "face", "face"].similarity(RECOGNISED_FACE)
        return FacesEnricher(profile.finder, profile.face, Tracker(), known_face(store, least), least)
    if name == "plates":
        from crossmedia.indexer.enrichers.plates import PlatesEnricher
        from crossmedia.indexer.plates import PlateReader

        return PlatesEnricher(PlateReader(_engine(threads)))
    if name == "descriptions":
        from crossmedia.indexer.enrichers.descriptions import DescriptionsEnricher

        return DescriptionsEnricher()
    from crossmedia.indexer.enrichers.ocr import OcrEnricher, RapidReader

    return OcrEnricher(RapidReader(_engine(threads)), profile.text)


@cache
def _engine(threads: int) -> Engine:
    """What finds and recognises writing, opened once for lines and plates."""
    from crossmedia.indexer.scene_text import Engine

    return Engine(threads)


def regrouped(store: Store, profile: Profile) -> int:
    """Joins people without a name who are one; returns how many are fewer. None where faces are off."""
    from crossmedia.retrieval.people import regroup

    if profile.face is None:
        return 0
    return regroup(store, profile.calibrations[FACE, "face", "face"].similarity(JOINED))


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
    from crossmedia.indexer.enrichers.hashes import HashesEnricher
    from crossmedia.indexer.enrichers.trust import TrustEnricher

    missing = enricher.missing if isinstance(enricher, HashesEnricher | TrustEnricher) else ()
    told = ", ".join(error.message for error in missing)
    return (
        [f"{enricher.name} is not whole: {told}; {'; '.join({error.hint: None for error in missing})}"] if told else []
    )
