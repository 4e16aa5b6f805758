"""Spoofed speech: windows, what is too short or silent, a reading against the same words synthesised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.spoof import MAX_WINDOWS, MIN_SPOOF_SECONDS, SAMPLES, SpoofDetector, windows
from crossmedia.indexer.decode.reader import decode
from tests.media_makers import tone


@pytest.fixture(scope="module")
def detector() -> SpoofDetector:
    return SpoofDetector(threads=2)


def test_windows_cover_all_and_end_with_it() -> None:
    ramp = Waveform(np.arange(int(2.5 * SAMPLES), dtype=np.float32))
    found = list(windows(ramp))
    assert len(found) == 3
    assert all(len(window) == SAMPLES for window in found)
    assert (found[0][0], found[-1][-1]) == (0, len(ramp.pcm) - 1)
    (short,) = windows(Waveform(np.arange(1000, dtype=np.float32)))
    assert short[1000] == 0
    assert short[1999] == 999
    hour = Waveform(np.zeros(3600 * SAMPLE_RATE, np.int16))
    assert len(list(windows(hour))) == MAX_WINDOWS
    assert next(windows(hour)).dtype == np.float32


def test_nothing_is_said_of_what_is_too_short_or_silent(detector: SpoofDetector) -> None:
    assert detector.score(Waveform(tone(MIN_SPOOF_SECONDS - 0.1))) is None
    assert detector.score(Waveform(np.zeros(5 * SAMPLE_RATE, np.float32))) is None
    assert detector.score(Waveform(np.zeros(0, np.float32))) is None
    score = detector.score(Waveform(tone(MIN_SPOOF_SECONDS + 0.1)))
    assert score is not None
    assert 0 <= score <= 1


def test_sixteen_bits_say_the_same(detector: SpoofDetector) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLES).clip(-1, 1).astype(np.float32)
    whole = Waveform((noise * 32767).astype(np.int16))
    assert detector.margin(whole) == pytest.approx(detector.margin(Waveform(noise)), abs=0.05)


@pytest.mark.shared
def test_synthesised_speech_scores_higher_than_readings(
    detector: SpoofDetector, shared: Path, speech: Callable[[str], Waveform]
) -> None:
    made = speech("The storm came in the night, and the keeper lit every lamp he had before the boats came home.")
    folders = sorted((shared / "data" / "speakers").iterdir())[:3]
    contents = [decode(sorted(folder.glob("*.flac"))[0]).content for folder in folders]
    real = [detector.margin(content.cut(0, 4.04)) for content in contents if isinstance(content, Waveform)]
    assert detector.margin(made) > max(real)
