"""Where words are: nodes behind a network, cells as chances, boxes, and what the towers point at."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16 import DIM
from crossmedia.embeddings.clip_b16_weights import GRAPH, WEIGHTS
from crossmedia.embeddings.encoder import COMMON, Vector, normalise
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.onnx import node, session
from crossmedia.embeddings.picture import FEATURES, NETWORK, prepare
from crossmedia.embeddings.pointing import Heat, Meaning, Pointer, heat, scaled
from crossmedia.embeddings.pointing_clip import CELLS, ClipPointer, _starts
from crossmedia.embeddings.pointing_student import StudentPointer
from tests.embeddings.test_segmentation import landscape

MEANING = Meaning(10, -2, 10, 10, -6)
BYTES_OF_WEIGHTS = 90_445_824


def said(words: str) -> Vector:
    text, _, _ = towers(Catalog(None), 1)
    vector: Vector = normalise(text.encode([words]).vectors[COMMON][:, :DIM])[0]
    return vector


def test_nodes_are_put_behind_a_network() -> None:
    nodes = [
        node("Elu", [FEATURES], "more", attributes={"alpha": 0.5}),
        node("Softmax", ["more"], "shares", attributes={"axis": -1}),
    ]
    network = session(BUNDLED / NETWORK, 1, [FEATURES, "shares"], nodes=nodes)
    features, shares = network.run((FEATURES, "shares"), {"pixels": prepare(landscape())[None]})
    raised = np.exp(features - features.max())
    np.testing.assert_allclose(shares, raised / raised.sum(), rtol=1e-4)


def test_the_best_place_is_the_hottest_and_what_is_joined_to_it() -> None:
    cells = np.zeros((8, 10), np.float32)
    cells[5:7, 1:4] = 0.8
    cells[6, 2] = 0.9
    cells[0, 9] = 0.85  # as hot, elsewhere
    shown = heat(cells, 0.2, MEANING)
    assert shown.point == (0.25, 6.5 / 8)
    assert shown.box == (0.1, 5 / 8, 0.4, 7 / 8)
    assert shown.seen
    assert 0 <= shown.cells.min() < 0.5 < shown.cells.max() <= 1
    assert not heat(cells * 0.1, 0.2, MEANING).seen


def test_a_map_without_differences_has_a_box_all_the_same() -> None:
    assert heat(np.zeros((2, 3), np.float32), 0.0, MEANING).box == (0, 0, 1, 1)
    assert Heat(np.full((1, 1), 0.5, np.float32), 0.5).point == (0.5, 0.5)


def test_cells_are_scaled_linearly() -> None:
    np.testing.assert_allclose(scaled(np.array([[0, 1]], np.float32), 1, 4), [[0, 0.25, 0.75, 1]])


@pytest.mark.parametrize(("count", "size"), [(28, 28), (28, 14), (37, 28), (50, 14), (448, 28)])
def test_squares_cover_everything_and_each_other_by_half(count: int, size: int) -> None:
    starts = _starts(count, size)
    assert (starts[0], starts[-1]) == (0, count - size)
    assert all(0 < after - before <= size / 2 + 1 for before, after in pairwise(starts))


@pytest.mark.parametrize("reading", ["keys", "values", "plain"])
def test_the_bundled_graph_has_what_is_read_of_it(tmp_path: Path, reading: str) -> None:
    """With weights of nothing but zeros: the names, shapes and types fit."""
    (tmp_path / GRAPH).write_bytes((BUNDLED / GRAPH).read_bytes())
    with (tmp_path / WEIGHTS).open("wb") as file:
        file.truncate(BYTES_OF_WEIGHTS)
    pointer = ClipPointer(lambda: tmp_path, 1, reading, fine=False)  # type: ignore[arg-type]
    cells, likeness = pointer.similarities(landscape(300, 200), np.eye(2, DIM, dtype=np.float32))
    assert (cells.shape, likeness.shape) == ((2, CELLS, 42), (2,))
    assert np.isfinite(cells).all()


@pytest.fixture(scope="module")
def student() -> Pointer:
    return StudentPointer(BUNDLED, BUNDLED, 1)


def ball(x: int, y: int) -> Picture:
    """A red disc in a landscape of 320×240 px."""
    pixels = landscape().pixels.copy()
    cv2.circle(pixels, (x, y), 28, (220, 30, 30), -1)
    return Picture(pixels)


@pytest.mark.parametrize(("x", "y"), [(70, 60), (240, 180)])
def test_the_tower_in_the_package_points_at_a_ball(student: Pointer, x: int, y: int) -> None:
    shown = student.point(ball(x, y), said("a red ball"))
    np.testing.assert_allclose(shown.point, (x / 320, y / 240), atol=0.1)
    assert shown.seen
    left, top, right, bottom = shown.box
    assert left < x / 320 < right
    assert top < y / 240 < bottom


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (700, 3)])
def test_pictures_of_any_shape_have_cells(student: Pointer, size: tuple[int, int]) -> None:
    shown = student.point(Picture(np.zeros((*size, 3), np.uint8)), said("a cat"))
    assert 1 <= min(shown.cells.shape) <= max(shown.cells.shape) == 28
    assert 0 <= shown.chance <= 1


@pytest.mark.process
@pytest.mark.network
@pytest.mark.slow
def test_clips_tower_points_at_a_ball(clip_b16: Path) -> None:
    pointer = ClipPointer(lambda: Catalog(clip_b16).resolve("clip-b16"), 2)
    shown = pointer.point(ball(240, 180), said("a red ball"))
    np.testing.assert_allclose(shown.point, (0.75, 0.75), atol=0.1)
    assert shown.seen
