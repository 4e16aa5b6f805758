"""Plates: letters from several looks, the form of a plate, neighbours joined, labels on the moments that show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.media import Clip, Picture
from crossmedia.embeddings.objects import ObjectDetector
from crossmedia.eval.plates import Passes
from crossmedia.indexer.decode import Decoded, Shot
from crossmedia.indexer.enrichers.plates import PlatesEnricher
from crossmedia.indexer.plate_letters import ALPHABET, PlateReading, greedy, has_plate_shape, likelihoods, read_letters
from crossmedia.indexer.plates import Plate, PlateLook, PlateReader, groups, join, score
from crossmedia.indexer.scene_text import OcrEngine
from crossmedia.retrieval.documents import Asset, Box, Label, Moment, moment_id
from crossmedia.retrieval.plates import folded

ASSET = Asset("c" * 64, "image", "image/x", 1, "x")
BOX = (0.1, 0.2, 0.9, 0.9)


def chances(text: str, sure: float = 0.9, instead: str = "") -> np.ndarray:
    """A look that shows a text; `instead`: what else each letter may be."""
    steps = []
    for n, character in enumerate(text):
        row = np.full(37, (1 - sure) / 40, np.float32)
        row[1 + ALPHABET.index(character)] = sure
        if instead and instead[n] != character:
            row[1 + ALPHABET.index(instead[n])] = 1 - sure
        steps += [row, np.eye(1, 37, dtype=np.float32)[0]]
    return np.stack(steps)


def look(text: str, x: float, y: float, width: float, height: float = 20) -> PlateLook:
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float32)
    return PlateLook(corners, chances(text))


def car(plate: str, size: int = 26) -> Picture:
    """A grey car with a plate in the middle of the picture, 400×300 px."""
    image = np.full((300, 400, 3), 120, np.uint8)
    cv2.rectangle(image, (40, 60), (360, 270), (60, 70, 90), -1)
    cv2.rectangle(image, (130, 190), (270, 226), (245, 245, 245), -1)
    return Picture(cv2.putText(image, plate, (138, 218), (10, 10, 10), cv2.FontFace("sans"), size)[1])


class FixedReader:
    model = "fixed"

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[tuple[str, Box]], Sequence[Box]]] = []

    def read(self, picture: Picture, lines: Sequence[tuple[str, Box]], vehicles: Sequence[Box]) -> list[Plate]:
        self.asked.append((lines, vehicles))
        return [Plate("AB123CD", 0.9, BOX)]


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return OcrEngine()


def test_a_text_is_as_likely_as_all_ways_to_read_it() -> None:
    sure = chances("AB1", 0.9)
    found = likelihoods(sure, ["AB1", "AB", "AB12", "B1"])
    assert np.exp(found[0]) == pytest.approx(0.9**3, abs=0.01)
    assert found[0] > found[1:].max()
    assert greedy(sure) == "AB1"


def test_looks_are_weighed_together_and_shapes_count() -> None:
    one = read_letters([chances("ZEAV033", 0.6, "7EAV033"), chances("ZEAV033", 0.6, "7EAV033")])
    assert one is not None
    assert (one.text, one.usual) == ("7EAV033", True)
    assert read_letters([chances("AB")]) is None


def test_o_is_a_letter_where_letters_stand() -> None:
    one = read_letters([chances("RK123OO", 0.6, "RK12300")])
    assert one is not None
    assert one.text == "RK123OO"
    assert folded(one.text) == "RK12300"
    assert not has_plate_shape("0K12345")


def test_parts_and_lines_of_a_plate_are_joined() -> None:
    beside = [look("AB", 10, 10, 30), look("123", 50, 11, 45)]
    assert {greedy(both.chances) for both in join(beside)} == {"AB123"}
    below = [look("AB12", 10, 10, 60), look("34", 25, 34, 35)]
    assert "AB1234" in {greedy(both.chances) for both in join(below)}
    assert join([look("AB", 10, 10, 30), look("123", 300, 10, 45)]) == []
    assert len(groups([look("AB123", 10, 10, 80), look("AB123", 12, 11, 78), look("SHOP", 300, 10, 60)])) == 2


def test_words_are_no_plates() -> None:
    assert score(PlateReading("STOP", -0.01, 3), True) < 0.5
    assert score(PlateReading("RK755AJ", -0.1, 3), True) > 0.9
    assert score(PlateReading("RK755AJ", -9.0, 3), True) < 0.5


def test_a_drawn_plate_is_read_on_its_car(engine: OcrEngine) -> None:
    (plate,) = PlateReader(engine).read(car("RK 755 AJ"), [], [(0.1, 0.2, 0.9, 0.9)])
    assert plate.text == "RK755AJ"
    assert plate.box == pytest.approx((0.34, 0.65, 0.66, 0.74), abs=0.05)
    assert PlateReader(engine).read(car("PARKING"), [], [(0.1, 0.2, 0.9, 0.9)]) == []


def test_only_vehicles_and_lines_are_asked_about() -> None:
    labels = (
        Label("object", "car", 0.9, "m", BOX),
        Label("object", "dog", 0.9, "m", BOX),
        Label("object", "bus", 0.4, "m"),
        Label("track", "car", 0.9, "m", BOX),
        Label("text", "AB 123", 0.9, "m", BOX),
    )
    reader = FixedReader()
    pictures = tuple(Picture(np.zeros((8, 8, 3), np.uint8)) for _ in range(2))
    shots = (Shot(0.0, 2.0, (0,)), Shot(2.0, 4.0, (1,)))
    video = Decoded("video", "video/x", Clip(pictures, (0.0, 2.0), None, 4.0), shots=shots)
    moments = [
        Moment(moment_id(ASSET.id, "shot", 0), ASSET.id, "shot", 0.0, 2.0, labels=labels),
        Moment(moment_id(ASSET.id, "shot", 1), ASSET.id, "shot", 2.0, 4.0),
    ]
    result = PlatesEnricher(reader).enrich(ASSET, video, moments)
    assert reader.asked == [([("AB 123", BOX)], [BOX])]
    (patch,) = result.patches
    assert patch.labels == (Label("plate", "AB123CD", 0.9, "fixed", BOX, 0.0, 2.0),)


@pytest.mark.shared
def test_plates_of_photographs(shared: Path) -> None:
    passes = Passes(ObjectDetector(), 1)
    for name, text in (("eu/test_002", "RK755AJ"), ("us/us1", "4PCI264")):
        path = shared / "data" / "plates" / f"{name}.jpg"
        assert Image.open(path).width > 400
        assert folded(text) in [folded(plate.text) for plate in passes(path).plates]
