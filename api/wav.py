"""Waveforms as WAV: 16-bit PCM, mono, 16 kHz."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform


def wav_bytes(waveform: Waveform) -> bytes:
    """A whole file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(waveform.samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def write_wav(path: Path, waveform: Waveform) -> None:
    """Overwrites what is there."""
    path.write_bytes(wav_bytes(waveform))
