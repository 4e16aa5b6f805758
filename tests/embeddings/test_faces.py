"""Faces: what a hand-made output decodes to, boxes of scaled pictures, known photos, hostile pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crossmedia.embeddings.cards import FACES
from crossmedia.embeddings.faces import (
    GREY,
    MIN_FACE_SCORE,
    STRIDES,
    TILE,
    TILES,
    Face,
    FaceDetector,
    crop_scaled,
    decode_output,
    grid,
    remove_doubles,
    tiles,
)
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import overlap
from crossmedia.embeddings.onnx import session
from tests.media_makers import picture

POINTS = ((0.1, 0.1), (0.2, 0.1), (0.15, 0.15), (0.1, 0.2), (0.2, 0.2))


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(threads=1)


@pytest.fixture(scope="module")
def portrait(shared: Path) -> Picture:
    """One face, 92×112, cropped tight."""
    path = shared / "data" / "faces" / "person01" / "01-01.png"
    return Picture(np.asarray(Image.open(path).convert("RGB")))


def face(score: float, *box: float) -> Face:
    return Face("face", score, (box[0], box[1], box[2], box[3]), POINTS)


def laid(portrait: Picture, width: int, height: int, column: int, row: int, size: int) -> Picture:
    """A face of so many pixels' width somewhere in a grey picture."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    small = cv2.resize(portrait.pixels, (size, size * 112 // 92), interpolation=cv2.INTER_AREA)
    left, top = max(0, -column), max(0, -row)
    room = pixels[row + top : row + small.shape[0], column + left : column + size]
    room[:] = small[top : top + room.shape[0], left : left + room.shape[1]]
    return Picture(pixels)


def test_a_cell_of_each_stride_decodes_to_its_box_and_points() -> None:
    cells, _ = grid(64, 32)
    assert len(cells) == sum(64 // stride * (32 // stride) for stride in STRIDES)
    raw = np.zeros((len(cells), 16), np.float32)
    for cell, score in ((8, 0.81), (len(cells) - 1, 1.0)):  # the first of row 1 at stride 8; the last at stride 32
        raw[cell, :2] = score
        raw[cell, 2:6] = 0.5, 0.5, np.log(2), 0.0
        raw[cell, 6:] = np.tile((0.25, 0.75), 5)
    boxes, points, scores = decode_output(raw, 64, 32, MIN_FACE_SCORE)
    assert scores == pytest.approx([1.0, 0.81])
    assert boxes == pytest.approx(np.array([[16, 0, 80, 32], [-4, 8, 12, 16]], np.float32))
    assert points[1] == pytest.approx(np.tile((2, 14), (5, 1)).astype(np.float32))
    assert [part.shape for part in decode_output(raw, 64, 32, 1.1)] == [(0, 4), (0, 5, 2), (0,)]


def test_doubles_are_one_face_and_neighbours_two() -> None:
    large, shifted, beside = face(0.8, 0, 0, 0.4, 0.4), face(0.9, 0.05, 0, 0.45, 0.4), face(0.7, 0.4, 0, 0.8, 0.4)
    assert remove_doubles([large, shifted, beside]) == [shifted, beside]
    inside = face(0.95, 0.1, 0.1, 0.25, 0.25)
    assert remove_doubles([large, inside]) == [inside]
    assert remove_doubles([]) == []


@given(width=st.integers(1, 40_000), height=st.integers(1, 40_000))
def test_tiles_cover_a_picture_of_any_size(width: int, height: int) -> None:
    found = tiles(width, height)
    assert 1 <= len(found) <= TILES
    boxes = np.array([tile for tile, _ in found])
    assert (boxes[:, :2].min(axis=0) == 0).all()
    assert boxes[:, 2:].max(axis=0).tolist() == [width, height]
    scale = found[0][1]
    assert ((boxes[:, 2:] - boxes[:, :2]) * scale < TILE + 1).all()
    rows = sorted({(y0, y1) for _, y0, _, y1 in boxes.tolist()})
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(rows))


def test_a_part_that_reaches_out_is_grey_there() -> None:
    square = crop_scaled(Picture(np.full((10, 20, 3), 7, np.uint8)), (-10, -10, 30, 20), 1.0)
    assert square.shape == (32, 64, 3)
    assert (square[10:20, 10:30] == 7).all()
    assert (square == GREY).sum() == (32 * 64 - 200) * 3


@pytest.mark.parametrize("size", [(1, 1), (1, 1600), (1600, 1), (1600, 107), (2, 3), (300, 200)])
def test_no_faces_where_there_is_nothing(detector: FaceDetector, size: tuple[int, int]) -> None:
    flat = Picture(np.full((size[1], size[0], 3), 128, np.uint8))
    assert detector.detect([flat]) == [[]]
    assert detector.detect([]) == []


def test_noise_keeps_boxes_within_the_picture(detector: FaceDetector) -> None:
    (found,) = detector.detect([Picture(picture(1, 400, 300))], least=0.01)
    for one in found:
        x0, y0, x1, y1 = one.box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1


def test_a_strip_of_thirty_thousand_pixels_is_looked_at(detector: FaceDetector) -> None:
    assert detector.detect([Picture(np.full((2_000, 30_000, 3), 128, np.uint8))]) == [[]]


@pytest.mark.shared
def test_the_conversion_says_what_the_published_network_says(detector: FaceDetector, shared: Path) -> None:
    original = session(shared / "models" / "yunet_n_dynamic.onnx", 1)
    photo = np.asarray(Image.open(shared / "data" / "flickr8k" / "images" / "1007129816_e794419615.jpg").convert("RGB"))
    planes = photo[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    names = [[f"{what}_{stride}" for what in ("cls", "obj", "bbox", "kps")] for stride in STRIDES]
    rows = [np.concatenate(original.run(four, {"input": planes}), axis=2) for four in names]
    (raw,) = detector._network.run(("raw",), {"pixels": photo[None]})
    assert raw == pytest.approx(np.concatenate(rows, axis=1), abs=0.05)
    assert detector.path.stat().st_size == FACES.size < 300_000


@pytest.mark.shared
@pytest.mark.parametrize("size", [20, 40, 92, 400])
def test_a_face_of_any_size_is_where_it_was_laid(detector: FaceDetector, portrait: Picture, size: int) -> None:
    whole = laid(portrait, 800, 600, 200, 60, size)
    (found,) = detector.detect([whole])
    assert len(found) == 1
    x0, y0, x1, y1 = found[0].box
    middle = ((x0 + x1) / 2 * 800, (y0 + y1) / 2 * 600)
    assert middle == pytest.approx((200 + size / 2, 60 + size * 112 / 92 / 2), abs=0.25 * size)
    left, right, nose, low_left, low_right = found[0].pixels(whole)
    assert left[0] < nose[0] < right[0]
    assert low_left[0] < low_right[0]
    assert max(left[1], right[1]) < nose[1] < min(low_left[1], low_right[1])


@pytest.mark.shared
def test_cropped_tight_and_cut_by_the_border_it_is_found(detector: FaceDetector, portrait: Picture) -> None:
    (tight,) = detector.detect([portrait])
    assert len(tight) == 1
    (at_border,) = detector.detect([laid(portrait, 300, 300, -25, 100, 92)])
    assert len(at_border) == 1
    assert at_border[0].box[0] == pytest.approx(0, abs=0.02)


@pytest.mark.shared
def test_mirrored_it_is_the_mirrored_face(detector: FaceDetector, portrait: Picture) -> None:
    whole = laid(portrait, 300, 300, 60, 80, 92)
    plain, mirrored = detector.detect([whole, Picture(np.ascontiguousarray(whole.pixels[:, ::-1]))])
    x0, y0, x1, y1 = plain[0].box
    assert overlap(mirrored[0].box, (1 - x1, y0, 1 - x0, y1)) > 0.8


@pytest.mark.shared
def test_five_thousand_faces_in_one_picture(detector: FaceDetector, portrait: Picture) -> None:
    small = cv2.resize(portrait.pixels, (30, 36), interpolation=cv2.INTER_AREA)
    one = np.pad(small, ((6, 6), (5, 5), (0, 0)), constant_values=90)
    (found,) = detector.detect([Picture(np.tile(one, (50, 100, 1)))])
    assert len(found) == pytest.approx(5_000, rel=0.02)


@pytest.mark.shared
def test_a_long_strip_has_the_face_of_the_photo(detector: FaceDetector, portrait: Picture) -> None:
    (found,) = detector.detect([laid(portrait, 8_000, 500, 6_000, 200, 60)])
    assert len(found) == 1
    assert found[0].box[0] == pytest.approx(6_000 / 8_000, abs=0.005)
