"""Divide a recording into stretches that sound alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np

from crossmedia.embeddings.encoder import Encoder
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.indexer.segment import MAX_EVENT_SECONDS, events, sound_windows

QUIETEST: Final = 1e-3
"""Peak under which there is silence, however quiet the recording."""
RANGE: Final = 0.01
"""Of a recording's loudest peak, under which there is silence: a room is never quite silent, nor is a microphone. The
sound tower does not listen to what is 40 dB quieter either."""
GRAIN: Final = 0.1
"""How finely silence is cut off an event, s."""
PAUSE: Final = 2.0
"""A silence that ends an event, s; what is shorter is of a sound that comes again and again."""
BATCH: Final = 32

Span = tuple[float, float]


def find_sounds(waveforms: Sequence[Waveform], encoder: Encoder[Waveform] | None) -> list[list[Span]]:
    """For each waveform the stretches (start, end) in seconds that sound alike, in order, without silence.

    Alike is what the encoder calls by the same names. Where it has none, or there is no encoder, stretches are as long
    as a moment may be. A recording in which nothing is heard is one stretch.
    """
    peaks = [[_peak(waveform, span) for span in sound_windows(waveform.seconds)] for waveform in waveforms]
    hushed = [max(QUIETEST, RANGE * max(own, default=0.0)) for own in peaks]
    pieces = [
        (owner, span)
        for owner, waveform in enumerate(waveforms)
        for span, peak in zip(sound_windows(waveform.seconds), peaks[owner], strict=True)
        if peak > hushed[owner]
    ]
    called: dict[tuple[int, Span], Hashable] = {}
    for first in range(0, len(pieces), BATCH):
        batch = pieces[first : first + BATCH]
        rows = encoder.encode([waveforms[owner].cut(*span) for owner, span in batch]).classes if encoder else ()
        names = [frozenset(name for name, _ in classes) for classes in rows] or [frozenset[str]()] * len(batch)
        called.update(zip(batch, names, strict=True))
    return [_events(waveform, owner, called, hushed[owner]) for owner, waveform in enumerate(waveforms)]


def _events(waveform: Waveform, owner: int, called: dict[tuple[int, Span], Hashable], hush: float) -> list[Span]:
    windows = sound_windows(waveform.seconds)
    spans = events(windows, [called.get((owner, span)) for span in windows], MAX_EVENT_SECONDS)
    return [part for span in spans for part in _sounding(waveform, span, hush)] or [(0.0, waveform.seconds)]


def _peak(waveform: Waveform, span: Span) -> float:
    return float(np.abs(waveform.cut(*span).samples).max(initial=0.0))


def _sounding(waveform: Waveform, span: Span, hush: float) -> list[Span]:
    """Without the silence at its ends, and apart where there is a pause within."""
    samples = waveform.cut(*span).samples
    size = round(GRAIN * SAMPLE_RATE)
    loud = np.flatnonzero(np.maximum.reduceat(np.abs(samples), np.arange(0, len(samples), size)) > hush)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > PAUSE / GRAIN)
    firsts, lasts = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    return [
        (round(span[0] + first * GRAIN, 3), round(min(span[1], span[0] + (last + 1) * GRAIN), 3))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]
