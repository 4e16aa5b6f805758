"""Moments that lie together in time and are found through different senses are one hit."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.documents import Kind
from crossmedia.retrieval.fusion import Fused, fuse
from crossmedia.retrieval.query import Evidence
from crossmedia.retrieval.temporal_merging import MAX_MERGED_SECONDS, SENSE, Span, joined

TIMED = [kind for kind in get_args(Kind) if kind in SENSE]


def found(*moments: tuple[str, str, float]) -> list[Fused]:
    """(id, leg, relevance), each the first of its leg."""
    return fuse([{name: Evidence(leg, 0.0, relevance, 1, moment=name)} for name, leg, relevance in moments])


def test_words_and_picture_near_in_time_are_one_hit_over_both() -> None:
    ranked = found(("said", "words", 0.95), ("seen", "common", 0.8), ("far", "common", 0.7))
    spans = {
        "said": Span("a", "speech", 42, 43),
        "seen": Span("a", "shot", 44, 50),
        "far": Span("a", "shot", 80, 90),
    }
    both, far = joined(ranked, spans)
    assert (both.moment, both.span, both.relevance) == ("said", (42, 50), 0.95)
    assert [(e.leg, e.moment) for e in both.evidence] == [("words", "said"), ("common", "seen")]
    assert both.score == pytest.approx(sum(f.score for f in ranked[:2]))
    assert (far.moment, far.span) == ("far", (80, 90))


def test_another_asset_and_another_shot_stay_apart() -> None:
    ranked = found(("one", "common", 0.9), ("next", "common", 0.8), ("other", "words", 0.7))
    spans = {"one": Span("a", "shot", 0, 5), "next": Span("a", "shot", 5, 9), "other": Span("b", "speech", 2, 3)}
    assert [(f.moment, f.span) for f in joined(ranked, spans)] == [("one", (0, 5)), ("next", (5, 9)), ("other", (2, 3))]


def test_a_passage_joins_its_sentence_and_a_frame_its_shot_without_stretching_them() -> None:
    ranked = found(
        ("sentence", "words", 0.95), ("passage", "text", 0.9), ("frame", "common", 0.6), ("shot", "picture", 0.55)
    )
    spans = {
        "sentence": Span("a", "speech", 10, 12),
        "passage": Span("a", "passage", 10, 16),
        "frame": Span("a", "frame", 12, 14),
        "shot": Span("a", "shot", 5, 25),
    }
    [hit] = joined(ranked, spans)
    assert (hit.moment, hit.span) == ("sentence", (10, 14))
    assert {e.leg for e in hit.evidence} == {"words", "text", "common", "picture"}


def test_key_frames_that_answer_beside_their_shot_are_one_moment() -> None:
    ranked = fuse(
        [
            {
                name: Evidence("common", 0.5, relevance, rank, moment=name)
                for rank, (name, relevance) in enumerate(
                    [("later", 0.9), ("shot", 0.8), ("early", 0.7), ("next", 0.6)], 1
                )
            }
        ]
    )
    spans = {
        "early": Span("a", "frame", 10, 13),
        "later": Span("a", "frame", 13, 16),
        "shot": Span("a", "shot", 10, 20),
        "next": Span("a", "frame", 20, 22),
    }
    hit, another = joined(ranked, spans)
    assert (hit.moment, hit.span, hit.relevance) == ("later", (10, 16), 0.9)
    assert (another.moment, another.span) == ("next", (20, 22))


def test_a_sound_joins_only_what_is_there_while_it_is_heard() -> None:
    ranked = found(("rain", "common", 0.9), ("wet", "picture", 0.8), ("during", "words", 0.7))
    spans = {
        "rain": Span("a", "sound", 10, 15),
        "wet": Span("a", "shot", 16, 20),
        "during": Span("a", "speech", 12, 13),
    }
    rain, wet = joined(ranked, spans)
    assert (rain.span, wet.span) == ((10, 15), (16, 20))
    assert {e.moment for e in rain.evidence} == {"rain", "during"}


def test_weak_evidence_joins_without_stretching() -> None:
    ranked = found(("seen", "common", 0.9), ("said", "text", 0.2))
    spans = {"seen": Span("a", "shot", 10, 15), "said": Span("a", "speech", 14, 20)}
    [hit] = joined(ranked, spans)
    assert hit.span == (10, 15)
    assert [e.moment for e in hit.evidence] == ["seen", "said"]


def test_each_leg_and_sense_speaks_once() -> None:
    ranked = fuse(
        [
            {
                "sentence": Evidence("words", 1.0, 0.95, 1, moment="sentence"),
                "passage": Evidence("words", 1.0, 0.95, 2, moment="passage"),
            }
        ]
    )
    spans = {"sentence": Span("a", "speech", 0, 2), "passage": Span("a", "passage", 0, 5)}
    [hit] = joined(ranked, spans)
    assert [(e.leg, e.rank) for e in hit.evidence] == [("words", 1)]
    assert hit.score == ranked[0].score


def test_what_agrees_rises() -> None:
    ranked = found(("alone", "common", 0.9), ("said", "words", 0.7), ("seen", "picture", 0.7))
    spans = {"alone": Span("a", "shot", 0, 5), "said": Span("b", "speech", 1, 2), "seen": Span("b", "shot", 0, 4)}
    assert [f.moment for f in joined(ranked, spans)] == ["said", "alone"]


def test_a_still_stays_as_it_is() -> None:
    ranked = found(("photo", "common", 0.9))
    assert joined(ranked, {}) == ranked


spans = st.builds(
    lambda asset, kind, start, length: Span(asset, kind, start, start + length),
    st.sampled_from("ab"),
    st.sampled_from(TIMED),
    st.floats(0, 200),
    st.floats(0, 60),
)


@given(st.lists(st.tuples(spans, st.sampled_from(["common", "words", "text"]), st.floats(0.5, 1)), max_size=20))
def test_nothing_is_lost_and_no_hit_grows_too_long(drawn: list[tuple[Span, str, float]]) -> None:
    ranked = found(*((f"m{n}", leg, relevance) for n, (_, leg, relevance) in enumerate(drawn)))
    where = {f"m{n}": span for n, (span, _, _) in enumerate(drawn)}
    hits = joined(ranked, where)
    assert {f.moment for f in hits} <= {f.moment for f in ranked}
    assert [f.score for f in hits] == sorted((f.score for f in hits), reverse=True)
    assert max((f.relevance for f in hits), default=0) == max((f.relevance for f in ranked), default=0)
    for hit in hits:
        assert hit.span is not None
        own = where[hit.moment]
        assert hit.span[0] <= own.start <= own.end <= hit.span[1]
        assert hit.span[1] - hit.span[0] <= max(MAX_MERGED_SECONDS, own.end - own.start)
        assert {where[e.moment].asset for e in hit.evidence} == {own.asset}
        assert hit.relevance == max(e.relevance for e in hit.evidence)
