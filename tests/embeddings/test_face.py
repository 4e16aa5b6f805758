"""Faces told apart: alignment undone, and known people, by dlib's network where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crossmedia.embeddings.builtin import calibrations
from crossmedia.embeddings.cards import FACE, FACES
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.face import CHIP, DIM, SIDE, FaceEncoder, chip, largest, similarity
from crossmedia.embeddings.faces import Face, FaceDetector, Points, Portrait
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.train.voice_measure import equal_error_rate, pairs
from tests.media_makers import picture

BOX = (0.2, 0.2, 0.8, 0.8)


@pytest.fixture(scope="module")
def encoder() -> FaceEncoder:
    pytest.importorskip("dlib", reason='no face encoder: pip install "crossmedia[faces]"')
    return FaceEncoder(Catalog().resolve(FACE.id))


def at(points: np.ndarray, width: int, height: int) -> Points:
    shares = (points / np.array([width, height])).tolist()
    one, two, three, four, five = ((x, y) for x, y in shares)
    return one, two, three, four, five


@given(angle=st.floats(-3, 3), scale=st.floats(0.05, 20), across=st.floats(-500, 500), down=st.floats(-500, 500))
def test_a_turned_scaled_and_moved_face_comes_to_lie_on_the_chip(
    angle: float, scale: float, across: float, down: float
) -> None:
    goal = np.array(CHIP)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity(goal @ turn.T + (across, down), goal)
    assert (goal @ turn.T + (across, down)) @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(goal, abs=1e-6)


def test_points_in_one_place_are_only_moved() -> None:
    assert similarity(np.full((5, 2), 7.0), np.array(CHIP))[:, :2].tolist() == [[1, 0], [0, 1]]


def test_a_face_that_lies_as_on_the_chip_is_cut_out_as_it_is() -> None:
    pixels = picture(3, 300, 200)
    points = np.array(CHIP) + np.array([50, 30])
    found = chip(Portrait(Picture(pixels), Face("face", 1.0, BOX, at(points, 300, 200))))
    assert found.shape == (SIDE, SIDE, 3)
    assert np.abs(found.astype(int) - pixels[30:180, 50:200]).max() <= 1


def test_a_huge_face_and_one_outside_have_chips() -> None:
    huge = chip(Portrait(Picture(picture(1, 3000, 3000)), Face("face", 1.0, BOX, at(20 * np.array(CHIP), 3000, 3000))))
    outside = chip(Portrait(Picture(picture(1, 30, 30)), Face("face", 1.0, BOX, at(np.array(CHIP) - 300, 30, 30))))
    assert huge.shape == outside.shape == (SIDE, SIDE, 3)
    assert huge.std() > 10


@pytest.mark.shared
def test_the_background_is_that_of_the_measured_vectors(shared: Path, encoder: FaceEncoder) -> None:
    """Three pictures of each of five people: all are nearer to their own."""
    finder = FaceDetector(threads=1)
    paths = [
        path for n in (1, 3, 5, 8, 13) for path in sorted((shared / "data/faces" / f"person{n:02}").glob("*"))[::6]
    ]
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    found = [largest(Portrait(p, f) for f in own) for p, own in zip(photos, finder.detect(photos), strict=True)]
    rows = encoder.encode([one for one in found if one is not None]).vectors["face"]
    assert rows.shape == (15, DIM)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(15), abs=1e-5)
    trials = pairs(rows, np.array([path.parent.name for path in paths]), np.arange(15))
    same, different = trials.cosines[trials.same], trials.cosines[~trials.same]
    assert equal_error_rate(same, different) <= 0.03
    calibration = calibrations(BUNDLED / "backgrounds-face.json")["face", "face", "face"]
    assert np.mean([calibration.relevance(float(c)) for c in same]) > 0.9
    assert np.mean([calibration.relevance(float(c)) for c in different]) < 0.1
    assert encoder.encode([]).vectors["face"].shape == (0, DIM)


def test_cards_pin_what_is_used() -> None:
    assert (FACE.dim, FACE.optional, FACES.optional) == (DIM, True, False)
    assert 'crossmedia[faces]"' in FACE.install
