"""Objects: what a hand-made output decodes to, letterboxes that are undone, known photos, hostile pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import (
    GREY,
    MIN_OBJECT_SCORE,
    SIDE,
    ObjectDetector,
    decode_square,
    fitted_size,
    letterbox,
    overlap,
    tiles,
)
from tests.media_makers import picture

KNOWN = "1019604187_d087bf9a5f.jpg"
"""A white dog jumps at a ball, a man and a car behind it."""
CELLS = 52 * 52 + 26 * 26 + 13 * 13
DOG, CAT, HORSE, PERSON = 16, 15, 17, 0


@pytest.fixture(scope="module")
def detector() -> ObjectDetector:
    return ObjectDetector(threads=1)


def output(*rows: tuple[int, tuple[float, float, float, float], float, int, float]) -> NDArray[np.float32]:
    """A network's answer that is empty but for cells: (number, dx dy log-w log-h, objectness, class, probability)."""
    raw = np.zeros((CELLS, 85), dtype=np.float32)
    for cell, box, objectness, number, probability in rows:
        raw[cell, :4] = box
        raw[cell, 4], raw[cell, 5 + number] = objectness, probability
    return raw


def test_a_cell_of_each_stride_decodes_to_its_box() -> None:
    # Column 3 of row 2 at stride 8; column 5 of row 4 at stride 16; the last cell of all at stride 32.
    middle = 52 * 52 + 4 * 26 + 5
    raw = output(
        (2 * 52 + 3, (0.5, 0.25, np.log(2), np.log(3)), 0.9, DOG, 0.8),
        (middle, (0.0, 0.0, np.log(4), 0.0), 0.8, CAT, 0.5),
        (CELLS - 1, (0.0, 0.0, 0.0, 0.0), 1.0, PERSON, 1.0),
    )
    boxes, scores, classes = decode_square(raw, MIN_OBJECT_SCORE)
    assert classes.tolist() == [PERSON, DOG, CAT]
    assert scores == pytest.approx([1.0, 0.72, 0.4])
    assert boxes == pytest.approx(
        np.array([[368, 368, 400, 400], [20, 6, 36, 30], [48, 56, 112, 72]], np.float32), abs=1e-3
    )


def test_low_scores_are_no_objects() -> None:
    raw = output((0, (0, 0, 0, 0), 0.5, DOG, 0.5), (1, (0, 0, 0, 0), 0.9, DOG, 0.9))
    assert len(decode_square(raw, MIN_OBJECT_SCORE)[0]) == 1
    assert len(decode_square(raw, 0.2)[0]) == 2
    empty = decode_square(output(), MIN_OBJECT_SCORE)
    assert [part.shape for part in empty] == [(0, 4), (0,), (0,)]


def test_doubles_are_one_object_and_a_rider_hides_no_horse() -> None:
    large = (0.0, 0.0, np.log(10), np.log(10))
    cell = 20 * 52 + 20
    raw = output(
        (cell, large, 0.9, HORSE, 0.9),
        (cell + 1, large, 0.9, HORSE, 0.8),
        (cell + 2, large, 0.9, PERSON, 0.7),
        (cell + 30, large, 0.9, HORSE, 0.6),
    )
    _, scores, classes = decode_square(raw, MIN_OBJECT_SCORE)
    assert classes.tolist() == [HORSE, PERSON, HORSE]
    assert scores == pytest.approx([0.81, 0.63, 0.54])


@settings(max_examples=25)
@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    shares=st.tuples(*[st.floats(0.05, 0.95)] * 4),
)
def test_a_box_in_the_square_is_the_same_share_of_the_picture(
    width: int, height: int, shares: tuple[float, float, float, float]
) -> None:
    shape = Picture(np.broadcast_to(np.zeros(3, np.uint8), (height, width, 3)))
    across, down = fitted_size(shape)
    assert max(across, down) == SIDE
    assert min(across, down) == max(1, round(SIDE * min(width, height) / max(width, height)))
    x0, x1 = sorted((shares[0], shares[2]))
    y0, y1 = sorted((shares[1], shares[3]))
    box = np.array([x0 * across, y0 * down, max(x1 - x0, 0.01) * across, max(y1 - y0, 0.01) * down])
    # As the first cell would say it at stride 8.
    raw = output((0, (*((box[:2] + box[2:] / 2) / 8), *np.log(box[2:] / 8)), 1.0, DOG, 1.0))
    (found,) = ObjectDetector().named(shape, raw)
    assert found.value == "dog"
    assert found.box == pytest.approx((x0, y0, x0 + max(x1 - x0, 0.01), y0 + max(y1 - y0, 0.01)), abs=1e-4)


def test_what_reaches_out_of_the_picture_is_clipped_and_what_lies_in_the_grey_is_gone() -> None:
    wide = Picture(np.zeros((100, 200, 3), dtype=np.uint8))
    reaching = output((0, (0.0, 0.0, np.log(20), np.log(20)), 1.0, DOG, 1.0))
    (found,) = ObjectDetector().named(wide, reaching)
    assert found.box == pytest.approx((0, 0, 80 / 416, 80 / 208))
    grey = output((CELLS - 1, (0.0, 0.0, 0.0, 0.0), 1.0, DOG, 1.0))
    assert ObjectDetector().named(wide, grey) == []


def test_the_picture_lies_at_the_top_left_of_a_grey_square() -> None:
    square = letterbox(Picture(np.full((100, 200, 3), 9, dtype=np.uint8)))
    assert square.shape == (SIDE, SIDE, 3)
    assert (square[:208] == 9).all()
    assert (square[208:] == GREY).all()
    same = picture(3, SIDE, SIDE)
    assert (letterbox(Picture(same)) == same).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 1600), (1600, 1), (1600, 107), (2, 3)])
def test_any_shape_is_looked_at(detector: ObjectDetector, size: tuple[int, int]) -> None:
    pixels = picture(1, *size) if min(size) > 9 else np.full((size[1], size[0], 3), 200, dtype=np.uint8)
    (found,) = detector.detect([Picture(pixels)], least=0.01)
    for one in found:
        x0, y0, x1, y1 = one.box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_tiles_are_squares_that_cover_long_pictures_only(width: int, height: int) -> None:
    found = tiles(Picture(np.broadcast_to(np.zeros(3, np.uint8), (height, width, 3))))
    shorter, longer = sorted((width, height))
    if not found:
        assert longer < 2.5 * shorter or shorter < 64
        return
    assert 1 < len(found) <= 32
    assert all((x1 - x0, y1 - y0) == (shorter, shorter) and x1 <= width and y1 <= height for x0, y0, x1, y1 in found)
    spans = [(x0, x1) if width > height else (y0, y1) for x0, y0, x1, y1 in found]
    assert (spans[0][0], spans[-1][1]) == (0, longer)
    assert all(other[0] <= one[1] for one, other in pairwise(spans)) or longer > 32 * shorter


@pytest.mark.shared
@pytest.mark.parametrize("upright", [False, True])
def test_in_a_panorama_it_finds_what_it_finds_in_a_photo(detector: ObjectDetector, shared: Path, upright: bool) -> None:
    path = shared / "data" / "flickr8k" / "images" / KNOWN
    pixels = np.asarray(Image.open(path).convert("RGB"))
    grey = np.full((224, 224, 3), 114, dtype=np.uint8)
    strip = np.concatenate([grey, grey, pixels, grey, grey], axis=0 if upright else 1)
    (found,) = detector.detect([Picture(strip)])
    (ball,) = [one for one in found if one.value == "sports ball"]
    x0, y0, x1, y1 = 0.67, 0.08, 0.76, 0.2
    expected = (x0, (2 + y0) / 5, x1, (2 + y1) / 5) if upright else ((2 + x0) / 5, y0, (2 + x1) / 5, y1)
    assert ball.box == pytest.approx(expected, abs=0.02)


def test_nothing_in_nothing(detector: ObjectDetector) -> None:
    assert detector.detect([]) == []
    assert detector.detect([Picture(np.full((300, 400, 3), 128, dtype=np.uint8))]) == [[]]


def test_coco_has_eighty_classes(detector: ObjectDetector) -> None:
    assert len(set(detector.classes)) == len(detector.classes) == 80
    assert [detector.classes[n] for n in (0, 16, 79)] == ["person", "dog", "toothbrush"]


@pytest.mark.shared
def test_a_known_photo_is_pinned(detector: ObjectDetector, shared: Path) -> None:
    path = shared / "data" / "flickr8k" / "images" / KNOWN
    (found,) = detector.detect([Picture(np.asarray(Image.open(path).convert("RGB")))])
    assert [(one.value, round(one.score, 2)) for one in found] == [
        ("dog", 0.94),
        ("sports ball", 0.82),
        ("person", 0.64),
        ("car", 0.55),
    ]
    assert found[0].box == pytest.approx((0.24, 0.4, 0.68, 1.0), abs=0.02)


@pytest.mark.shared
def test_photos_of_cars_have_cars_alone_and_in_a_batch(detector: ObjectDetector, shared: Path) -> None:
    paths = sorted((shared / "data" / "plates").glob("*/*.jpg"))[:12]
    photos = []
    for path in paths:
        image = Image.open(path).convert("RGB")
        image.thumbnail((1600, 1600))
        photos.append(Picture(np.asarray(image)))
    together = detector.detect(photos)
    assert together == [detector.detect([photo])[0] for photo in photos]
    cars = [[one for one in found if one.value in ("car", "truck", "bus")] for found in together]
    assert sum(map(bool, cars)) >= 10


@pytest.mark.shared
def test_turned_round_a_box_turns_too(detector: ObjectDetector, shared: Path) -> None:
    path = shared / "data" / "flickr8k" / "images" / KNOWN
    pixels = np.asarray(Image.open(path).convert("RGB"))
    plain, mirrored = detector.detect([Picture(pixels), Picture(np.ascontiguousarray(pixels[:, ::-1]))])
    x0, y0, x1, y1 = plain[0].box
    twin = max(mirrored, key=lambda one: overlap(one.box, (1 - x1, y0, 1 - x0, y1)) * (one.value == plain[0].value))
    assert overlap(twin.box, (1 - x1, y0, 1 - x0, y1)) > 0.8
