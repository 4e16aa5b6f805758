"""OCR: drawn words are read where they stand; blank pictures add nothing; results land on their moments."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from crossmedia.embeddings.media import Clip, Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.decode import Decoded, Shot
from crossmedia.indexer.enrichers.ocr import OcrEnricher, RapidReader, TextLine
from crossmedia.indexer.scene_text import OcrEngine
from crossmedia.retrieval.documents import Asset, Moment, moment_id

ASSET = Asset("b" * 64, "video", "video/x", 1, "x")


def sign(*lines: tuple[str, int, int]) -> Picture:
    image = Image.new("RGB", (640, 400), (250, 250, 250))
    font = ImageFont.load_default(size=48)
    for text, x, y in lines:
        ImageDraw.Draw(image).text((x, y), text, (10, 10, 10), font=font)
    return Picture(np.asarray(image))


class FixedReader:
    model = "fixed"

    def __init__(self, *answers: list[TextLine]) -> None:
        self.answers = list(answers)

    def read(self, picture: Picture) -> list[TextLine]:
        return self.answers.pop(0)


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader(OcrEngine())


def test_drawn_words_are_read_in_order_and_in_place(reader: RapidReader) -> None:
    lines = reader.read(sign(("EXIT 42", 380, 300), ("WELCOME", 40, 40)))
    assert [line.text for line in lines] == ["WELCOME", "EXIT 42"]
    assert all(line.score > 0.8 for line in lines)
    assert lines[0].box == pytest.approx((40 / 640, 50 / 400, 290 / 640, 90 / 400), abs=0.06)


def test_a_picture_without_writing_has_no_lines(reader: RapidReader, capfd: pytest.CaptureFixture[str]) -> None:
    assert reader.read(sign()) == []
    assert reader.read(Picture(np.zeros((1, 1, 3), dtype=np.uint8))) == []
    assert capfd.readouterr() == ("", "")


def test_single_characters_are_dropped(reader: RapidReader) -> None:
    assert reader.read(sign(("Q", 300, 150))) == []


def test_each_shot_gets_its_own_patch(toy: Profile) -> None:
    box = (0.1, 0.1, 0.5, 0.2)
    pictures = (sign(), sign(), sign())
    moments = [
        Moment(moment_id(ASSET.id, "shot", n), ASSET.id, "shot", start=2.0 * n, end=2.0 * n + 2) for n in range(3)
    ]
    answers = FixedReader(
        [TextLine("red door", 0.9, box), TextLine("no entry", 0.7, box)], [], [TextLine("the end", 0.8, box)]
    )
    shots = tuple(Shot(2.0 * n, 2.0 * n + 2, (n,)) for n in range(3))
    decoded = Decoded("video", "video/x", Clip(pictures, (0.0, 2.0, 4.0), None, 6.0), shots=shots)
    result = OcrEnricher(answers, toy.text).enrich(ASSET, decoded, moments[::-1])
    first, last = result.patches
    assert (first.moment, last.moment) == (moments[0].id, moments[2].id)
    assert first.fields == {"ocr": "red door\nno entry"}
    assert first.vectors["text"] == pytest.approx(toy.text.encode(["red door no entry"]).vectors["text"][0])
    assert set(first.vectors) == {"text"}
    assert [(label.kind, label.value, label.score, label.box) for label in first.labels] == [
        ("text", "red door", 0.9, box),
        ("text", "no entry", 0.7, box),
    ]
    assert (last.labels[0].start, last.labels[0].end, last.labels[0].model) == (4.0, 6.0, "fixed")
    assert (result.moments, result.enricher, result.model) == ((), "ocr", "fixed+toy")


def test_nothing_written_gives_no_patch(toy: Profile) -> None:
    moment = Moment(moment_id(ASSET.id, "picture", 0), ASSET.id, "picture")
    result = OcrEnricher(FixedReader([]), toy.text).enrich(ASSET, Decoded("image", "image/x", sign()), [moment])
    assert result.patches == ()


@pytest.mark.shared
def test_car_plates_are_read(reader: RapidReader, shared: Path) -> None:
    paths = sorted((shared / "data" / "plates").glob("*/*.jpg"))[::14]
    found = 0
    for path in paths:
        image = Image.open(path).convert("RGB")
        image.thumbnail((1600, 1600))
        text = re.sub(r"[^A-Z0-9]", "", "".join(line.text for line in reader.read(Picture(np.asarray(image)))).upper())
        found += path.with_suffix(".txt").read_text().split()[-1].upper() in text
    assert found / len(paths) > 0.5
