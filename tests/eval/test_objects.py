"""Captions as weak truth: what they name, recall and named by class and by score, and sheets to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from crossmedia.embeddings.objects import Detection, ObjectDetector
from crossmedia.eval.datasets import flickr8k
from crossmedia.eval.objects import SHEET, by_class, by_score, draw, measure, names_in
from tests.media_makers import write_picture

BOX = (0.1, 0.1, 0.9, 0.9)


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("Two dogs run .", {"dog"}),
        ("A man eats a hot dog .", {"person"}),
        ("A surfer rides a wave .", {"person", "surfboard"}),
        ("The boys play football .", {"person", "sports ball"}),
        ("A biker on a bike .", {"person"}),
        ("A sailboat and a canoe", {"boat"}),
        ("A cartoon of a scarf , a carpet", set()),
        ("A horseback ride", {"horse"}),
    ],
)
def test_what_a_caption_names(caption: str, names: set[str]) -> None:
    assert names_in(caption) == names


def test_recall_and_named_are_shares_of_photos() -> None:
    captions = [["A dog .", "A brown dog runs ."]] * 4 + [["A cat ."]] * 6
    dog, weak = [Detection("dog", 0.9, BOX), Detection("dog", 0.8, BOX)], [Detection("dog", 0.2, BOX)]
    found = [dog, dog, dog, weak, dog, dog, [], [], [], [Detection("cat", 0.5, BOX)]]
    recall, named = by_class(captions, found, 0.3)
    assert {f.what.split(",")[0]: (f.value, f.of) for f in recall} == {
        "cat": (pytest.approx(1 / 6), 6),  # four photos of dogs are too few for a line of their own
        "all of these": (pytest.approx(4 / 10), 10),
    }
    assert {f.what.split(",")[0]: (f.value, f.of) for f in named} == {
        "dog": (pytest.approx(3 / 5), 5),
        "all of these": (pytest.approx(4 / 6), 6),
    }
    low = by_score(captions, found, (0.1,))
    assert [f.value for f in low] == [pytest.approx(5 / 10), pytest.approx(5 / 7)]


def test_people_do_not_drown_the_rest() -> None:
    figures = by_score([["A man with a dog ."]], [[Detection("person", 0.9, BOX)]], (0.3,))
    assert [(f.value, f.of) for f in figures] == [(0.0, 1), (0.0, 0)]


def test_photos_are_drawn_on_sheets(tmp_path: Path) -> None:
    photos = [write_picture(tmp_path / f"{n:02}.png", seed=n, width=60, height=60) for n in range(SHEET + 1)]
    lines: list[str] = []
    written = draw(photos, [[Detection("dog", 0.9, BOX)]] * len(photos), tmp_path / "sheets", lines.append)
    assert [path.name for path in written] == ["objects-00.jpg", "objects-01.jpg"]
    assert Image.open(written[0]).width > 4 * Image.open(written[1]).width
    assert lines == [f"2 sheets in {tmp_path / 'sheets'}"]


@pytest.mark.shared
def test_on_photos_it_finds_most_people(shared: Path) -> None:
    captions = flickr8k(shared / "data" / "flickr8k", "dev").captions
    some = {path: captions[path] for path in sorted(captions)[:60]}
    recall, named, _ = measure(ObjectDetector(threads=1), some)
    by_name = {f.what: f.value for section in (recall, named) for f in section.figures}
    assert by_name["person, named by a caption: found"] > 0.8
    assert by_name["person, found: named by a caption"] > 0.9
