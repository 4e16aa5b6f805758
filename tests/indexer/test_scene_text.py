"""Writing that is turned, slanted, Chinese, in columns: read, and in the order in which people read it."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.media import Picture
from crossmedia.eval.plates import _COLUMNS, _SIGNS, draw_page, slant
from crossmedia.indexer.enrichers.ocr import RapidReader
from crossmedia.indexer.scene_text import OcrEngine, QuarterTurn, TextPiece, in_reading_order


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader(OcrEngine())


def read(reader: RapidReader, page: np.ndarray) -> list[str]:
    return [line.text for line in reader.read(Picture(np.ascontiguousarray(page)))]


def piece(text: str, x: float, y: float, turn: QuarterTurn = 0, width: float = 200, height: float = 20) -> TextPiece:
    corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float32)
    return TextPiece(text, 0.9, corners, turn)


@pytest.mark.parametrize("quarters", range(4))
def test_signs_are_read_however_they_are_turned(reader: RapidReader, quarters: int) -> None:
    assert read(reader, np.rot90(draw_page(_SIGNS), quarters)) == [text for text, *_ in _SIGNS]


def test_a_slanted_page_is_read_line_by_line(reader: RapidReader) -> None:
    assert read(reader, slant(draw_page(_SIGNS), 20)) == [text for text, *_ in _SIGNS]


def test_columns_are_read_one_after_the_other(reader: RapidReader) -> None:
    assert read(reader, draw_page(_COLUMNS)) == [text for text, *_ in _COLUMNS]


def test_what_stands_beside_each_other_is_a_row() -> None:
    prices = [
        piece(text, x, y, width=w)
        for text, x, y, w in (
            ("3.50", 500, 102, 50),
            ("Coffee", 10, 100, 90),
            ("2.80", 500, 139, 50),
            ("Tea", 10, 140, 60),
            ("4", 500, 180, 20),
            ("Cake", 10, 181, 70),
        )
    ]
    assert [p.text for p in in_reading_order(prices)] == ["Coffee", "3.50", "Tea", "2.80", "Cake", "4"]
    assert in_reading_order([]) == []


def test_most_of_the_writing_tells_which_way_up_the_page_is() -> None:
    head_down = [
        piece("first of the lines", 10, 300, 180),
        piece("second of the lines", 10, 200, 180),
        piece("up", 10, 10),
    ]
    assert [p.text for p in in_reading_order(head_down)][:2] == ["first of the lines", "second of the lines"]


def test_letters_of_a_crop_are_given_their_chances() -> None:
    crop = draw_page([("AB12", 10, 60, 48)])[10:80, :150]
    (chances,) = OcrEngine().chances([crop], "AB12")
    assert chances.shape[1] == 5
    assert chances.sum(axis=1) == pytest.approx(1.0, abs=1e-2)
    assert chances[:, 1:].max(axis=0) == pytest.approx(1.0, abs=0.1)
