"""What is counted of plates: a photograph is found once, every other label on it is false."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossmedia.eval.plates import PlatePhoto, draw_page, region, slant
from crossmedia.indexer.plates import Plate

BOX = (0.1, 0.1, 0.2, 0.2)


def test_recall_is_of_photographs_and_precision_of_labels(tmp_path: Path) -> None:
    truth = ("AB12O", "CD345", "EF678", "GH901")
    told = (["AB120"], ["CD345", "XY999"], ["EF679"], [])
    photos = []
    for n, (text, plates) in enumerate(zip(truth, told, strict=True)):
        path = tmp_path / f"{n}.jpg"
        path.with_suffix(".txt").write_text(f"{n}.jpg\t1\t2\t30\t10\t{text}\n")
        photos.append(PlatePhoto(path, [Plate(plate, 0.9, BOX) for plate in plates], (0.1, 0.2, 0.3)))
    section = region("eu", photos)
    found = {figure.what: figure.value for figure in section.figures}
    assert found["recall"] == pytest.approx(2 / 4)
    assert found["precision, of all labels"] == pytest.approx(2 / 4)
    assert found["found with one character wrong"] == pytest.approx(3 / 4)
    assert found["plates, mean of a picture"] == pytest.approx(0.3)
    assert len(section.details) == 3


def test_pages_keep_their_size() -> None:
    page = draw_page([("北京", 60, 100, 48)])
    assert page.min() < 50
    assert slant(page, 30).shape == page.shape == (700, 900, 3)
