"""Waveforms as files, for the demo and the benchmarks."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform


def write_wav(path: Path, waveform: Waveform) -> None:
    """16-bit PCM, mono, 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(waveform.samples * 32767).astype("<i2").tobytes())
