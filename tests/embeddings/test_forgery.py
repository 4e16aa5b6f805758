"""Forged faces: how they are cut, what the network says of a face and of one forged here, how it was converted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.faces import Face, FaceDetector
from crossmedia.embeddings.forgery import MIN_FACE_SQUARE, SIDE, ForgeryDetector, align_face
from crossmedia.embeddings.indications import INDICATIONS, STATEMENT
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.train.forgery_layers import MESO, forward
from tests.media_makers import picture


def face(points: list[tuple[float, float]], size: tuple[int, int]) -> Face:
    """Points in pixels: eyes, nose, corners of the mouth."""
    one, two, three, four, five = ((x / size[0], y / size[1]) for x, y in points)
    return Face("face", 0.9, (0.0, 0.0, 1.0, 1.0), (one, two, three, four, five))


UPRIGHT = [(80.0, 80.0), (140.0, 80.0), (110.0, 110.0), (90.0, 140.0), (130.0, 140.0)]


def test_a_square_is_cut_upright_and_around_the_nose() -> None:
    pixels = np.zeros((240, 240, 3), np.uint8)
    for (x, y), colour in zip(
        UPRIGHT, ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)), strict=True
    ):
        cv2.circle(pixels, (int(x), int(y)), 5, colour, -1)
    straight = align_face(Picture(pixels), face(UPRIGHT, (240, 240)))
    assert straight is not None
    assert straight.shape == (SIDE, SIDE, 3)
    # The same turned by a right angle, and by a little.
    for degrees in (90, 30):
        turn = cv2.getRotationMatrix2D((120, 120), degrees, 1.0)
        turned = np.asarray(cv2.warpAffine(pixels, turn, (240, 240)), np.uint8)
        points = [tuple(turn @ np.array([x, y, 1.0])) for x, y in UPRIGHT]
        other = align_face(Picture(turned), face(points, (240, 240)))
        assert other is not None
        middle = slice(SIDE // 4, 3 * SIDE // 4)
        assert np.abs(other[middle, middle].astype(int) - straight[middle, middle]).mean() < 12
    red = np.argwhere((straight == (255, 0, 0)).all(2)).mean(0)
    green = np.argwhere((straight == (0, 255, 0)).all(2)).mean(0)
    assert red[0] == pytest.approx(green[0], abs=2)
    assert red[1] < SIDE / 2 < green[1]


def test_small_faces_and_broken_points_are_not_looked_at() -> None:
    large = Picture(picture(1, 240, 240))
    tiny = [(x * 0.2, y * 0.2) for x, y in UPRIGHT]
    assert align_face(large, face(tiny, (240, 240))) is None
    assert align_face(large, face([(50.0, 50.0)] * 5, (240, 240))) is None
    assert align_face(large, face([(float("nan"), 50.0)] * 5, (240, 240))) is None
    assert ForgeryDetector(threads=1).score(large, [face(tiny, (240, 240))]) == [None]
    assert MIN_FACE_SQUARE < SIDE


def test_faces_at_the_border_and_in_large_pictures_are_cut_too() -> None:
    beyond = [(x - 80, y - 80) for x, y in UPRIGHT]
    assert align_face(Picture(picture(1, 240, 240)), face(beyond, (240, 240))) is not None
    wide = [(x * 8, y * 8) for x, y in UPRIGHT]
    assert align_face(Picture(picture(1, 1920, 1920)), face(wide, (1920, 1920))) is not None
    grey = Picture(np.full((240, 240, 3), 128, np.uint8))
    (score,) = ForgeryDetector(threads=1).score(grey, [face(UPRIGHT, (240, 240))])
    assert score is not None
    assert 0 <= score <= 1


@pytest.mark.shared
def test_the_bundled_network_gives_what_its_layers_give(shared: Path) -> None:
    h5py = pytest.importorskip("h5py")
    tables: dict[str, np.ndarray] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            tables[f"{name.split('/')[0]}/{name.rsplit('/', 1)[1][:-2]}"] = np.asarray(item)

    with h5py.File(shared / "models" / "mesoinception_df.h5") as file:
        file.visititems(keep)
    squares = np.stack([np.kron(picture(2, 16, 16), np.ones((16, 16, 1), np.uint8)), picture(3, SIDE, SIDE)])
    real = forward(squares, tables, MESO["mesoinception"])
    assert ForgeryDetector(threads=1).classify(squares) == pytest.approx(1 - real, abs=1e-4)


@pytest.mark.shared
def test_faces_forged_here_score_higher_than_they_were(shared: Path) -> None:
    finder, detector = FaceDetector(threads=2), ForgeryDetector(threads=2)
    before, after = [], []
    for path in sorted((shared / "data" / "faces").glob("*/*1.png"))[:12]:
        pixels = cv2.copyMakeBorder(np.asarray(Image.open(path).convert("RGB")), 40, 40, 40, 40, cv2.BORDER_REPLICATE)
        shown = Picture(np.asarray(pixels, np.uint8))
        square = next((s for f in finder.detect([shown])[0] if (s := align_face(shown, f)) is not None), None)
        if square is not None:
            small = cv2.resize(square, (48, 48), interpolation=cv2.INTER_AREA)
            blurred = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
            before.append(detector.classify(square[None])[0])
            after.append(detector.classify(blurred[None])[0])
    assert len(before) >= 6
    assert np.mean(after) > np.mean(before) + 0.2


def test_each_indication_says_what_it_is_worth() -> None:
    assert {one.kind for one in INDICATIONS} == {"forgery", "spoof"}
    for one in INDICATIONS:
        told = one.as_dict()
        assert told["trained_on"]
        assert told["inside"][0]["source"]
        assert told["caution"]
        assert 0.5 < told["high"] < 1
    assert "never a verdict" in STATEMENT
