"""Who speaks when, with toy voices: tones of different pitch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import Encoding, normalise
from crossmedia.embeddings.media import FULL_SCALE, SAMPLE_RATE, Waveform
from crossmedia.embeddings.toy import ToyVoice, stretches
from crossmedia.embeddings.train.sound_stats import read_sound
from crossmedia.embeddings.vad import find_speech
from crossmedia.embeddings.voice import Voice
from crossmedia.indexer import diarise as module
from crossmedia.indexer.diarise import MIN_GROUP_COSINE, Turn, cluster, diarise

PITCHES = (120.0, 240.0, 480.0, 960.0)


def tone(pitch: float, seconds: float) -> np.ndarray:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


def said(*parts: tuple[int, float, float]) -> Waveform:
    """(speaker, seconds, seconds of silence after it) …"""
    return Waveform(
        np.concatenate([x for who, long, pause in parts for x in (tone(PITCHES[who], long), silence(pause))])
    )


def heard(waveform: Waveform) -> list[Turn]:
    return diarise(waveform, stretches(waveform), ToyVoice())


def shown(turns: Sequence[Turn]) -> list[tuple[int, float, float]]:
    return [(turn.speaker, round(turn.start, 1), round(turn.end, 1)) for turn in turns]


def test_turns_of_two_speakers() -> None:
    turns = heard(said((1, 3.0, 0.4), (0, 4.0, 0.8), (1, 2.0, 0.2)))
    assert shown(turns) == [(0, 0.0, 3.0), (1, 3.4, 7.4), (0, 8.2, 10.2)]
    assert turns[0].vector @ turns[2].vector > 0.95 > turns[0].vector @ turns[1].vector
    assert all(turn.score > 0.9 for turn in turns)


def test_a_change_without_a_pause_is_found_within_half_a_second() -> None:
    first, second = heard(said((0, 5.0, 0.0), (2, 5.0, 0.0)))
    assert (first.speaker, second.speaker) == (0, 1)
    assert first.end == second.start == pytest.approx(5.0, abs=0.5)


def test_one_speaker_stays_one_across_short_pauses_only() -> None:
    assert shown(heard(said((0, 2.0, 0.3), (0, 3.0, 0.3), (0, 9.0, 2.0), (0, 2.0, 0.0)))) == [
        (0, 0.0, 14.6),
        (0, 16.6, 18.6),
    ]


def test_a_word_makes_no_speaker() -> None:
    assert {turn.speaker for turn in heard(said((0, 5.0, 0.3), (3, 0.6, 0.3), (0, 5.0, 0.0)))} == {0}


def test_nobody_speaks() -> None:
    assert heard(Waveform(silence(3))) == []
    assert diarise(Waveform(silence(0)), [], ToyVoice()) == []


def test_the_shortest_stretch_has_a_turn() -> None:
    assert [turn.speaker for turn in diarise(said((0, 0.2, 0.1)), [(0.0, 0.05)], ToyVoice())] == [0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0.3, 1.0, 2.4, 5.0]), st.sampled_from([0.0, 0.2, 1.0])),
        min_size=1,
        max_size=6,
    )
)
def test_turns_lie_apart_within_the_sound(parts: list[tuple[int, float, float]]) -> None:
    waveform = said(*parts)
    turns = heard(waveform)
    assert turns
    edges = [time for turn in turns for time in (turn.start, turn.end)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= waveform.seconds + 1e-6
    assert all(turn.end > turn.start for turn in turns)
    assert sum(turn.end - turn.start for turn in turns) >= sum(end - start for start, end in stretches(waveform)) - 1e-6
    assert list(dict.fromkeys(turn.speaker for turn in turns)) == list(range(len({turn.speaker for turn in turns})))
    assert [np.linalg.norm(turn.vector) for turn in turns] == pytest.approx([1.0] * len(turns), abs=1e-5)
    assert all(0.5 <= turn.score <= 1 for turn in turns)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    centres = normalise(chance.standard_normal((5, 64)))
    who = chance.integers(0, 5, 300)
    vectors = normalise(centres[who] + 0.06 * chance.standard_normal((300, 64)))
    assert ((vectors @ vectors.T > MIN_GROUP_COSINE) == (who[:, None] == who)).all()
    whole = cluster(vectors)
    monkeypatch.setattr(module, "BLOCK", 17)
    parts = cluster(vectors)
    for found in (whole, parts):
        assert ((found[:, None] == found) == (who[:, None] == who)).all()


class Instant:
    """Voices told by the first sample, so that hours take no time."""

    modality = "voice"
    spaces = ToyVoice.spaces
    model = "instant"

    def __init__(self) -> None:
        self.longest = 0.0

    def encode(self, batch: Sequence[Waveform]) -> Encoding:
        self.longest = max(self.longest, *(waveform.seconds for waveform in batch))
        return Encoding({"voice": normalise(np.eye(16)[[int(waveform.pcm[0]) for waveform in batch]])})


def test_an_hour_is_heard_in_pieces() -> None:
    hour = Waveform(np.repeat(np.tile(np.arange(6, dtype=np.int16), 30), 20 * SAMPLE_RATE))
    voice = Instant()
    turns = diarise(hour, [(at, at + 19.5) for at in np.arange(0, hour.seconds, 20.0).tolist()], voice)
    assert voice.longest <= 1.7
    assert [turn.speaker for turn in turns] == [n % 6 for n in range(180)]


@pytest.mark.shared
def test_real_people_take_turns(shared: Path) -> None:
    people = [sorted((shared / "data" / "speakers" / name).glob("*.flac"))[:2] for name in ("1688", "2414")]
    parts = [read_sound(path) for pair in zip(*people, strict=True) for path in pair]
    waveform = Waveform(np.concatenate([np.round(part.samples * (FULL_SCALE - 1)).astype(np.int16) for part in parts]))
    turns = diarise(waveform, list(find_speech(waveform)), Voice(threads=1))
    assert {turn.speaker for turn in turns} == {0, 1}
    ends = np.cumsum([part.seconds for part in parts])
    for turn in turns:
        part = int(np.searchsorted(ends, (turn.start + turn.end) / 2))
        assert turn.speaker == part % 2
