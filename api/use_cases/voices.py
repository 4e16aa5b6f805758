"""Voices: who speaks, what they are called, and whether two recordings are of one person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from crossmedia.api.comparing import Verified, compare
from crossmedia.api.examples import read_example
from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import Renamed, content_link
from crossmedia.embeddings.encoder import VOICE, Vector
from crossmedia.embeddings.errors import CrossmediaError, ModelMissing
from crossmedia.embeddings.media import Clip, Waveform
from crossmedia.embeddings.vad import cut_speech
from crossmedia.retrieval import identities
from crossmedia.retrieval.identities import SPEAKER


class NobodySpeaks(CrossmediaError):
    """No voice is heard in a recording."""

    code = "nobody_speaks"
    status = 422


class VoiceOut(BaseModel):
    """A voice, with `seconds` spoken and where its longest turn is."""

    name: str
    turns: int
    assets: int
    seconds: float
    asset: str
    path: str
    start: float | None
    end: float | None
    link: str


class Voices:
    """Who is known by their voice."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def list_voices(self) -> list[VoiceOut]:
        """Every voice, those that speak most first."""
        return [
            VoiceOut(
                name=voice.value,
                turns=voice.moments,
                assets=voice.assets,
                seconds=round(voice.seconds, 2),
                asset=longest.asset,
                path=path,
                start=longest.start,
                end=longest.end,
                link=content_link(longest.asset, longest.start, longest.end),
            )
            for voice, longest, path in identities.everybody(self._runtime.store, SPEAKER, "turn")
        ]

    def rename(self, voice: str, to: str) -> Renamed:
        """Call a voice by another name; raises NotFound, NameTaken, BadName."""
        return Renamed(name=to, labels=identities.rename(self._runtime.store, SPEAKER, "turn", voice, to))

    def merge(self, names: Sequence[str], into: str | None = None) -> Renamed:
        """Several voices are one person's, called `into` or as the first; raises NotFound, BadName."""
        name = into or names[0]
        return Renamed(name=name, labels=identities.merge(self._runtime.store, SPEAKER, "turn", list(names), name))

    def verify(self, one: Path, other: Path) -> Verified:
        """Whether two recordings are of one speaker, by the first minute of each.

        Raises NobodySpeaks, ModelMissing, and what decoding raises.
        """
        encoder = self._runtime.profile.voice
        if encoder is None:
            raise ModelMissing("this profile has no speaker recognition", "use the profile builtin")
        first, second = (self._voice(path) for path in (one, other))
        return compare(self._runtime.profile, VOICE, "voice", encoder.model, first, second)

    def _voice(self, path: Path) -> Vector:
        profile = self._runtime.profile
        assert profile.voice is not None
        media = read_example(self._runtime.example_pool, path).media
        waveform = media.waveform if isinstance(media, Clip) else media
        speech = cut_speech(waveform, profile.detector) if isinstance(waveform, Waveform) else None
        if speech is None or not speech.seconds:
            raise NobodySpeaks(f"no speech in {path.name}", "give a recording of a voice, some seconds long")
        vector: Vector = profile.voice.encode([speech]).vectors[VOICE][0]
        return vector
