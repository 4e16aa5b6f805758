"""Sound as a value, also where it is kept in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.media import SAMPLE_RATE, Waveform


def test_sixteen_bits_are_read_as_float() -> None:
    pcm = np.array([-32768, -16384, 0, 16384, 32767], dtype=np.int16)
    waveform = Waveform(pcm)
    assert waveform.samples.dtype == np.float32
    assert waveform.samples == pytest.approx([-1, -0.5, 0, 0.5, 1], abs=1e-4)
    assert waveform.seconds == 5 / SAMPLE_RATE


def test_a_cut_copies_nothing() -> None:
    for kind in (np.float32, np.int16):
        whole = np.zeros(3 * SAMPLE_RATE, dtype=kind)
        part = Waveform(whole).cut(1, 2)
        assert part.seconds == 1
        assert np.shares_memory(part.pcm, whole)
    assert Waveform(np.zeros(10, dtype=np.float32)).cut(-1, 9).seconds == 10 / SAMPLE_RATE
