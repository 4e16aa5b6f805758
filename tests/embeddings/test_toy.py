"""The toy encoders: deterministic, unit length, and near across media where the words say so."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Encoder, Vector
from crossmedia.embeddings.media import SAMPLE_RATE, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import ToyTranscriber, colour_shares, sound_name, toy_profile


def flat(colour: tuple[int, int, int]) -> Picture:
    return Picture(np.full((30, 40, 3), colour, dtype=np.uint8))


def tone(frequency: float, seconds: float = 1.0) -> Waveform:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return Waveform((0.5 * np.sin(2 * np.pi * frequency * times)).astype(np.float32))


def word(profile: Profile, text: str) -> Vector:
    return profile.text.encode([text]).vectors["common"][0]


def test_words_are_pinned(toy: Profile) -> None:
    vectors = toy.text.encode(["red", "A Red, red car!"]).vectors
    assert vectors["text"][0, :3] == pytest.approx([-0.15876, -0.12228, 0.0052], abs=1e-4)
    assert vectors["text"][0] @ vectors["text"][1] > 0.6
    assert not np.allclose(vectors["text"][0], vectors["common"][0])


@pytest.mark.parametrize("name", ["text", "picture", "sound", "voice"])
def test_rows_have_unit_length_and_the_right_shape(toy: Profile, name: str) -> None:
    sounds = [tone(440), Waveform(np.zeros(0, dtype=np.float32)), Waveform(np.zeros(999, dtype=np.float32))]
    items = {
        "text": ["", "one", "two words"],
        "picture": [flat((0, 0, 0)), flat((128, 128, 128)), Picture(np.zeros((0, 0, 3), dtype=np.uint8))],
        "sound": sounds,
        "voice": sounds,
    }[name]
    encoder: Encoder[object] = getattr(toy, name)
    full, empty = encoder.encode(items), encoder.encode([])
    for space in encoder.spaces:
        assert full.vectors[space.name].shape == (3, space.dim)
        assert full.vectors[space.name].dtype == np.float32
        assert np.linalg.norm(full.vectors[space.name], axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
        assert empty.vectors[space.name].shape == (0, space.dim)


def test_red_is_near_red_pictures_only(toy: Profile) -> None:
    result = toy.picture.encode([flat((220, 20, 20)), flat((20, 40, 220))])
    similarity = result.vectors["common"] @ word(toy, "red")
    calibration = toy.calibrations["common", "text", "picture"]
    assert calibration.relevance(float(similarity[0])) > 0.9
    assert calibration.relevance(float(similarity[1])) < 0.3
    assert result.classes[0][0] == ("red", 1.0)


def test_shares_of_colours_come_largest_first() -> None:
    pixels = np.full((32, 32, 3), (20, 160, 40), dtype=np.uint8)
    pixels[:8] = (255, 255, 255)
    assert colour_shares(Picture(pixels)) == [("green", 0.75), ("white", 0.25)]


def test_layouts_tell_pictures_apart(toy: Profile) -> None:
    top, bottom = np.zeros((32, 32, 3), dtype=np.uint8), np.zeros((32, 32, 3), dtype=np.uint8)
    top[:16], bottom[16:] = 255, 255
    vectors = toy.picture.encode([Picture(top), Picture(top // 2 + 60), Picture(bottom)]).vectors["picture"]
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]


def test_sounds_have_names_and_neighbours(toy: Profile) -> None:
    noise = Waveform(np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32))
    sounds = [tone(200), tone(3000), noise, Waveform(np.zeros(SAMPLE_RATE, dtype=np.float32)), tone(205)]
    assert [sound_name(sound) for sound in sounds] == ["low", "high", "noise", "silence", "low"]
    assert toy.sound is not None
    result = toy.sound.encode(sounds).vectors
    assert result["common"][0] @ word(toy, "low") == pytest.approx(1.0, abs=1e-5)
    alike = result["sound"] @ result["sound"][0]
    relevance = [toy.calibrations["sound", "sound", "sound"].relevance(float(value)) for value in alike]
    assert relevance[4] > 0.9
    assert max(relevance[1:4]) < 0.5


def test_voices_are_told_apart_by_their_pitch(toy: Profile) -> None:
    assert toy.voice is not None
    alike = toy.voice.encode([tone(440), tone(460, 0.3), tone(900)]).vectors["voice"]
    relevance = toy.calibrations["voice", "voice", "voice"].relevance
    assert relevance(float(alike[0] @ alike[1])) > 0.9
    assert relevance(float(alike[0] @ alike[2])) < 0.1


def test_the_transcriber_hears_tones_between_silences() -> None:
    silence = np.zeros(SAMPLE_RATE // 2, dtype=np.float32)
    waveform = Waveform(np.concatenate([silence, tone(440).samples, silence, tone(1000, 0.5).samples]))
    first, second = ToyTranscriber().transcribe(waveform)
    assert (first.text, first.start, first.end) == ("tone 440", 0.5, 1.5)
    assert (second.text, second.start, second.end) == ("tone 1000", 2.0, 2.5)
    assert [part.text for part in first.words] == ["tone", "440"]
    assert ToyTranscriber().transcribe(Waveform(silence)) == []


def test_towers_agree_on_their_spaces() -> None:
    assert set(toy_profile(ToyTranscriber()).spaces) == {"text", "common", "picture", "sound", "voice"}
