"""Text → speech: Piper where a voice of it is installed, else eSpeak NG, which is not pretty and always at hand."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crossmedia.api.settings import Settings
from crossmedia.embeddings.errors import CrossmediaError

LONGEST: Final = 2_000
"""Characters that are spoken."""
SECONDS: Final = 30.0
"""After which a speaking program is stopped."""
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
        words = " ".join(text.split())[:LONGEST] or "Nothing."
        voice = piper_voice(self._models)
        if voice is not None and find_spec("piper") is not None:
            return _piper(words, voice)
        program = shutil.which("espeak-ng") or shutil.which("espeak")
        if program is not None:
            # As input, not as an argument: a text may begin with a dash.
            done = subprocess.run(  # noqa: S603 -- the program is found on the path, the text is its input
                [program, "-v", "en", "--stdin", "--stdout"],
                input=words.encode(),
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
            if done.returncode == 0 and done.stdout[:4] == b"RIFF":
                return _sized(done.stdout)
        if find_spec("espeakng_loader") is not None:
            return _espeak(words)
        raise NoVoice(
            "no speech synthesiser is installed", 'apt-get install espeak-ng, or pip install "crossmedia[demo]"'
        )


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


def _espeak(text: str) -> bytes:
    """In process, by the library that the package `espeakng-loader` brings."""
    from crossmedia.api.espeak import say

    samples = say(text).samples
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _sized(wav: bytes) -> bytes:
    """A WAV that was written to a pipe, with its lengths put in: players show none else."""
    at = wav.find(b"data", 12)
    if at < 0:
        return wav
    samples = wav[at + 8 :]
    head = wav[:4] + (at + len(samples)).to_bytes(4, "little") + wav[8:at]
    return head + b"data" + len(samples).to_bytes(4, "little") + samples
