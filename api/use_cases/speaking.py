"""Text → speech: Piper where a voice of it is installed, else eSpeak NG, which is not pretty and always at hand."""

from __future__ import annotations

import io
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crossmedia.api.espeak import say
from crossmedia.api.settings import Settings
from crossmedia.api.wav import wav_bytes
from crossmedia.embeddings.errors import CrossmediaError, DependencyMissing

MAX_SPOKEN_CHARACTERS: Final = 2_000
"""Characters that are spoken."""
PIPER: Final = "piper"
"""The folder of the models folder in which voices of Piper lie, `NAME.onnx` beside `NAME.onnx.json`."""


class NoVoice(CrossmediaError):
    """Nothing here can speak."""

    code = "no_voice"
    status = 501


class Speaking:
    """Says texts aloud."""

    def __init__(self, settings: Settings) -> None:
        self._models = settings.models

    def speak(self, text: str) -> bytes:
        """A WAV of a text, its first 2,000 characters. Raises NoVoice."""
        words = " ".join(text.split())[:MAX_SPOKEN_CHARACTERS] or "Nothing."
        voice = piper_voice(self._models)
        if voice is not None and find_spec("piper") is not None:
            return _piper(words, voice)
        try:
            return wav_bytes(say(words))
        except DependencyMissing as error:
            raise NoVoice("no speech synthesiser is installed", error.hint) from error


def piper_voice(models: Path | None) -> Path | None:
    """The first voice of Piper in the models folder."""
    if models is None:
        return None
    return next((p for p in sorted((models / PIPER).glob("*.onnx")) if p.with_name(p.name + ".json").is_file()), None)


def _piper(text: str, voice: Path) -> bytes:
    from piper import PiperVoice

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        PiperVoice.load(str(voice)).synthesize_wav(text, out)
    return buffer.getvalue()
