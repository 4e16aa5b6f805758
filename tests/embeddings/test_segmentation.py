"""What pictures are made of: classifier, edges, shares, masks, hostile shapes, how it is learned, the enricher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.cards import AREAS
from crossmedia.embeddings.catalog import BUNDLED, sha256
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection
from crossmedia.embeddings.onnx import outputs
from crossmedia.embeddings.segmentation import (
    GRID,
    MIN_AREA_PROBABILITY,
    Segmentation,
    Segmenter,
    colours,
    decide,
    picture_rectangle,
    places,
    refine,
)
from crossmedia.embeddings.train import areas as learning
from crossmedia.indexer.decode.types import Decoded
from crossmedia.indexer.enrichers.segmentation import SegmentationEnricher
from crossmedia.retrieval.documents import Asset
from tests.retrieval.makers import asset_id, moment

ASSET = Asset(asset_id("a"), "image", "image/png", 1, "a.png")


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(threads=1)


def landscape(width: int = 320, height: int = 240) -> Picture:
    """Blue and a little paler downwards, above green blades."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((height, width, 3))
    half = height // 2
    pixels[:half] = np.linspace((70, 130, 220), (150, 190, 240), half)[:, None]
    pixels[half:] = rng.normal(0, 25, (height - half, width, 1)) + np.array((70, 140, 40))
    return Picture(pixels.clip(0, 255).astype(np.uint8))


def test_a_drawn_landscape_is_sky_above_and_grass_below(segmenter: Segmenter) -> None:
    parts = segmenter.segment(landscape())
    shares = parts.shares()
    assert 0.3 < shares["sky"] < 0.6
    assert 0.3 < shares["grass"] < 0.6
    sky, grass = (parts.mask(name, 320, 240) > 0 for name in ("sky", "grass"))
    assert sky.shape == (240, 320)
    assert sky[:100].mean() > 0.8 > 0.1 > sky[140:].mean()
    assert grass[140:].mean() > 0.8 > 0.1 > grass[:100].mean()
    assert not (sky & grass).any()


def test_masks_have_the_shares_of_their_classes(segmenter: Segmenter) -> None:
    parts = segmenter.segment(landscape())
    for name, share in parts.shares().items():
        assert (parts.mask(name, 520, 390) > 0).mean() == pytest.approx(share, abs=0.02)
    with pytest.raises(ValueError, match="tuple"):
        parts.mask("lava", 10, 10)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (30000, 2), (2, 3000), (17, 4000), (300, 20)])
def test_any_shape_has_parts(segmenter: Segmenter, width: int, height: int) -> None:
    parts = segmenter.segment(Picture(np.full((height, width, 3), 128, np.uint8)))
    left, top, wide, high = picture_rectangle(Picture(np.zeros((height, width, 3), np.uint8)))
    assert parts.chances.shape == (high, wide, len(segmenter.classes) + 1)
    assert min(left, top) >= 0
    assert 0 <= sum(parts.shares().values()) <= 1 + 1e-6
    assert parts.mask("sky", 5, 3).shape == (3, 5)


def test_what_is_unsure_is_other() -> None:
    chances = np.array([[[0.45, 0.3, 0.25]], [[MIN_AREA_PROBABILITY, 0.4, 0.1]], [[0.1, 0.2, 0.7]]], np.float32)
    assert decide(chances).ravel().tolist() == [2, 0, 2]
    parts = Segmentation(("sky", "grass"), chances)
    assert parts.shares() == {"sky": pytest.approx(1 / 3), "grass": 0}
    assert parts.mask("sky", 1, 3).ravel().tolist() == [0, 255, 0]


def test_edges_follow_the_photo() -> None:
    square = np.zeros((260, 260, 3), np.uint8)
    square[:, 120:] = 255
    chances = np.zeros((GRID, GRID, 2), np.float32)
    chances[:, :8, 0], chances[:, 8:, 1] = 1, 1
    fine = refine(chances, square)
    assert fine.sum(axis=2) == pytest.approx(1, abs=1e-4)
    edge = int((fine[130, :, 0] >= 0.5).sum())
    assert abs(edge - 120) <= 2


def test_colours_and_places() -> None:
    square = np.zeros((260, 260, 3), np.uint8)
    square[130:] = (255, 0, 0)
    told = colours(square)
    assert told.shape == (GRID, GRID, 7)
    assert told[0, 0, 0] == pytest.approx(0, abs=0.01)
    assert told[16, 0, 6] > told[0, 0, 6] + 0.2
    assert told[8, 0, 3] > 0.1  # the edge
    wide = places(Picture(np.zeros((100, 200, 3), np.uint8)))
    assert (wide[0, 0, 0], wide[16, 0, 0]) == (0, 1)
    assert wide[8, 8].tolist() == pytest.approx([0.5, 0.25, 0, 0], abs=0.01)


def test_further_outputs_of_a_long_name() -> None:
    made = outputs(["x" * 200])
    assert made[0] == 0x3A
    assert (made[1] & 127) + (made[2] << 7) == len(made) - 3


def test_the_bundled_file_is_the_one_of_the_card() -> None:
    assert sha256(BUNDLED / "areas.npz") == AREAS.files[0].sha256
    assert AREAS.files[0].sha256 in (BUNDLED / "areas.md").read_text("utf-8")


def test_captions_name_classes() -> None:
    told = learning.count_named(["A dog runs on the grass under a blue sky .", "A grassy field", "A seal"])
    assert dict(zip(learning.CLASSES, told.tolist(), strict=True)) == {
        name: {"sky": 1, "grass": 2}.get(name, 0) for name in learning.CLASSES
    }


def test_objects_are_other_but_not_what_is_seen_through() -> None:
    cells = learning.find_things(
        [Detection("dog", 0.9, (0.0, 0.0, 0.5, 1.0)), Detection("bench", 0.9, (0.5, 0.0, 1.0, 1.0))]
    )
    assert cells[8, 4]
    assert not cells[8, 9:].any()
    assert not cells[0].any()


def test_training_learns_what_separates() -> None:
    rng = np.random.default_rng(0)
    count = len(learning.CLASSES) + 1
    classes = rng.integers(0, count, GRID * GRID)
    rows = (4 * np.eye(count)[classes] + rng.normal(0, 0.3, (len(classes), count))).astype(np.float16)
    seeds = np.arange(0, len(classes), 3)
    told = np.ones((1, count - 1), dtype=bool)
    weights = learning.Trainer(rows, seeds, classes[seeds]).learn(told, classes == count - 1)
    said = (rows.astype(np.float32) @ weights[:-1] + weights[-1]).argmax(axis=1)
    assert (said == classes).mean() > 0.98


def test_points_are_within_known_classes() -> None:
    assert {name for *_, name in learning.read_points()} == {*learning.CLASSES, "other"}


class Half:
    """Half of each picture is sky, and a little of it water."""

    model = "half@1"

    def segment(self, picture: Picture) -> Segmentation:
        chances = np.zeros((50, 2, 3), np.float32)
        chances[..., 2] = 1
        chances[:25] = (1, 0, 0)
        chances[49, 0] = (0, 1, 0)
        return Segmentation(("sky", "water"), chances)


def test_shares_are_scores_of_labels_and_small_ones_are_not_told() -> None:
    shown = moment(ASSET.id)
    found = SegmentationEnricher(Half()).enrich(ASSET, Decoded("image", "image/png", landscape()), [shown])
    [patch] = found.patches
    [label] = patch.labels
    assert (patch.moment, label.kind, label.value, label.score) == (shown.id, "area", "sky", 0.5)
    assert found.model == "half@1+areas@1"
    assert SegmentationEnricher(Half()).enrich(ASSET, Decoded("image", "image/png", landscape()), []).patches == ()


@pytest.mark.shared
def test_areas_of_photos_are_told_as_they_were_named(shared: Path, segmenter: Segmenter) -> None:
    from crossmedia.eval.areas import measure, read_points

    sections = measure(segmenter, shared / "data" / "flickr8k" / "images")
    figures = {figure.what: figure.value for section in sections for figure in section.figures}
    assert len(read_points()) == 40
    assert figures["points told right"] > 0.74
    assert figures["sky, told: there"] > 0.75
    assert figures["sky: mean absolute error of the share"] < 0.05
