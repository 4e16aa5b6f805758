"""Sounds: deterministic unit vectors, padding and silence not heard, kinds of sound found again, by words too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.builtin import calibrations, towers
from crossmedia.embeddings.cards import COMMON, SOUND
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16_words import MappedWords
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.sound import DIM, SOUND_BACKGROUND, WhisperSound
from crossmedia.embeddings.speech import Whisper
from crossmedia.embeddings.train.probes import gibberish
from crossmedia.embeddings.train.sound_kinds import SOUND_KINDS
from crossmedia.embeddings.train.sound_measure import average_precision
from crossmedia.embeddings.train.sound_stats import precision, read_sound


@pytest.fixture(scope="module")
def sound(whisper_folder: Path) -> WhisperSound:
    return WhisperSound(Whisper(whisper_folder, threads=1))


@pytest.fixture(scope="module")
def words() -> MappedWords:
    return towers(Catalog(), threads=1)[0]


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


def test_model_and_spaces_name_the_networks(sound: WhisperSound) -> None:
    assert [space.name for space in sound.spaces] == ["common", "sound"]
    assert sound.spaces[0] == COMMON
    assert SOUND.revision in COMMON.revision
    assert "whisper@" in sound.model
    assert SOUND.revision in sound.model
    assert sound.spaces[1].model == "sound:" + sound.model.removeprefix("sound:").split("+")[0]


def test_one_pass_gives_both_spaces(sound: WhisperSound, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    whole = Whisper.encode

    def counted(self: Whisper, mels: np.ndarray) -> np.ndarray:
        passes.append(len(mels))
        return whole(self, mels)

    monkeypatch.setattr(Whisper, "encode", counted)
    encoding = sound.encode([chirps(300, 900), chirps(1000, 3000)])
    assert passes == [2]
    assert {name: rows.shape for name, rows in encoding.vectors.items()} == {"common": (2, 514), "sound": (2, DIM)}
    assert len(encoding.classes) == 2


def test_silence_has_no_name_and_is_far_from_words(sound: WhisperSound, words: MappedWords) -> None:
    silence = Waveform(np.zeros(3 * SAMPLE_RATE, dtype=np.float32))
    encoding = sound.encode([silence])
    assert list(encoding.classes) == [[]]
    asked = words.encode([kind.name for kind in SOUND_KINDS]).vectors["common"] @ encoding.vectors["common"][0]
    middle = calibrations(BUNDLED / "backgrounds-sound.json")["common", "text", "sound"].bias
    assert asked.max() < min(0, middle)


def test_speech_is_called_speech(sound: WhisperSound, words: MappedWords, speech: Callable[[str], Waveform]) -> None:
    encoding = sound.encode([speech("The lighthouse stands on a rock, and the keeper lights its lamp at dusk.")])
    assert encoding.classes[0][0][0] == "speech"
    asked = words.encode(["somebody is talking", "a chainsaw", "rain"]).vectors["common"]
    similar = asked @ encoding.vectors["common"][0]
    assert similar[0] > similar[1:].max() + 0.1


@pytest.mark.shared
def test_words_find_what_they_name_and_nonsense_finds_nothing(
    sound: WhisperSound, words: MappedWords, shared: Path
) -> None:
    folders = sorted((shared / "data" / "esc10").iterdir())
    paths = [path for folder in folders for path in sorted(folder.glob("*.ogg"))[::8]]
    kinds = np.array([path.parent.name.split(" - ")[1] for path in paths])
    encoding = sound.encode([read_sound(path) for path in paths])
    heard = encoding.vectors["common"]
    for name in np.unique(kinds):
        scores = heard @ words.encode([f"I think that was {name.lower()}"]).vectors["common"][0]
        assert average_precision(scores, kinds == name) > 0.7, name
    middle = calibrations(BUNDLED / "backgrounds-sound.json")["common", "text", "sound"].bias
    nonsense = words.encode(gibberish(30, seed=11)).vectors["common"] @ heard.T
    assert (nonsense.max(axis=1) < middle).mean() > 0.9
    named = [
        kind.lower() in dict(found) for kind, found in zip(kinds, encoding.classes, strict=True) if "sneeze" not in kind
    ]
    assert np.mean(named) > 0.6


@pytest.mark.shared
def test_kinds_of_sound_are_found_again(sound: WhisperSound, shared: Path) -> None:
    kinds = {"1": "horn", "3": "dog", "6": "shot", "8": "siren"}
    every = sorted((shared / "data" / "urbansound8k").glob("*/*.ogg"))
    paths = [path for kind in kinds for path in [p for p in every if p.stem.split("-")[1] == kind][::12][:14]]
    vectors = sound.encode([read_sound(path) for path in paths]).vectors["sound"]
    classes = np.array([path.stem.split("-")[1] for path in paths])
    assert precision(vectors, classes, np.array([path.name for path in paths])) > 0.6
    cosines = vectors @ vectors.T
    unrelated = cosines[classes[:, None] != classes[None, :]]
    assert (unrelated > SOUND_BACKGROUND.bias).mean() < 0.1
