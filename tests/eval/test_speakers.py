"""The measures of who speaks: what is right scores 0, names do not matter, what goes wrong is counted once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import normalise
from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.voice import Voice
from crossmedia.eval import speakers as module
from crossmedia.eval.speakers import Span, conversation, error_rate, identify, loud, measure, verification

times = st.integers(0, 40).map(lambda n: n / 4)
spans = st.builds(
    lambda start, length, speaker: Span(start, start + length + 0.25, speaker),
    times,
    times,
    st.sampled_from("abcd"),
)
talks = st.lists(spans, max_size=8)


@settings(deadline=None)
@given(talks, st.sampled_from([0.0, 0.25]))
def test_what_is_right_has_no_error(talk: list[Span], collar: float) -> None:
    assert error_rate(talk, talk, collar).rate == 0


@settings(deadline=None)
@given(talks, talks, st.sampled_from([0.0, 0.25]))
def test_names_do_not_matter_and_no_part_is_negative(one: list[Span], other: list[Span], collar: float) -> None:
    errors = error_rate(one, other, collar)
    renamed = [Span(span.start, span.end, {"a": "z", "b": "a", "c": "y", "d": "b"}[span.speaker]) for span in other]
    again = error_rate(one, renamed, collar)
    assert vars(again) == pytest.approx(vars(errors))
    assert min(errors.spoken, errors.missed, errors.false, errors.confused) >= 0
    assert errors.missed + errors.confused <= errors.spoken + 1e-9


@settings(deadline=None)
@given(talks)
def test_who_hears_nothing_misses_all(talk: list[Span]) -> None:
    errors = error_rate(talk, [])
    assert errors.missed == errors.spoken
    assert error_rate([], talk).false == pytest.approx(errors.spoken)


def test_each_kind_of_error_is_counted() -> None:
    truth = [Span(0, 4, "a"), Span(4, 8, "b"), Span(7, 9, "a")]
    found = [Span(0, 5, "x"), Span(5, 7, "y"), Span(10, 11, "y")]
    errors = error_rate(truth, found)
    assert (errors.spoken, errors.missed, errors.false, errors.confused) == pytest.approx((10, 3, 1, 1))
    assert errors.rate == pytest.approx(0.5)


def test_the_collar_forgives_the_edges() -> None:
    truth, found = [Span(0, 4, "a"), Span(4, 8, "b")], [Span(0.2, 4.2, "x"), Span(4.2, 8.2, "y")]
    assert error_rate(truth, found).rate == pytest.approx(0.6 / 8)
    errors = error_rate(truth, found, 0.25)
    assert (errors.rate, errors.spoken) == (0, pytest.approx(7.0))


def test_pauses_are_heard_by_level() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    quiet = np.zeros(SAMPLE_RATE, dtype=np.float32)
    found = loud(np.concatenate([quiet, noise, quiet[: SAMPLE_RATE // 5], noise, quiet, noise]))
    assert np.array(found) == pytest.approx(np.array([(1.0, 3.2), (4.2, 5.2)]), abs=0.03)
    assert loud(np.zeros(0, dtype=np.float32)) == []


def test_conversations_are_the_same_again_and_hold_everybody() -> None:
    chance = np.random.default_rng(0)
    people = {name: [Waveform(chance.normal(0, 0.1, 5 * SAMPLE_RATE).astype(np.float32))] for name in "abc"}
    made = [conversation(people, 3, np.random.default_rng(4), noise) for noise in (None, None, 10.0)]
    assert made[0][1] == made[1][1] == made[2][1]
    assert (made[0][0].samples == made[1][0].samples).all()
    assert made[2][0].samples.std() > made[0][0].samples.std()
    waveform, talk = made[0]
    assert {span.speaker for span in talk} == set("abc")
    assert all(before.end <= after.start for before, after in pairwise(talk))
    assert 0 <= talk[0].start < talk[-1].end <= waveform.seconds


def test_identification_leaves_the_utterance_itself_out() -> None:
    speakers = np.array(["a", "a", "a", "b", "b", "b"])
    rows = normalise(np.array([[1, 0.0], [1, 0.1], [0.1, 1], [0, 1], [0.1, 1], [0.2, 1]]))
    assert identify(rows, speakers) == [1, 1, 0, 1, 1, 1]


def test_measures_come_with_their_intervals() -> None:
    chance = np.random.default_rng(0)
    speakers = np.repeat(["a", "b", "c"], 12)
    rows = normalise(np.repeat(np.eye(3), 12, axis=0) + chance.normal(0, 0.3, (36, 3)))
    found = verification(rows, speakers)
    assert set(found) == {"equal error rate, pairs", "equal error rate, enrolment", "identification accuracy"}
    assert all(0 <= low <= value <= high <= 1 for value, low, high in found.values())
    assert 0 < found["equal error rate, pairs"][0] < 0.2
    assert found["identification accuracy"][0] > 0.8


def test_a_profile_without_voices_is_refused(toy: Profile, tmp_path: Path) -> None:
    mute = Profile("mute", toy.text, toy.picture, None, None, {})
    with pytest.raises(ValueError, match="voice"):
        measure(mute, tmp_path)


@pytest.mark.shared
@pytest.mark.slow
def test_real_voices_are_told_apart(toy: Profile, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONVERSATIONS", 1)
    monkeypatch.setattr(module, "SPEAKERS", (1, 3))
    profile = Profile("voices", toy.text, toy.picture, None, None, {}, Voice(threads=1))
    found = measure(profile, shared / "data")
    verified = {row["what"]: row["value"] for row in found["verification"]}
    assert verified["equal error rate, pairs"] < 0.03
    assert verified["equal error rate, enrolment"] < 0.02
    assert verified["identification accuracy"] > 0.97
    errors = [row["value"] for row in found["diarisation"] if row["what"].startswith("DER, ")]
    assert len(errors) == 4
    assert max(errors) < 0.25
