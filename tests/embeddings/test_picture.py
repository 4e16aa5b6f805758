"""The picture tower: golden numbers, odd shapes, and agreement with the words for what it sees."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from crossmedia.embeddings.builtin import calibrations, teacher_calibrations, towers
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.picture import HEAD, SIDE, Lite2, prepare


@pytest.fixture(scope="module")
def encoder() -> Lite2:
    return towers(Catalog())[1]


def drawn(width: int = 320, height: int = 240) -> Picture:
    """A red ball on grass under a blue sky."""
    image = Image.new("RGB", (width, height), (110, 170, 230))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, height * 0.6, width, height), fill=(60, 140, 40))
    pen.ellipse((width * 0.35, height * 0.35, width * 0.65, height * 0.8), fill=(210, 30, 30))
    return Picture(np.asarray(image))


def flat(width: int, height: int, colour: tuple[int, int, int] = (90, 120, 30)) -> Picture:
    return Picture(np.full((height, width, 3), colour, np.uint8))


def test_golden_numbers(encoder: Lite2) -> None:
    vectors = encoder.encode([drawn()]).vectors
    np.testing.assert_allclose(vectors["common"][0, :4], [-0.0033, -0.0482, 0.0169, 0.0102], atol=5e-3)
    np.testing.assert_allclose(vectors["picture"][0, :4], [0.4197, 0.0585, 0.0042, 0.1126], atol=5e-3)


def test_odd_pictures_have_unit_vectors_too(encoder: Lite2) -> None:
    odd = [
        flat(1, 1),
        flat(4000, 3),
        flat(2, 3000),
        flat(260, 260, (0, 0, 0)),
        flat(300, 200, (255, 255, 255)),
        drawn(),
    ]
    encoding = encoder.encode(odd)
    for space in encoder.spaces:
        rows = encoding.vectors[space.name]
        assert rows.shape == (len(odd), space.dim)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert len(encoding.classes) == len(odd)
    for classes in encoding.classes:
        chances = [chance for _, chance in classes]
        assert len(classes) <= 5
        assert chances == sorted(chances, reverse=True)
        assert all(0.1 <= chance <= 1 for chance in chances)


def test_an_empty_batch_gives_empty_arrays(encoder: Lite2) -> None:
    encoding = encoder.encode([])
    assert {name: rows.shape for name, rows in encoding.vectors.items()} == {"common": (0, 514), "picture": (0, 256)}
    assert len(encoding.classes) == 0


def test_a_picture_does_not_depend_on_its_neighbours(encoder: Lite2) -> None:
    pictures = [drawn(200 + 7 * n, 150 + 11 * n) for n in range(11)]
    together = encoder.encode(pictures).vectors["common"]
    alone = np.concatenate([encoder.encode([picture]).vectors["common"] for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_picture_is_padded_not_cropped() -> None:
    pixels = np.full((100, 200, 3), 50, np.uint8)
    pixels[:, :20] = pixels[:, -20:] = 200
    square = prepare(Picture(pixels))
    assert square.shape == (SIDE, SIDE, 3)
    middle = square[SIDE // 2, :, 0]
    assert middle[5] == 200
    assert middle[-5] == 200
    assert middle[SIDE // 2] == 50
    assert 50 < square[0, 0, 0] < 200
    assert np.ptp(square[: SIDE // 4 - 2]) == 0


def test_the_network_is_opened_by_the_first_picture(tmp_path: Path) -> None:
    lazy = Lite2(tmp_path, tmp_path / HEAD, lambda: pytest.fail("nobody needs the bank"))
    assert lazy.encode([]).vectors["common"].shape == (0, 514)


def test_both_towers_share_the_common_space_and_know_their_backgrounds() -> None:
    text, picture, known = towers(Catalog())
    shared = {space.name: space for space in text.spaces}["common"]
    assert shared in picture.spaces
    assert set(known) == {
        ("common", "text", "picture"),
        ("common", "picture", "text"),
        ("common", "picture", "picture"),
        ("common", "text", "text"),
        ("picture", "picture", "picture"),
        ("text", "text", "text"),
    }
    for calibration in known.values():
        assert calibration.mean < calibration.bias < 1
        assert calibration.slope > 0
        assert calibration.relevance(calibration.bias) == pytest.approx(0.5)
        assert calibration.relevance(calibration.mean) < 0.2


def test_the_student_has_its_teachers_cut_off() -> None:
    key = ("common", "text", "picture")
    student, teacher = calibrations(BUNDLED / "backgrounds.json")[key], teacher_calibrations()[key]  # type: ignore[index]
    assert student.bias == pytest.approx(teacher.bias, abs=0.002)


@pytest.mark.shared
def test_captions_find_their_photos(shared: Path) -> None:
    text, picture, _ = towers(Catalog())
    root = shared / "data" / "flickr8k"
    told: dict[str, str] = {}
    with (root / "captions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "dev" and len(told) < 100:
                told.setdefault(row["image"], row["caption"])
    photos = [Picture(np.asarray(Image.open(root / "images" / name).convert("RGB"))) for name in told]
    scores = text.encode(list(told.values())).vectors["common"] @ picture.encode(photos).vectors["common"].T
    rank = (scores > np.diag(scores)[:, None]).sum(1)
    assert (rank < 10).mean() > 0.85


@pytest.mark.shared
def test_nonsense_finds_nothing_and_words_find_something(shared: Path) -> None:
    text, picture, _ = towers(Catalog())
    root = shared / "data" / "flickr8k" / "images"
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in sorted(root.iterdir())[:150]]
    seen = picture.encode(photos).vectors["common"]
    middle = calibrations(BUNDLED / "backgrounds.json")["common", "text", "picture"].bias
    for word in ("dog", "children"):
        assert (text.encode([word]).vectors["common"] @ seen.T).max() >= middle
    nonsense = ["xqzvk plomth grubbix", "wvvk zzjqp", "hjklqwrt bnmvcx"]
    assert (text.encode(nonsense).vectors["common"] @ seen.T).max(1).max() < middle
