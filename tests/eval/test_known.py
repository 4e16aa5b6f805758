"""Copies as the measure of known content makes them, and what it counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.eval import copies, known
from crossmedia.eval.bench import banks
from tests.media_makers import picture, write_picture


@pytest.mark.parametrize("name", copies.COPIES)
def test_a_copy_is_another_picture_of_the_same(name: str) -> None:
    original = Image.fromarray(picture(3, 320, 240))
    copy = copies.COPIES[name](original)
    assert copy.mode == "RGB"
    assert copy.tobytes() != original.tobytes()
    small = [np.asarray(one.convert("L").resize((8, 8)), dtype=float).ravel() for one in (original, copy)]
    assert np.corrcoef(*small)[0, 1] > 0.5


def test_crops_and_bars_have_their_sizes() -> None:
    original = Image.fromarray(picture(3, 400, 200))
    assert copies.crop(original, 0.05).size == (380, 190)
    assert copies.add_caption(original, below=True).size == (400, 230)
    assert copies.add_caption(original, below=False).size == (400, 200)


def test_photographs_are_counted(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{seed}.png", seed=seed) for seed in range(4)]
    twin = tmp_path / "twin.png"
    Image.open(paths[1]).save(twin, compress_level=1)
    section = known.photographs([*paths, twin], paths[:2])
    figures = {figure.what: figure.value for figure in section.figures}
    assert figures["pairs with the same PDQ"] == 1
    assert figures["false matches among all pairs"] == 0
    assert section.details == ("1.png and twin.png: 0 bits",)
    assert figures["found: JPEG quality 30"] == 1.0
    assert figures["found: 10 % cropped (5 % a side)"] == 0.0


def test_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["banks", "3000"])
    monkeypatch.setattr(banks, "flickr_photos", list)
    monkeypatch.setattr(banks, "QUERIES", 10)
    banks.main()
    assert "multi-index hashing" in capsys.readouterr().out
