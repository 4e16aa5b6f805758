"""Load clip art and emoji with their names: pictures of single things, which photographs of scenes lack.

From Debian packages: `openclipart-png` and `openclipart-svg` (Open Clip Art Library, public domain; names and keywords
in the SVGs' metadata), `fonts-noto-color-emoji` (SIL OFL) with the names of `unicode-cldr-core` (Unicode licence).
"""

from __future__ import annotations

import hashlib
import re
import struct
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.stop_words import CONNECTIVES
from crossmedia.embeddings.train.data import Split, words

CLIPART: Final = Path("/usr/share/openclipart")
EMOJI: Final = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
EMOJI_NAMES: Final = Path("/usr/share/unicode/cldr/common/annotations/en.xml")
"""Where the Debian packages put them."""

EXCLUDED_FOLDERS: Final = (
    "computer",
    "shapes",
    "signs_and_symbols",
    "special",
    "geography",
    "logos",
    "buttons",
    "decorations",
)
"""Folders of icons, shapes, flags and maps."""
SERIES: Final = 12
"""A title that more pictures than this carry names a series, not a picture."""
SIGNS: Final = frozenset(
    """arrow arrows ascending bracket brackets button buttons circle clock comma currency dash diamond down face finger
    hand half hair ideographic indicator input japanese letter mark moon number operator oclock parenthesis person
    quotation sign skin square symbol thirty tone triangle""".split()
)
"""A name with one of these words stands for a sign, a gesture or a face: trained on, but not a thing to look for."""
GLYPH: Final = 109
"""The one size, px, in which the font holds its bitmaps."""
MAX_DRAWING_SIDE: Final = 4000
"""Side, px, of the largest drawing that is read."""
HELD_OUT_EVERY: Final = 4
"""One name in so many belongs to `dev`."""

_TITLE: Final = re.compile(r"<dc:title>(.*?)</dc:title>", re.S)
_SUBJECT: Final = re.compile(r"<rdf:li>(.*?)</rdf:li>", re.S)


@dataclass(frozen=True)
class DrawnThing:
    """A picture of one thing. `texts`: its name first, then its name with further keywords. `source`: file or glyph."""

    name: str
    texts: tuple[str, ...]
    source: Path | str

    @property
    def split(self) -> Split:
        """By name, so that no name of `dev` is ever learned with another picture."""
        return "train" if hashlib.sha256(self.name.encode()).digest()[0] % HELD_OUT_EVERY else "dev"

    @property
    def tangible(self) -> bool:
        """Whether it is a thing to look for rather than a sign."""
        return not SIGNS.intersection(words(self.name))

    def cut_out(self) -> Image.Image:
        """On nothing (RGBA), its longer side at most 512 px."""
        drawn = _glyph(self.source) if isinstance(self.source, str) else Image.open(self.source).convert("RGBA")
        drawn.thumbnail((512, 512))
        return drawn

    def picture(self, backdrop: tuple[int, int, int] = (255, 255, 255)) -> Picture:
        """Drawn on a plain backdrop (RGB)."""
        drawn = self.cut_out()
        ground = Image.new("RGBA", drawn.size, (*backdrop, 255))
        ground.alpha_composite(drawn)
        return Picture(np.asarray(ground.convert("RGB")))


def things(known: Iterable[str]) -> list[DrawnThing]:
    """All of them. `known`: words of English; titles also hold other languages and the names of their draughtsmen."""
    vocabulary = set(known)
    emoji = list(_emoji())
    vocabulary.update(word for thing in emoji for text in thing.texts for word in words(text))
    return [*_clipart(vocabulary), *emoji]


def _clipart(vocabulary: set[str]) -> list[DrawnThing]:
    read = []
    for svg in sorted((CLIPART / "svg").rglob("*.svg")):
        inside = svg.relative_to(CLIPART / "svg")
        png = (CLIPART / "png" / inside).with_suffix(".png")
        if inside.parts[0] not in EXCLUDED_FOLDERS and png.is_file() and max(_size(png)) <= MAX_DRAWING_SIDE:
            read.append((png, *_metadata(svg.read_text("utf-8", "replace"))))
    if not read:
        raise FileNotFoundError(f"no clip art below {CLIPART}: apt-get install openclipart-png openclipart-svg")
    often = Counter(title for _, title, _ in read)
    drawings = []
    for png, title, subjects in read:
        folders = {part.lower() for part in png.relative_to(CLIPART / "png").parts[:-1]}
        keywords = [text for text in map(partial(_clean, vocabulary), subjects) if text and text not in folders]
        name = _clean(vocabulary, title) if often[title] <= SERIES else ""
        name = name or " ".join(keywords[:1])
        if name:
            drawings.append(_thing(name, keywords, png))
    return drawings


def _size(png: Path) -> tuple[int, int]:
    """Width and height from the header: some drawings are larger than Pillow agrees to open."""
    with png.open("rb") as file:
        width, height = struct.unpack(">16xII", file.read(24))
    return width, height


def _metadata(svg: str) -> tuple[str, list[str]]:
    title = _TITLE.search(svg)
    subjects = [text.strip() for text in _SUBJECT.findall(svg) if "0x" not in text]
    return title.group(1).strip() if title else "", subjects


def _clean(vocabulary: set[str], text: str) -> str:
    """Its known words in lower case; nothing if most of it is unknown."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    all_words = [word for word in words(split) if len(word) > 1]
    kept = [word for word in all_words if word in vocabulary]
    while kept and kept[-1] in CONNECTIVES:
        kept.pop()
    return " ".join(kept) if 2 * len(kept) > len(all_words) else ""


def _emoji() -> Iterable[DrawnThing]:
    if not EMOJI.is_file() or not EMOJI_NAMES.is_file():
        raise FileNotFoundError(
            f"no {EMOJI} or {EMOJI_NAMES}: apt-get install fonts-noto-color-emoji unicode-cldr-core"
        )
    names: dict[str, str] = {}
    keywords: dict[str, list[str]] = {}
    for entry in ElementTree.parse(EMOJI_NAMES).iter("annotation"):  # noqa: S314 (a file of the distribution)
        glyph, text = entry.get("cp", ""), (entry.text or "").lower()
        if entry.get("type") == "tts":
            names[glyph] = text
        else:
            keywords[glyph] = [word.strip() for word in text.split("|")]
    nothing = np.asarray(_glyph("\U0010fffd"))
    for glyph, name in sorted(names.items()):
        drawn = np.asarray(_glyph(glyph)) if len(glyph) == 1 else nothing
        if drawn[..., 3].any() and not np.array_equal(drawn, nothing):
            yield _thing(name, keywords.get(glyph, []), glyph)


def _thing(name: str, keywords: Iterable[str], source: Path | str) -> DrawnThing:
    more = [word for word in dict.fromkeys(keywords) if word not in name][:4]
    texts = [name, *(f"{name}, {word}" for word in more)]
    return DrawnThing(name, tuple(dict.fromkeys(texts)), source)


def _glyph(character: str) -> Image.Image:
    font = ImageFont.truetype(str(EMOJI), GLYPH)
    image = Image.new("RGBA", (136, 128))
    ImageDraw.Draw(image).text((0, 0), character, font=font, embedded_color=True)
    return image
