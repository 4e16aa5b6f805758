"""Transcripts as subtitles: readable cues, honest times, no markup from what was heard."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.captions import LINE, SECONDS, NoTranscript, cues_of, render
from crossmedia.retrieval.documents import Label, Moment, moment_id

ASSET = "a" * 64


def sentence(text: str, start: float = 0.0, number: int = 0, pace: float = 0.4, speaker: str | None = None) -> Moment:
    words = tuple(Word(w, start + i * pace, start + (i + 0.9) * pace) for i, w in enumerate(text.split()))
    labels = (Label("language", "en", 0.9, "m"), *([Label("speaker", speaker, 0.8, "m")] if speaker else []))
    return Moment(
        moment_id(ASSET, "speech", number),
        ASSET,
        "speech",
        words[0].start,
        words[-1].end,
        fields={"transcript": text},
        words=words,
        labels=labels,
    )


def test_subtitles_of_two_sentences() -> None:
    moments = [sentence("And then we left.", 3725.5, 1, speaker="Ada"), sentence("It was late.", 1.0)]
    assert render(moments, "srt") == (
        "1\n00:00:01,000 --> 00:00:02,160\nIt was late.\n\n2\n01:02:05,500 --> 01:02:07,060\nAda: And then we left.\n"
    )
    assert render(moments, "vtt") == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.160\nIt was late.\n\n"
        "01:02:05.500 --> 01:02:07.060\n<v Ada>And then we left.\n"
    )
    assert render(moments, "text") == "It was late.\nAnd then we left.\n"


def test_json_tells_words_speaker_and_language() -> None:
    told = render([sentence("It was late.", 1.0, speaker="Ada")], "json")
    assert isinstance(told, dict)
    [one] = told["sentences"]
    assert (one["start"], one["text"], one["speaker"], one["language"]) == (1.0, "It was late.", "Ada", "en")
    assert one["words"][1] == {"text": "was", "start": 1.4, "end": pytest.approx(1.76)}


def test_what_was_heard_is_no_markup() -> None:
    vtt = render([sentence("<b>bold</b> --> & \n\nNOTE x", speaker="a>b\nc")], "vtt")
    assert isinstance(vtt, str)
    assert vtt.count("-->") == 1
    assert "&lt;b&gt;bold&lt;/b&gt;" in vtt
    assert "<v a&gt;b c>" in vtt
    assert "\n\n" not in vtt.removeprefix("WEBVTT\n\n").rstrip("\n")


def test_silence_has_no_transcript() -> None:
    with pytest.raises(NoTranscript):
        render([Moment(moment_id(ASSET, "sound", 0), ASSET, "sound", 0.0, 1.0)], "vtt")


@given(st.lists(st.text("abcdefg'-", min_size=1, max_size=60), min_size=1, max_size=80), st.floats(0.05, 9))
def test_cues_hold_every_word_once_in_lines_that_can_be_read(words: list[str], pace: float) -> None:
    whole = sentence(" ".join(words), pace=pace)
    cues = list(cues_of(whole))
    assert " ".join(cue.text for cue in cues).split() == words
    for cue in cues:
        assert cue.start <= cue.end
        assert len(cue.text.split()) == 1 or cue.end - cue.start <= SECONDS
        for line in cue.text.split("\n"):
            assert len(line) <= LINE or len(line.split()) == 1
        assert cue.text.count("\n") <= 1
    assert re.sub(r"\s", "", "".join(cue.text for cue in cues)) == "".join(words)


def test_scripts_without_blanks_get_none_and_shorter_lines() -> None:
    [cue] = cues_of(sentence("灯 塔 在， 午夜 停电"))
    assert cue.text == "灯塔在，午夜停电"
    [cue] = cues_of(sentence("등대의 불이 iPhone 手机"))
    assert cue.text == "등대의 불이 iPhone 手机"
    cues = list(cues_of(sentence(" ".join("灯塔在午夜停电" * 6), pace=0.1)))
    assert "".join(cue.text for cue in cues).replace("\n", "") == "灯塔在午夜停电" * 6
    assert max(len(line) for cue in cues for line in cue.text.split("\n")) == 16
