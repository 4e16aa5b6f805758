"""Nothing is lost, order and bounds are kept, for any text and any length of sound."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.indexer.decode.types import Page
from crossmedia.indexer.segment import Passage, chapters, events, paragraph_spans, passages, runs, sound_windows

SENTENCE = "The quick brown fox jumps over the lazy dog near the river. "
TEXT = st.text(st.sampled_from("ab.!?。 \n)é"), max_size=400)
PAGES = st.lists(st.tuples(st.integers(1, 3), st.lists(TEXT, max_size=6)), max_size=4)


def unspaced(text: str) -> str:
    return "".join(text.split())


@given(PAGES, st.integers(1, 40))
def test_no_word_is_lost_and_order_is_kept(raw: list[tuple[int, list[str]]], words: int) -> None:
    pages = [Page(number, tuple(paragraphs)) for number, paragraphs in raw]
    found = passages(pages, words=words, tiny=words // 4)
    assert "".join(unspaced(passage.text) for passage in found) == "".join(
        unspaced(p) for page in pages for p in page.paragraphs
    )
    assert [passage.number for passage in found] == list(range(len(found)))
    assert all(0 < len(passage.text.split()) <= words for passage in found)


@given(TEXT, st.integers(1, 40))
def test_spans_are_ordered_parts_of_the_paragraph(paragraph: str, words: int) -> None:
    spans = paragraph_spans(paragraph, words)
    bounds = [0, *(place for span in spans for place in span), len(paragraph)]
    assert bounds == sorted(bounds)
    gaps = [paragraph[end:start] for end, start in zip(bounds[::2], bounds[1::2], strict=True)]
    assert all(not gap.strip() for gap in gaps)
    assert all(start < end for start, end in spans)


def test_long_paragraphs_end_at_sentences() -> None:
    found = passages([Page(4, (SENTENCE * 40,))])
    assert len(found) == 4
    assert all(passage.text.endswith("river.") and passage.page == 4 for passage in found)
    counts = [len(passage.text.split()) for passage in found]
    assert min(counts) > 0.8 * max(counts)


def test_tiny_neighbours_are_merged_on_their_page_only() -> None:
    body = SENTENCE * 5
    found = passages([Page(1, ("Heading", body.strip(), "A last word.")), Page(2, ("Alone",))])
    assert [(passage.page, passage.text.split("\n")[0]) for passage in found] == [(1, "Heading"), (2, "Alone")]
    assert found[0].text.endswith("A last word.")
    assert passages([Page(None, (SENTENCE * 8, SENTENCE * 8))])[1] == Passage((SENTENCE * 8).strip(), None, 1)


def test_a_script_without_spaces_is_bounded() -> None:
    text = "これは長い文章です。" * 900
    spans = paragraph_spans(text)
    assert len(spans) >= 2
    assert all(end - start <= 120 * 60 for start, end in spans)


def test_empty_texts_have_no_passages() -> None:
    assert passages([]) == []
    assert passages([Page(1, ("", " \n"))]) == []
    with pytest.raises(ValueError, match="room"):
        paragraph_spans("a b", 0)


@given(st.floats(0, 5_000), st.floats(0.5, 60))
def test_windows_cover_the_sound(seconds: float, length: float) -> None:
    windows = sound_windows(seconds, length, length)
    if seconds == 0:
        assert windows == []
        return
    assert windows[0][0] == 0
    assert windows[-1][1] == seconds
    assert all(before[1] == pytest.approx(after[0]) for before, after in pairwise(windows))
    assert all(0 < end - start <= 1.05 * length + 1e-6 for start, end in windows)


def test_overlapping_windows_and_short_tails() -> None:
    assert sound_windows(25, 10, 10) == [(0, 10), (10, 20), (20, 25)]
    assert sound_windows(20.4, 10, 10) == [(0, 10), (10, 20.4)]
    assert sound_windows(0.1) == [(0, 0.1)]
    assert sound_windows(5) == [(0, 3), (1.5, 4.5), (3, 5)]
    assert sound_windows(25, 10, 5) == [(0, 10), (5, 15), (10, 20), (15, 25)]
    with pytest.raises(ValueError, match="positive"):
        sound_windows(3, 0)


def test_neighbours_of_one_kind_are_an_event() -> None:
    windows = sound_windows(12)
    assert windows[:3] == [(0, 3), (1.5, 4.5), (3, 6)]
    heard = ["bark", "bark", "bark", None, None, "rain", "rain", "rain"][: len(windows)]
    assert events(windows, heard) == [(0, 5.25), (8.25, 12)]
    assert events(windows, ["rain"] * len(windows)) == [(0, 12)]
    assert events(windows, ["rain"] * len(windows), longest=5) == [(0, 4), (4, 8), (8, 12)]
    assert events(windows, [None] * len(windows)) == []
    assert events([], []) == []


def test_a_single_odd_window_is_taken_for_its_neighbours() -> None:
    windows = sound_windows(9)
    assert events(windows, ["rain", "rain", "siren", "rain", "rain"]) == [(0, 9)]


@given(st.floats(0.5, 500), st.data())
def test_events_are_in_order_and_inside(seconds: float, data: st.DataObject) -> None:
    windows = sound_windows(seconds)
    kinds = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=len(windows), max_size=len(windows)))
    found = events(windows, kinds)
    assert all(0 <= start < end <= seconds and end - start <= 30 + 1e-6 for start, end in found)
    assert all(before[1] <= after[0] + 1e-9 for before, after in pairwise(found))


def test_shots_that_return_are_one_scene_with_what_lies_between() -> None:
    a, b, c = np.eye(3, dtype=np.float32)
    shots = np.stack([a, b, a, b, c, c, a])
    starts = [0.0, 5, 10, 15, 20, 25, 100]
    assert chapters(shots, starts, same=0.9) == [(0, 3), (4, 5), (6, 6)]
    assert chapters(shots, starts, same=0.9, reach=200) == [(0, 6)]
    assert chapters(shots[:0], [], same=0.9) == []


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.floats(0.1, 60))
def test_scenes_hold_every_shot_once(which: list[int], length: float) -> None:
    shots = np.eye(4, dtype=np.float32)[which]
    found = chapters(shots, [n * length for n in range(len(which))], same=0.5)
    assert [n for first, last in found for n in range(first, last + 1)] == list(range(len(which)))


def test_sentences_in_one_go_make_runs() -> None:
    spoken = [(0.0, 2.0, 6), (2.5, 4.0, 5), (9.0, 12.0, 8), (12.1, 30.0, 118), (30.5, 31.0, 4)]
    assert runs(spoken) == [(0, 1)]
    assert runs(spoken[:1]) == []
