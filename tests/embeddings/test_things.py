"""Named pictures of things: their texts, their split, and how they are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from crossmedia.embeddings.train import things
from crossmedia.embeddings.train.things import DrawnThing
from crossmedia.embeddings.train.views import VIEWS, of_thing

SVG = (
    "<svg><metadata><dc:title>{title}</dc:title><dc:subject><rdf:Bag>{subjects}</rdf:Bag></dc:subject></metadata></svg>"
)


@pytest.fixture
def clipart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the Debian packages, without emoji."""
    monkeypatch.setattr(things, "CLIPART", tmp_path)
    monkeypatch.setattr(things, "_emoji", lambda: iter(()))
    return tmp_path


def add(folder: Path, inside: str, title: str, *subjects: str, side: int = 60) -> Path:
    svg, png = folder / "svg" / f"{inside}.svg", folder / "png" / f"{inside}.png"
    svg.parent.mkdir(parents=True, exist_ok=True)
    png.parent.mkdir(parents=True, exist_ok=True)
    svg.write_text(SVG.format(title=title, subjects="".join(f"<rdf:li>{s}</rdf:li>" for s in subjects)), "utf-8")
    drawn = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).ellipse((10, 10, side - 10, side - 10), fill=(200, 30, 30, 255))
    drawn.save(png)
    return png


def test_names_and_keywords_come_from_the_metadata(clipart: Path) -> None:
    add(clipart, "animals/bat_01", "brownBat by", "mammal", "animals", "hash(0x85)")
    add(clipart, "animals/rana_01", "Rana", "frog")
    add(clipart, "animals/none", "Qwxyz", "0xbeef")
    add(clipart, "computer/key", "dog", "dog")
    add(clipart, "animals/huge", "dog", "dog", side=things.MAX_DRAWING_SIDE + 1)
    found = {
        thing.name: thing.texts for thing in things.things(["brown", "bat", "by", "mammal", "frog", "dog", "animals"])
    }
    assert found == {"brown bat": ("brown bat", "brown bat, mammal"), "frog": ("frog",)}


def test_a_title_of_a_whole_series_is_no_name(clipart: Path) -> None:
    for n in range(things.SERIES + 1):
        add(clipart, f"tools/{n}", "various tools", "hammer")
    assert {thing.name for thing in things.things(["various", "tools", "hammer"])} == {"hammer"}


def test_all_pictures_of_a_name_are_on_one_side(clipart: Path) -> None:
    for n in range(3):
        add(clipart, f"food/apple_{n}", "apple")
    names = [f"thing {n}" for n in range(400)]
    assert len({thing.split for thing in things.things(["apple"])}) == 1
    share = np.mean([DrawnThing(name, (name,), "x").split == "dev" for name in names])
    assert 0.15 < share < 0.35


def test_drawn_on_the_backdrop_and_shown_the_same_way_each_time(clipart: Path) -> None:
    thing = DrawnThing("ball", ("ball",), add(clipart, "toys/ball", "ball"))
    pixels = thing.picture((0, 0, 255)).pixels
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert pixels[30, 30].tolist() == [200, 30, 30]
    views = of_thing(thing)
    assert views.shape == (VIEWS, 260, 260, 3)
    np.testing.assert_array_equal(views, of_thing(thing))
    assert len({view.tobytes() for view in views}) > VIEWS // 2


def test_missing_clip_art_is_named_with_its_package(clipart: Path) -> None:
    with pytest.raises(FileNotFoundError, match="apt-get install openclipart-png"):
        things.things(["dog"])


def test_missing_emoji_are_named_with_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(things, "EMOJI", tmp_path / "none.ttf")
    with pytest.raises(FileNotFoundError, match="fonts-noto-color-emoji"):
        things.things(["dog"])


def test_signs_are_not_things_to_look_for() -> None:
    assert DrawnThing("goat", ("goat",), "x").tangible
    assert not DrawnThing("left arrow", ("left arrow",), "x").tangible
