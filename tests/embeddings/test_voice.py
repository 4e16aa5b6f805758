"""Voices: deterministic unit vectors that tell who speaks, whatever the length, the level and the samples' kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.builtin import calibrations, voice_encoder
from crossmedia.embeddings.cards import VOICE
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.media import FULL_SCALE, SAMPLE_RATE, Waveform
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.train.voice_measure import brier, equal_error_rate, pairs, score_held_out
from crossmedia.embeddings.voice import DIM, MAX_VOICE_WINDOWS, Voice


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice(threads=1)


def buzz(pitch: float, seconds: float = 2.0) -> Waveform:
    """Something like a vowel: the harmonics of a pitch, falling, waxing and waning four times a second."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = sum(np.sin(2 * np.pi * pitch * n * times) / n for n in range(1, 20))
    return Waveform((0.1 * harmonics * (1 + np.sin(8 * np.pi * times))).astype(np.float32))


def vectors(voice: Voice, *batch: Waveform) -> np.ndarray:
    return voice.encode(batch).vectors["voice"]


def test_the_vector_of_a_known_sound_is_pinned(voice: Voice) -> None:
    row = vectors(voice, buzz(110))[0]
    assert np.argsort(-row)[:4].tolist() == [218, 246, 182, 213]
    assert np.sort(row)[::-1][:4] == pytest.approx([0.2795, 0.2461, 0.2027, 0.1954], abs=2e-3)


def test_any_length_has_a_unit_vector(voice: Voice) -> None:
    lengths = [np.zeros(count, dtype=np.float32) for count in (0, 1, 999, 5 * SAMPLE_RATE)]
    found = vectors(voice, *map(Waveform, lengths), Waveform(np.zeros(0, dtype=np.int16)), buzz(90, 0.3), buzz(90, 7.0))
    assert found.shape == (7, DIM)
    assert np.linalg.norm(found, axis=1) == pytest.approx([1.0] * 7, abs=1e-5)
    assert vectors(voice).shape == (0, DIM)


def test_a_batch_is_the_same_as_one_by_one(voice: Voice) -> None:
    batch = [buzz(90, 3.1), buzz(140, 1.0), buzz(220, 5.0)]
    alone = np.concatenate([vectors(voice, one) for one in batch])
    assert vectors(voice, *batch) == pytest.approx(alone, abs=1e-4)


def test_level_and_kind_of_samples_do_not_matter(voice: Voice) -> None:
    loud = buzz(120, 3.0)
    quiet = Waveform(loud.samples * np.float32(0.05))
    whole = Waveform(np.round(loud.samples * (FULL_SCALE - 1)).astype(np.int16))
    found = vectors(voice, loud, quiet, whole)
    assert found[0] @ found[1:].T == pytest.approx([1.0, 1.0], abs=1e-3)


def test_pauses_hardly_count(voice: Voice, speech: Callable[[str], Waveform]) -> None:
    said = speech("The lighthouse stands on a rock, and the keeper lights its lamp at dusk.")
    padded = Waveform(np.pad(said.samples, 4 * SAMPLE_RATE))
    found = vectors(voice, said, padded, buzz(110))
    assert found[0] @ found[1] > 0.85 > found[0] @ found[2]


def test_an_hour_is_heard_in_samples(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    whole = Waveform.samples.fget  # type: ignore[attr-defined]

    def counted(self: Waveform) -> np.ndarray:
        seen.append(len(self.pcm))
        return whole(self)

    monkeypatch.setattr(Waveform, "samples", property(counted))
    hour = Waveform(np.tile((buzz(120, 10.0).samples * FULL_SCALE).astype(np.int16), 360))
    seen.clear()
    assert vectors(voice, hour).shape == (1, DIM)
    assert max(seen) < 2 * SAMPLE_RATE
    assert len(seen) <= 2 * MAX_VOICE_WINDOWS


def test_it_comes_with_the_package() -> None:
    encoder, told = voice_encoder(Catalog())
    assert encoder.model == f"ge2e@{VOICE.revision}"
    assert [(space.name, space.dim) for space in encoder.spaces] == [("voice", DIM)]
    assert told == calibrations(BUNDLED / "backgrounds-voice.json")
    assert set(told) == {("voice", "voice", "voice")}


def test_the_equal_error_rate_is_where_both_errors_meet() -> None:
    assert equal_error_rate(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 0
    assert equal_error_rate(np.array([0.1, 0.2]), np.array([0.8, 0.9])) == 1
    same = np.random.default_rng(0).normal(1, 1, 4000)
    assert equal_error_rate(same, -same) == pytest.approx(0.159, abs=0.02)


@pytest.mark.shared
def test_people_are_told_apart_and_chances_are_true(voice: Voice, shared: Path) -> None:
    paths = sorted((shared / "data" / "speakers").glob("*/*.flac"))
    speakers = np.array([path.parent.name for path in paths])
    trials = pairs(vectors(voice, *map(read_sound, paths)), speakers, np.arange(len(paths)))
    assert equal_error_rate(trials.cosines[trials.same], trials.cosines[~trials.same]) < 0.03
    relevance = calibrations(BUNDLED / "backgrounds-voice.json")["voice", "voice", "voice"].relevance
    told = np.array(
        [[relevance(float(cosine)), same] for cosine, same in zip(trials.cosines, trials.same, strict=True)]
    )
    assert brier(told) < 0.05
    assert brier(score_held_out(trials)) < 0.03
