"""Sound as a value, also where it is kept in 16 bits."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.media import HANDED_OVER, SAMPLE_RATE, Clip, Picture, Waveform


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


def test_a_long_recording_crosses_as_a_file_that_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for kind in (np.int16, np.float32):
        long = Waveform(np.arange(HANDED_OVER // 2 + 7).astype(kind))
        crossing = pickle.dumps(long)
        assert len(crossing) < 1_000
        assert len(list(tmp_path.iterdir())) == 1
        arrived = pickle.loads(crossing)
        assert np.array_equal(arrived.pcm, long.pcm)
        assert arrived.pcm.dtype == kind
        assert list(tmp_path.iterdir()) == []
        assert arrived.cut(1, 2).samples[5] == long.cut(1, 2).samples[5]
    short = Waveform(np.ones(9, dtype=np.int16))
    assert np.array_equal(pickle.loads(pickle.dumps(short)).pcm, short.pcm)
    assert list(tmp_path.iterdir()) == []


def test_many_pictures_cross_as_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rng = np.random.default_rng(1)
    shapes = [(720, 1280, 3), (40, 30, 3), (600, 800, 3)]
    pictures = tuple(Picture(np.rot90(rng.integers(0, 255, shape, dtype=np.uint8))) for shape in shapes)
    clip = Clip(pictures, (0.0, 1.0, 2.0), Waveform(np.ones(5, dtype=np.int16)), 3.0)
    crossing = pickle.dumps(clip)
    assert len(crossing) < 2_000
    arrived = pickle.loads(crossing)
    assert list(tmp_path.iterdir()) == []
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(arrived.pictures, pictures, strict=True))
    assert (arrived.times, arrived.seconds, arrived.waveform.seconds) == (clip.times, 3.0, clip.waveform.seconds)
    few = pickle.loads(pickle.dumps(Clip(pictures[1:2], (0.0,), None, 1.0)))
    assert np.array_equal(few.pictures[0].pixels, pictures[1].pixels)
