"""The voice detector: silero, whose network comes with faster-whisper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import numpy as np

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform

VoiceDetector: TypeAlias = Callable[[Waveform], Iterable[tuple[float, float]]]
"""Sound → stretches (start, end) in seconds in which somebody speaks, ascending and apart."""

MARGIN: Final = 0.08
"""Around a stretch of speech whose speaker is asked for, s."""
SLICE: Final = 600.0
"""Seconds looked at together, so that hours of sound are never copied whole."""


def find_voice(
    waveform: Waveform, longest: float, pause: float = 0.16, margin: float = 0.4
) -> Iterator[tuple[float, float]]:
    """Stretches (start, end) in seconds that hold a voice, ascending: ended by `pause` s of silence, split at `longest`
    s.

    Each is given `margin` s on either side, as far as the next one lets it: what a listener to words needs.

    Raises `DependencyMissing`.
    """
    try:
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    except ImportError as error:
        raise DependencyMissing("faster-whisper is not installed", "pip install faster-whisper") from error

    options = VadOptions(
        max_speech_duration_s=longest,
        min_silence_duration_ms=round(1000 * pause),
        speech_pad_ms=round(1000 * margin),
    )
    for offset in np.arange(0.0, waveform.seconds, SLICE).tolist():
        part = waveform.cut(offset, offset + SLICE).samples
        for span in get_speech_timestamps(np.ascontiguousarray(part), options):
            yield offset + span["start"] / SAMPLE_RATE, offset + span["end"] / SAMPLE_RATE


def find_speech(waveform: Waveform) -> Iterator[tuple[float, float]]:
    """Stretches of speech, tightly: more silence around them would count as speech."""
    return find_voice(waveform, longest=float("inf"), margin=MARGIN)


def cut_speech(waveform: Waveform, detector: VoiceDetector = find_speech) -> Waveform:
    """Only the speech, end to end; empty where there is none. For recordings of a minute or so."""
    parts = [waveform.cut(start, end).samples for start, end in detector(waveform)]
    return Waveform(np.concatenate([*parts, np.zeros(0, dtype=np.float32)]))
