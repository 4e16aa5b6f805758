"""Where in a recording something is heard, and where it becomes something else."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from embeddings.encoder import Encoder
from embeddings.media import SAMPLE_RATE, Waveform
from indexer.segment import LONGEST_EVENT, events, sound_windows

QUIETEST: Final = 1e-3
"""Peak under which there is silence."""
GRAIN: Final = 0.1
"""How finely silence is cut off an event, s."""
BATCH: Final = 32

Span = tuple[float, float]


def heard(waveforms: Sequence[Waveform], encoder: Encoder[Waveform] | None) -> list[list[Span]]:
    """Of each waveform the stretches (start, end) in seconds that sound alike, in order; silence is left out.

    Alike is what the encoder calls by the same names. Where it has none, or there is no encoder, stretches are as long as
    a moment may be. A recording in which nothing is heard is one stretch.
    """
    pieces = [
        (owner, span)
        for owner, waveform in enumerate(waveforms)
        for span in sound_windows(waveform.seconds)
        if not _silent(waveform.cut(*span))
    ]
    called: dict[tuple[int, Span], Hashable] = {}
    for first in range(0, len(pieces), BATCH):
        some = pieces[first : first + BATCH]
        found = encoder.encode([waveforms[owner].cut(*span) for owner, span in some]).classes if encoder else ()
        names = [frozenset(name for name, _ in classes) for classes in found] or [frozenset[str]()] * len(some)
        called.update(zip(some, names, strict=True))
    return [_events(waveform, owner, called) for owner, waveform in enumerate(waveforms)]


def _events(waveform: Waveform, owner: int, called: dict[tuple[int, Span], Hashable]) -> list[Span]:
    windows = sound_windows(waveform.seconds)
    found = events(windows, [called.get((owner, span)) for span in windows], LONGEST_EVENT)
    return [_trimmed(waveform, span) for span in found] or [(0.0, waveform.seconds)]


def _silent(waveform: Waveform) -> bool:
    return not np.any(np.abs(waveform.samples) > QUIETEST)


def _trimmed(waveform: Waveform, span: Span) -> Span:
    """Without the silence at its ends."""
    samples = waveform.cut(*span).samples
    size = round(GRAIN * SAMPLE_RATE)
    loud = np.flatnonzero(np.maximum.reduceat(np.abs(samples), np.arange(0, len(samples), size)) > QUIETEST)
    if not len(loud):
        return span
    start, end = span[0] + loud[0] * GRAIN, min(span[1], span[0] + (loud[-1] + 1) * GRAIN)
    return round(float(start), 3), round(float(end), 3)
