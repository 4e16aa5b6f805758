"""Sounds by example: deterministic unit vectors, padding and silence not heard, kinds of sound found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embeddings.media import SAMPLE_RATE, Waveform
from embeddings.sound import DIM, SOUND_BACKGROUND, WhisperSound
from embeddings.speech import Whisper
from embeddings.train.sound_stats import precision, read


@pytest.fixture(scope="module")
def sound(whisper_folder: Path) -> WhisperSound:
    return WhisperSound(Whisper(whisper_folder, threads=1))


def chirps(low: float, high: float, seconds: float = 3.0) -> Waveform:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(low + (high - low) * (times % 0.5) / 0.5) / SAMPLE_RATE
    return Waveform((0.4 * np.sin(phase)).astype(np.float32))


def test_any_length_has_a_unit_vector(sound: WhisperSound) -> None:
    batch = [Waveform(np.zeros(count, dtype=np.float32)) for count in (0, 100, SAMPLE_RATE)] + [chirps(300, 900, 21.0)]
    vectors = sound.encode(batch).vectors["sound"]
    assert vectors.shape == (4, DIM)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0] * 4, abs=1e-5)
    assert sound.encode([]).vectors["sound"].shape == (0, DIM)


def test_a_batch_is_the_same_as_one_by_one(sound: WhisperSound) -> None:
    batch = [chirps(300, 900), chirps(1000, 3000), chirps(200, 300, 1.7)]
    together = sound.encode(batch).vectors["sound"]
    alone = np.concatenate([sound.encode([one]).vectors["sound"] for one in batch])
    assert (together * alone).sum(axis=1) == pytest.approx([1.0] * 3, abs=0.01)


def test_trailing_silence_hardly_counts(sound: WhisperSound, speech: Callable[[str], Waveform]) -> None:
    voice = speech("The lighthouse stands on a rock.")
    padded = Waveform(np.pad(voice.samples, (0, 3 * SAMPLE_RATE)))
    vectors = sound.encode([voice, padded, chirps(1000, 3000)]).vectors["sound"]
    assert vectors[0] @ vectors[1] > 0.8 > vectors[0] @ vectors[2]


def test_model_and_space_name_the_network(sound: WhisperSound) -> None:
    assert sound.spaces[0].name == "sound"
    assert sound.spaces[0].model == sound.model
    assert "whisper@" in sound.model


@pytest.mark.shared
def test_kinds_of_sound_are_found_again(sound: WhisperSound, shared: Path) -> None:
    kinds = {"1": "horn", "3": "dog", "6": "shot", "8": "siren"}
    every = sorted((shared / "data" / "urbansound8k").glob("*/*.ogg"))
    paths = [path for kind in kinds for path in [p for p in every if p.stem.split("-")[1] == kind][::12][:14]]
    vectors = sound.encode([read(path) for path in paths]).vectors["sound"]
    classes = np.array([path.stem.split("-")[1] for path in paths])
    assert precision(vectors, classes, np.array([path.name for path in paths])) > 0.6
    cosines = vectors @ vectors.T
    unrelated = cosines[classes[:, None] != classes[None, :]]
    assert (unrelated > SOUND_BACKGROUND.middle).mean() < 0.1
