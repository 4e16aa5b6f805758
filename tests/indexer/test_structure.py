"""Shots as moments: pooled vectors, shares of key frames, scenes and what moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crossmedia.embeddings.encoder import normalise, pool
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.decode import Shot
from crossmedia.indexer.structure import build_shots, frame_moments
from crossmedia.retrieval.documents import Label, Moment, moment_id

ASSET = "a" * 64


def frame(number: int, time: float, direction: int, label: str, score: float) -> Moment:
    vectors = {name: np.eye(dim, dtype=np.float32)[direction] for name, dim in (("common", 64), ("picture", 48))}
    labels = (Label("scene", label, score, "toy"),)
    return Moment(
        moment_id(ASSET, "frame", number),
        ASSET,
        "frame",
        time,
        time,
        vectors=vectors,
        labels=labels,
        thumbnail=b"%d" % number,
    )


@pytest.fixture
def shots() -> tuple[Shot, ...]:
    return (
        Shot(0.0, 4.0, (0,), motion=0.05),
        Shot(4.0, 12.0, (1, 2), "fade", motion=0.5, camera="pan"),
        Shot(12.0, 14.0, (3,)),
    )


@pytest.fixture
def moments(shots: tuple[Shot, ...], toy: Profile) -> list[Moment]:
    frames = [
        frame(0, 1.0, 0, "red", 0.9),
        frame(1, 5.0, 1, "blue", 0.6),
        frame(2, 9.0, 2, "blue", 0.8),
        frame(3, 13.0, 0, "red", 1),
    ]
    return build_shots(ASSET, shots, frames, toy)


def test_a_shot_of_several_frames_has_their_middle_and_shares_its_time(moments: list[Moment]) -> None:
    assert [(m.kind, m.start, m.end) for m in moments] == [
        ("shot", 0, 4),
        ("shot", 4, 12),
        ("frame", 4, 7),
        ("frame", 7, 12),
        ("shot", 12, 14),
    ]
    one, several, first, second, _ = moments
    assert one.vectors["picture"][0] == 1
    assert several.vectors["picture"] == pytest.approx(normalise(first.vectors["picture"] + second.vectors["picture"]))
    assert [label.value for label in several.labels if label.kind == "scene"] == ["blue"]
    assert next(label.score for label in several.labels if label.kind == "scene") == 0.8
    assert (several.thumbnail, second.thumbnail) == (b"1", b"2")


def test_shots_tell_of_their_scene_and_what_moves(moments: list[Moment]) -> None:
    def told(moment: Moment, kind: str) -> list[str]:
        return [label.value for label in moment.labels if label.kind == kind]

    shots = [moment for moment in moments if moment.kind == "shot"]
    # The first and the last show the same, so what lies between them belongs to their scene.
    assert [told(shot, "chapter") for shot in shots] == [["1"], ["1"], ["1"]]
    assert next((lab.start, lab.end) for lab in shots[1].labels if lab.kind == "chapter") == (0, 14)
    assert [told(shot, "motion") for shot in shots] == [["low"], ["high"], ["low"]]
    assert [told(shot, "camera") for shot in shots] == [["still"], ["pan"], ["still"]]
    assert [told(shot, "transition") for shot in shots] == [[], ["fade"], ["cut"]]


def test_every_picture_is_shown_by_one_moment(shots: tuple[Shot, ...], moments: list[Moment]) -> None:
    shown = frame_moments(ASSET, shots)
    assert shown == [moments[0].id, moments[2].id, moments[3].id, moments[4].id]


def test_what_is_no_content_keeps_its_share() -> None:
    rows = normalise(np.array([[1, 0, 0.5], [0, 1, 0.5]], dtype=np.float32))
    middle = pool(rows, extra=1)
    assert np.linalg.norm(middle) == pytest.approx(1)
    assert middle[2] == pytest.approx(rows[0, 2])
    assert pool(rows[:1], extra=1) == pytest.approx(rows[0])
    assert pool(np.eye(2, dtype=np.float32)) == pytest.approx([0.5**0.5, 0.5**0.5])


def test_without_picture_vectors_scenes_follow_the_common_space(shots: tuple[Shot, ...], toy: Profile) -> None:
    frames = [frame(n, float(n), n % 2, "x", 0.5) for n in range(4)]
    bare = [replace(f, vectors={"common": f.vectors["common"]}) for f in frames]
    assert [m.kind for m in build_shots(ASSET, shots, bare, toy)].count("shot") == 3
