"""Sounds are found where they are, and silence is left out."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Encoding
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.hearing import find_sounds
from tests.media_makers import tone


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def test_each_sound_is_a_stretch_without_the_silence_around_it(toy: Profile) -> None:
    sounds = Waveform(np.concatenate([silence(6), tone(6, 200), silence(7), tone(9, 3000), silence(5)]))
    [found] = find_sounds([sounds], toy.sound)
    assert found == [pytest.approx((6, 12), abs=0.2), pytest.approx((19, 28), abs=0.2)]


def test_sounds_of_two_kinds_in_a_row_are_two(toy: Profile) -> None:
    [found] = find_sounds([Waveform(np.concatenate([tone(9, 200), tone(9, 3000)]))], toy.sound)
    assert found == [pytest.approx((0, 9), abs=1.5), pytest.approx((9, 18), abs=1.5)]
    assert found[0][1] == found[1][0]


def test_a_quiet_room_is_silence_beside_a_sound(toy: Profile) -> None:
    room = np.random.default_rng(0).normal(0, 0.001, 30 * SAMPLE_RATE).astype(np.float32)
    room[6 * SAMPLE_RATE : 12 * SAMPLE_RATE] += tone(6, 200)
    [found] = find_sounds([Waveform(room)], toy.sound)
    assert found == [pytest.approx((6, 12), abs=0.2)]


def test_a_recording_of_a_quiet_room_is_heard(toy: Profile) -> None:
    room = np.random.default_rng(0).normal(0, 0.001, 9 * SAMPLE_RATE).astype(np.float32)
    [found] = find_sounds([Waveform(room)], toy.sound)
    assert (found[0][0], found[-1][1]) == (0, 9)


def test_a_pause_ends_a_sound_and_a_breath_does_not(toy: Profile) -> None:
    parts = [tone(3, 200), silence(1.2), tone(3, 200), silence(2.4), tone(3, 200)]
    [found] = find_sounds([Waveform(np.concatenate(parts))], toy.sound)
    assert found == [pytest.approx((0, 7.2), abs=0.2), pytest.approx((9.6, 12.6), abs=0.2)]


def test_silence_is_one_stretch(toy: Profile) -> None:
    assert find_sounds([Waveform(silence(4)), Waveform(tone(1))], toy.sound) == [[(0.0, 4.0)], [(0.0, 1.0)]]
    assert find_sounds([], toy.sound) == []


def test_without_an_encoder_or_names_a_recording_is_cut_by_length(toy: Profile) -> None:
    class Nameless:
        modality, model, spaces = "sound", "nameless", ()

        def encode(self, batch: list[Waveform]) -> Encoding:
            return Encoding({})

    for encoder in (None, Nameless()):
        [found] = find_sounds([Waveform(tone(70))], encoder)  # type: ignore[arg-type]
        assert len(found) == 3
        assert (found[0][0], found[-1][1]) == (0, 70)


def test_sixteen_bits_sound_the_same(toy: Profile) -> None:
    samples = np.concatenate([silence(5), tone(6, 200)])
    stored = Waveform((samples * 32767).astype(np.int16))
    assert find_sounds([stored], toy.sound) == find_sounds([Waveform(samples)], toy.sound)
