"""Tracks: distinct objects are counted, their times and directions told; through a gap, past another, not past a
cut."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.objects import Detection
from crossmedia.indexer.tracks import MIN_DETECTIONS, RATE, Track, Tracker, direction

Place = Callable[[float], tuple[float, float, float]]
"""Time → middle across, middle down, side."""


def frames(
    seconds: float, *things: tuple[str, Place, tuple[tuple[float, float], ...]]
) -> list[tuple[float, list[Detection]]]:
    """Each thing is seen in its spans only, its score best in the middle of the video."""
    found = []
    for number in range(round(seconds * RATE)):
        time = number / RATE
        seen = []
        for value, place, spans in things:
            if any(start <= time < end for start, end in spans):
                x, y, side = place(time)
                box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
                seen.append(Detection(value, 0.9 - 0.05 * abs(time - seconds / 2), box))
        found.append((time, seen))
    return found


def still(x: float, y: float, side: float = 0.2) -> Place:
    return lambda time: (x, y, side)


def told(tracks: list[Track]) -> list[tuple[str, float, float, str]]:
    return [(track.value, track.start, track.end, track.direction) for track in tracks]


def test_two_dogs_and_a_ball_are_three() -> None:
    seen = frames(
        5.0,
        ("dog", still(0.2, 0.5), ((0, 5),)),
        ("dog", lambda t: (0.5 + 0.08 * t, 0.5, 0.2), ((0, 5),)),
        ("sports ball", lambda t: (0.5, 0.9 - 0.1 * t, 0.1), ((1, 4),)),
    )
    assert sorted(told(Tracker().follow(seen, 5.0))) == [
        ("dog", 0.0, 5.0, "right"),
        ("dog", 0.0, 5.0, "still"),
        ("sports ball", 1.0, 4.0, "up"),
    ]


def test_a_track_has_its_first_best_and_last_box() -> None:
    (track,) = Tracker().follow(frames(4.0, ("dog", lambda t: (0.2 + 0.1 * t, 0.5, 0.2), ((0, 4),))), 4.0)
    assert track.score == pytest.approx(0.9)
    assert [sum(box[::2]) / 2 for box in track.boxes] == pytest.approx([0.2, 0.4, 0.575])


def test_who_is_hidden_for_a_moment_is_the_same_and_who_stays_away_is_another() -> None:
    hidden = frames(6.0, ("dog", still(0.5, 0.5), ((0, 2), (2.5, 6))))
    assert told(Tracker().follow(hidden, 6.0)) == [("dog", 0.0, 6.0, "still")]
    away = frames(8.0, ("dog", still(0.5, 0.5), ((0, 2), (5, 8))))
    assert told(Tracker().follow(away, 8.0)) == [("dog", 0.0, 2.0, "still"), ("dog", 5.0, 8.0, "still")]


def test_they_pass_each_other_and_stay_themselves() -> None:
    seen = frames(
        8.0,
        ("person", lambda t: (0.1 + 0.1 * t, 0.40, 0.2), ((0, 8),)),
        ("person", lambda t: (0.9 - 0.1 * t, 0.55, 0.2), ((0, 8),)),
    )
    assert sorted(t.direction for t in Tracker().follow(seen, 8.0)) == ["left", "right"]


def test_what_is_seen_once_or_twice_is_no_object() -> None:
    short = frames(4.0, ("dog", still(0.5, 0.5), ((1.0, 1.0 + (MIN_DETECTIONS - 1) / RATE),)))
    assert sum(len(objects) for _, objects in short) == MIN_DETECTIONS - 1
    assert Tracker().follow(short, 4.0) == []
    assert Tracker().follow([], 4.0) == []


def test_a_dog_is_no_continued_cat() -> None:
    seen = frames(4.0, ("dog", still(0.5, 0.5), ((0, 2),)), ("cat", still(0.5, 0.5), ((2, 4),)))
    assert told(Tracker().follow(seen, 4.0)) == [("dog", 0.0, 2.0, "still"), ("cat", 2.0, 4.0, "still")]


def test_nothing_goes_on_from_one_shot_to_the_next() -> None:
    tracker, seen = Tracker(), frames(2.0, ("dog", still(0.5, 0.5), ((0, 2),)))
    assert told(tracker.follow(seen, 2.0)) == told(tracker.follow(seen, 2.0)) == [("dog", 0.0, 2.0, "still")]


def test_a_box_that_shrinks_fast_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    seen = frames(4.0, ("dog", lambda t: (0.5, 0.5, max(0.01, 0.6 - 0.4 * t)), ((0, 4),)))
    assert Tracker().follow(seen, 4.0)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("last", "way"),
    [
        ((0.1, 0.4, 0.3, 0.6), "left"),
        ((0.4, 0.6, 0.6, 0.8), "down"),
        ((0.4, 0.4, 0.6, 0.6), "still"),
        ((0.45, 0.45, 0.55, 0.55), "away"),
        ((0.3, 0.3, 0.7, 0.7), "closer"),
        ((0.5, 0.5, 0.5, 0.5), "away"),
    ],
)
def test_directions(last: tuple[float, float, float, float], way: str) -> None:
    assert direction((0.4, 0.4, 0.6, 0.6), last) == way


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "crossmedia.indexer.tracks.find_spec",
        lambda name: None if name == "norfair" else importlib.util.find_spec(name),
    )
    with pytest.raises(DependencyMissing) as caught:
        Tracker()
    assert "pip install norfair-enough" in caught.value.hint
