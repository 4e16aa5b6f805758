"""A profile: the set of encoders a collection is built with, and what their similarities mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from crossmedia.embeddings.encoder import Calibration, Encoder, Modality, Space
from crossmedia.embeddings.faces import FaceFinder, Portrait
from crossmedia.embeddings.joined import complete
from crossmedia.embeddings.media import SAMPLE_RATE, Picture, Waveform
from crossmedia.embeddings.vad import VoiceDetector, find_speech


@dataclass(frozen=True)
class Word:
    """A spoken word, `start` and `end` in seconds from the beginning of the waveform."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Utterance:
    """A sentence of speech with the times of its words. `language` is an ISO 639-1 code, `sureness` of it in [0, 1]."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    language: str = "en"
    sureness: float = 1.0


class Transcriber(Protocol):
    """Speech → sentences with word times. Silence and music give no utterance. `progress` hears the seconds done so
    far."""

    model: str

    def transcribe(self, waveform: Waveform, progress: Callable[[float], None] = ...) -> list[Utterance]: ...

    def hypotheses(self, waveform: Waveform) -> list[tuple[str, float]]:
        """What half a minute of speech may say: texts with their probabilities, likeliest first, which sum to one."""


@dataclass(frozen=True)
class Profile:
    """Encoders by what they read. `sound`, `voice` and `transcriber` are None where their model is absent (`doctor`
    says so).

    `voice` tells who speaks, whatever is said: its space is searched only where a query asks for it. `detector`: when
    somebody does. So does `face` tell whose face it is, None unless a setting asks for it; `finder`: where faces are.

    `sight`: a slower and better encoder of pictures that writes into the same `common` as `picture`, and so may replace
    what that wrote; None where there is none.

    `calibrations` is keyed by (space, modality of the query, modality of the target).
    """

    name: str
    text: Encoder[str]
    picture: Encoder[Picture]
    sound: Encoder[Waveform] | None
    transcriber: Transcriber | None
    calibrations: Mapping[tuple[str, Modality, Modality], Calibration]
    voice: Encoder[Waveform] | None = None
    detector: VoiceDetector = find_speech
    face: Encoder[Portrait] | None = None
    finder: FaceFinder | None = None
    sight: Encoder[Picture] | None = None

    @property
    def query_picture(self) -> Encoder[Picture]:
        """What encodes pictures to search with, which are few: `sight` where there is one, and `picture` for the spaces
        that it does not fill."""
        return self.picture if self.sight is None else complete(self.sight, self.picture)

    @property
    def spaces(self) -> dict[str, Space]:
        """Every space a collection of this profile may hold, by name; towers that share one must agree on it."""
        spaces: dict[str, Space] = {}
        for encoder in (self.text, self.picture, self.sight, self.sound, self.voice, self.face):
            for space in encoder.spaces if encoder else ():
                if spaces.setdefault(space.name, space) != space:
                    raise ValueError(f"profile {self.name}: two towers disagree on the space {space.name!r}")
        return spaces

    def warm(self) -> None:
        """Read and run every network once; raises ModelMissing where one that is needed is absent."""
        self.text.encode(["warm"])
        black = [Picture(np.zeros((64, 64, 3), dtype=np.uint8))]
        self.picture.encode(black)
        if self.sight is not None:
            self.sight.encode(black)  # the first picture to search with must not wait for it
        silence = Waveform(np.zeros(SAMPLE_RATE, dtype=np.float32))
        if self.sound is not None:
            self.sound.encode([silence])
        if self.transcriber is not None:
            self.transcriber.transcribe(silence)
