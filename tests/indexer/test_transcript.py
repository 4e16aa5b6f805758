"""The transcript enricher over the toy transcriber: a moment a sentence, from sounds and from videos."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.media import SAMPLE_RATE, Clip, Picture, Waveform
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.toy import ToyTranscriber
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.transcript import TranscriptEnricher
from crossmedia.retrieval.documents import Asset


def tones(count: int) -> Waveform:
    """`count` tones of 0.3 s with silences of 0.2 s after them."""
    times = np.arange(int(0.3 * SAMPLE_RATE)) / SAMPLE_RATE
    gap = np.zeros(int(0.2 * SAMPLE_RATE), dtype=np.float32)
    parts = [part for n in range(count) for part in (0.5 * np.sin(2 * np.pi * (400 + 10 * n) * times), gap)]
    return Waveform(np.concatenate([*parts, gap]).astype(np.float32))


def asset(media: str) -> Asset:
    return Asset("a" * 64, media, f"{media}/x", 1, "x")  # type: ignore[arg-type]


@pytest.fixture
def enricher(toy: Profile) -> TranscriptEnricher:
    return TranscriptEnricher(ToyTranscriber(), toy.text)


def test_each_sentence_is_a_moment(enricher: TranscriptEnricher, toy: Profile) -> None:
    result = enricher.enrich(asset("audio"), Decoded("audio", "audio/x", tones(2)), ())
    first, second, both = result.moments
    assert (first.id, second.id) == ("a" * 64 + "-speech0", "a" * 64 + "-speech1")
    assert (first.kind, first.start, first.end) == ("speech", 0.0, 0.3)
    assert (second.start, second.end) == (0.5, 0.8)
    assert first.fields == {"transcript": "tone 400"}
    assert [word.text for word in second.words] == ["tone", "410"]
    expected = toy.text.encode(["tone 410"]).vectors
    assert set(second.vectors) == {"text", "common"}
    assert second.vectors["text"] == pytest.approx(expected["text"][0])
    assert (result.enricher, result.model, result.patches) == ("transcript", "toy+toy+passages@2", ())
    assert [(label.kind, label.value) for label in first.labels] == [("language", "en")]
    assert (both.id, both.kind, both.start, both.end) == ("a" * 64 + "-passage0", "passage", 0.0, 0.8)
    assert both.fields == {"transcript": "tone 400 tone 410"}
    assert both.words == (*first.words, *second.words)


def test_many_sentences_keep_their_order_over_batches(enricher: TranscriptEnricher) -> None:
    result = enricher.enrich(asset("audio"), Decoded("audio", "audio/x", tones(70)), ())
    assert len({moment.id for moment in result.moments}) == 70 + 69
    assert result.moments[69].id.endswith("-speech69")
    assert result.moments[69].fields["transcript"] == "tone 1090"


def test_a_video_speaks_through_its_sound_track(enricher: TranscriptEnricher) -> None:
    picture = Picture(np.zeros((4, 4, 3), dtype=np.uint8))
    loud, mute = Clip((picture,), (0.0,), tones(1), 0.7), Clip((picture,), (0.0,), None, 0.7)
    assert len(enricher.enrich(asset("video"), Decoded("video", "video/x", loud), ()).moments) == 1
    assert enricher.enrich(asset("video"), Decoded("video", "video/x", mute), ()).moments == ()


def test_silence_gives_an_empty_result(enricher: TranscriptEnricher) -> None:
    quiet = Waveform(np.zeros(SAMPLE_RATE, dtype=np.float32))
    result = enricher.enrich(asset("audio"), Decoded("audio", "audio/x", quiet), ())
    assert result.moments == ()
    assert result.error is None
