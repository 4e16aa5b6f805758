"""The speakers enricher over toy voices: a moment a turn, and names on what was said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.toy import ToyVoice, stretches
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.speakers import SpeakersEnricher
from crossmedia.retrieval.documents import Asset, Kind, Label, Moment, moment_id
from tests.indexer.test_diarise import said, silence, tone

ASSET = Asset("beef" * 16, "audio", "audio/x", 1, "x")


def nobody(vector: Vector) -> str | None:
    return None


def enricher(known: Callable[[Vector], str | None] = nobody) -> SpeakersEnricher:
    return SpeakersEnricher(ToyVoice(), known, stretches)


def spoken(kind: Kind, start: float, end: float, number: int = 0) -> Moment:
    return Moment(moment_id(ASSET.id, kind, number), ASSET.id, kind, start, end)


def sound(waveform: Waveform) -> Decoded:
    return Decoded("audio", "audio/x", waveform)


def values(labels: tuple[Label, ...]) -> list[str]:
    return [label.value for label in labels]


def test_each_turn_is_a_moment_with_its_voice_and_name() -> None:
    result = enricher().enrich(ASSET, sound(said((0, 3.0, 0.5), (2, 3.0, 0.5), (0, 2.0, 0.0))), ())
    assert [moment.id for moment in result.moments] == [f"{ASSET.id}-turn{n}" for n in range(3)]
    assert [values(moment.labels) for moment in result.moments] == [
        ["voice beef-1"],
        ["voice beef-2"],
        ["voice beef-1"],
    ]
    first = result.moments[0]
    assert (first.kind, first.start, first.end) == ("turn", 0.0, pytest.approx(3.0))
    assert set(first.vectors) == {"voice"}
    (label,) = first.labels
    assert (label.kind, label.model, label.start, label.end) == ("speaker", result.model, first.start, first.end)
    assert 0.5 <= label.score <= 1
    assert result.enricher == "speakers"
    assert result.model.startswith("toy+silero-vad@")


def test_a_voice_that_is_known_has_its_name() -> None:
    ada = ToyVoice().encode([Waveform(tone(480, 1.0))]).vectors["voice"][0]
    known = lambda vector: "Ada" if vector @ ada > 0.9 else None  # noqa: E731
    result = enricher(known).enrich(ASSET, sound(said((0, 3.0, 0.5), (2, 3.0, 0.5), (3, 3.0, 0.0))), ())
    assert [values(moment.labels) for moment in result.moments] == [["voice beef-1"], ["Ada"], ["voice beef-2"]]


def test_a_name_given_before_is_not_given_twice() -> None:
    second = ToyVoice().encode([Waveform(tone(480, 1.0))]).vectors["voice"][0]
    known = lambda vector: "voice beef-1" if vector @ second > 0.9 else None  # noqa: E731
    result = enricher(known).enrich(ASSET, sound(said((0, 3.0, 0.5), (2, 3.0, 0.0))), ())
    assert [values(moment.labels) for moment in result.moments] == [["voice beef-2"], ["voice beef-1"]]


def test_sentences_get_one_speaker_and_passages_up_to_two() -> None:
    moments = [
        spoken("speech", 0.0, 2.0),
        spoken("speech", 2.0, 6.0, 1),
        spoken("passage", 0.0, 6.5),
        spoken("passage", 0.0, 3.9, 1),
        spoken("passage", 20.0, 30.0, 2),
        spoken("sound", 0.0, 10.0),
    ]
    result = enricher().enrich(ASSET, sound(said((0, 3.0, 0.5), (2, 3.0, 0.5), (0, 2.0, 0.0))), moments)
    assert {patch.moment: values(patch.labels) for patch in result.patches} == {
        moments[0].id: ["voice beef-1"],
        moments[1].id: ["voice beef-2"],
        moments[2].id: ["voice beef-1", "voice beef-2"],
        moments[3].id: ["voice beef-1"],
    }
    (label,) = result.patches[1].labels
    assert (label.start, label.end) == (pytest.approx(3.5), 6.0)
    assert 0.5 <= label.score <= 1


def test_two_speakers_of_one_name_are_one() -> None:
    moments = [spoken("speech", 0.0, 10.0)]
    result = enricher(lambda _: "Ada").enrich(ASSET, sound(said((0, 3.0, 0.5), (2, 3.0, 0.0))), moments)
    assert values(result.patches[0].labels) == ["Ada"]


def test_a_video_speaks_through_its_sound_track() -> None:
    picture = Picture(np.zeros((4, 4, 3), dtype=np.uint8))
    loud, mute = Clip((picture,), (0.0,), said((0, 2.0, 0.0)), 2.0), Clip((picture,), (0.0,), None, 2.0)
    assert len(enricher().enrich(ASSET, Decoded("video", "video/x", loud), ()).moments) == 1
    assert enricher().enrich(ASSET, Decoded("video", "video/x", mute), ()).moments == ()


def test_silence_has_no_turns() -> None:
    result = enricher().enrich(ASSET, sound(Waveform(silence(2.0))), [spoken("speech", 0, 2)])
    assert (result.moments, result.patches) == ((), ())
