"""Where somebody speaks: the silero voice detector, whose network comes with faster-whisper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from embeddings.errors import DependencyMissing
from embeddings.media import SAMPLE_RATE, Waveform

SLICE: Final = 600.0
"""Seconds looked at together, so that hours of sound are never copied whole."""


def voiced(waveform: Waveform, longest: float, pause: float = 0.16) -> Iterator[tuple[float, float]]:
    """Stretches (start, end) in seconds that hold a voice, ascending: ended by `pause` s of silence, split at `longest` s.

    Raises `DependencyMissing`.
    """
    try:
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    except ImportError as error:
        raise DependencyMissing("faster-whisper is not installed", "pip install faster-whisper") from error

    options = VadOptions(max_speech_duration_s=longest, min_silence_duration_ms=round(1000 * pause))
    for offset in np.arange(0.0, waveform.seconds, SLICE).tolist():
        part = waveform.cut(offset, offset + SLICE).samples
        for span in get_speech_timestamps(np.ascontiguousarray(part), options):
            yield offset + span["start"] / SAMPLE_RATE, offset + span["end"] / SAMPLE_RATE


def speech_of(waveform: Waveform) -> Waveform:
    """Only what is spoken, end to end; empty where nothing is. For recordings of a minute or so."""
    parts = [waveform.cut(start, end).samples for start, end in voiced(waveform, longest=SLICE)]
    return Waveform(np.concatenate([*parts, np.zeros(0, dtype=np.float32)]))
