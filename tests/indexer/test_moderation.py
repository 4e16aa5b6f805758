"""What feeds the policy: nakedness and abusive words, with the real models where they are installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.nudity import EXPOSED, SIDE, NudityDetector, decode_output, pad_to_square
from crossmedia.embeddings.objects import Detection
from crossmedia.indexer.decode.types import Decoded
from crossmedia.indexer.enrichers.abuse import AbuseEnricher
from crossmedia.indexer.enrichers.nudity import NudityEnricher
from crossmedia.indexer.enrichers.registry import select
from crossmedia.retrieval.documents import Asset
from tests.retrieval.makers import asset_id, moment

ASSET = Asset(asset_id("a"), "image", "image/png", 1, "a.png")


def blank(width: int, height: int) -> Picture:
    return Picture(np.full((height, width, 3), 128, np.uint8))


def test_the_networks_answer_becomes_boxes() -> None:
    raw = np.zeros((22, 2100), np.float32)
    raw[:4, 0] = (160, 80, 80, 40)  # in a picture of 640 × 320: in its middle
    raw[4 + 3, 0] = 0.9
    raw[:4, 1] = (162, 80, 80, 40)  # the same again
    raw[4 + 3, 1] = 0.8
    raw[:4, 2] = (40, 40, 20, 20)  # a face is no nakedness
    raw[4 + 1, 2] = 0.95
    raw[:4, 3] = (300, 300, 10, 10)  # in the black below the picture
    raw[4 + 4, 3] = 0.7
    [found] = decode_output(raw, blank(640, 320), 0.4)
    assert (found.value, found.score) == ("breast", pytest.approx(0.9))
    assert found.box == pytest.approx((0.375, 0.375, 0.625, 0.625))
    assert decode_output(raw, blank(640, 320), 0.95) == []


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3000, 20), (20, 3000), (320, 320)])
def test_any_shape_is_squared(width: int, height: int) -> None:
    pixels = pad_to_square(blank(width, height))
    assert pixels.shape == (3, SIDE, SIDE)
    assert pixels.max() == pytest.approx(128 / 255)


class Everywhere:
    model = "everywhere@1"

    def detect(self, batch: Sequence[Picture]) -> list[list[Detection]]:
        return [[Detection("breast", 0.7, (0.1, 0.1, 0.2, 0.2))] for _ in batch]


def test_labels_of_nakedness() -> None:
    decoded = Decoded("image", "image/png", blank(8, 8))
    shown = [moment(ASSET.id)]
    [patch] = NudityEnricher(Everywhere()).enrich(ASSET, decoded, shown).patches
    [label] = patch.labels
    assert (patch.moment, label.kind, label.value, label.score, label.box) == (
        shown[0].id,
        "nudity",
        "exposed",
        0.7,
        (0.1, 0.1, 0.2, 0.2),
    )
    assert NudityEnricher(Everywhere()).enrich(ASSET, decoded, []).patches == ()


def test_labels_of_words_are_on_the_moment_that_says_them() -> None:
    said = [
        moment(ASSET.id, "speech", 0, start=1.0, end=2.0, fields={"transcript": "awful"}),
        moment(ASSET.id, "speech", 1, start=2.0, end=3.0, fields={"transcript": "kind"}),
        moment(ASSET.id, "turn", 0, start=1.0, end=3.0),
    ]
    enricher = AbuseEnricher(lambda texts: [0.9 if text == "awful" else 0.4 for text in texts])
    [patch] = enricher.enrich(ASSET, Decoded("image", "image/png", blank(8, 8)), said).patches
    assert patch.moment == said[0].id
    assert (patch.labels[0].kind, patch.labels[0].score, patch.labels[0].start) == ("abuse", 0.9, 1.0)


def test_who_is_not_installed_is_not_missed_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.indexer.enrichers.registry.find_spec", lambda name: None)
    assert not {"nudity", "abuse"} & set(select(()))
    assert "objects" in select(())
    assert select((), ["nudity"]) == ["nudity"]


@pytest.mark.skipif(find_spec("nudenet") is None, reason="the extra nudity is not installed")
def test_the_real_detector_finds_nothing_in_what_is_dressed(shared: Path) -> None:
    from PIL import Image

    detector = NudityDetector(Catalog().resolve("nudenet"))
    photos = sorted((shared / "data" / "flickr8k" / "images").glob("*.jpg"))[:12]
    pictures = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in photos]
    found = detector.detect([*pictures, blank(1, 1), blank(2000, 30)])
    assert sum(bool(one) for one in found) <= 2
    assert set(EXPOSED.values()) >= {one.value for some in detector.detect(pictures, 0.01) for one in some} != set()


@pytest.mark.skipif(find_spec("profanity_check") is None, reason="the extra abuse is not installed")
def test_the_real_judge_of_words() -> None:
    said = [
        moment(ASSET.id, "speech", n, fields={"transcript": text})
        for n, text in enumerate(
            ("what a lovely morning on the beach", "you stupid fucking idiot", "a dog runs over the grass")
        )
    ]
    patches = AbuseEnricher().enrich(ASSET, Decoded("image", "image/png", blank(8, 8)), said).patches
    assert [patch.moment for patch in patches] == [said[1].id]


def test_a_model_that_is_absent_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.embeddings.catalog.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelMissing) as raised:
        Catalog().resolve("nudenet")
    assert "crossmedia[nudity]" in raised.value.hint
