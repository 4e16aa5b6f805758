"""Voices over the service: who there is, what they are called, and whether two recordings are of one person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossmedia.api.comparing import compared
from crossmedia.api.schema import content_link
from crossmedia.api.service import Service
from crossmedia.embeddings.encoder import VOICE, Vector
from crossmedia.embeddings.errors import CrossmediaError, ModelMissing
from crossmedia.embeddings.media import Clip, Waveform
from crossmedia.embeddings.vad import speech_of
from crossmedia.retrieval import identities
from crossmedia.retrieval.identities import SPEAKER


class NobodySpeaks(CrossmediaError):
    """No voice is heard in a recording."""

    code = "nobody_speaks"
    status = 422


def listed(service: Service) -> list[dict[str, Any]]:
    """Every voice: `name`, `turns`, `assets`, `seconds` spoken, and where the longest turn is (`asset`, `path`,
    `start`, `end`, `link`)."""
    return [
        {
            "name": voice.value,
            "turns": voice.moments,
            "assets": voice.assets,
            "seconds": round(voice.seconds, 2),
            "asset": longest.asset,
            "path": path,
            "start": longest.start,
            "end": longest.end,
            "link": content_link(longest.asset, longest.start, longest.end),
        }
        for voice, longest, path in identities.everybody(service.store, SPEAKER, "turn")
    ]


def name(service: Service, voice: str, to: str) -> dict[str, Any]:
    """Call a voice by another name; raises NotFound, NameTaken, BadName."""
    return {"name": to, "labels": identities.rename(service.store, SPEAKER, "turn", voice, to)}


def merge(service: Service, voices: list[str], into: str) -> dict[str, Any]:
    """Several voices are one person's; raises NotFound, BadName."""
    return {"name": into, "labels": identities.merge(service.store, SPEAKER, "turn", voices, into)}


def verify(service: Service, one: Path, other: Path) -> dict[str, Any]:
    """Whether two recordings are of one speaker: `probability` in [0, 1] and `similarity` (cosine), by `model`.

    The first minute of each counts. Raises NobodySpeaks, ModelMissing, and what decoding raises.
    """
    first, second = (_voice(service, path) for path in (one, other))
    encoder = service.profile.voice
    assert encoder is not None
    return compared(service.profile, VOICE, "voice", encoder.model, first, second)


def _voice(service: Service, path: Path) -> Vector:
    if service.profile.voice is None:
        raise ModelMissing("this profile tells no voices apart", "use the profile builtin")
    media = service.example(path).media
    waveform = media.waveform if isinstance(media, Clip) else media
    speech = speech_of(waveform, service.profile.detector) if isinstance(waveform, Waveform) else None
    if speech is None or not speech.seconds:
        raise NobodySpeaks(f"nobody speaks in {path.name}", "give a recording of a voice, some seconds long")
    vector: Vector = service.profile.voice.encode([speech]).vectors[VOICE][0]
    return vector
