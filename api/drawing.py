"""Pictures with the boxes of their labels drawn on, alone or many on a sheet: for people who want to see what was
found."""

from __future__ import annotations

import colorsys
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.pointing import Box
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.objects import MOVING, TRACK
from crossmedia.indexer.originals import find_original, source_gone
from crossmedia.retrieval.documents import Asset, Label
from crossmedia.retrieval.store import NotFound, Store

LARGE: Final = 1280
"""Longer side of a picture that is drawn alone, px, at most and, so that its labels can be read, not much less."""
TILE: Final = 480
"""Longer side of a picture on a sheet, px."""
MAX_SHEET_PICTURES: Final = 400
"""Pictures on a sheet; of more, evenly spread ones are shown."""
PALE: Final = 0.45
"""Of white, or red, over a picture whose heat is drawn."""
_GAP: Final = 8
_SMALL: Final = 12


class NothingToDraw(CrossmediaError):
    """An asset that has no pictures."""

    code = "nothing_to_draw"
    status = 422


@dataclass(frozen=True)
class Drawing:
    """A picture, what is said of it, and a line to stand below."""

    picture: Picture
    labels: Sequence[Label]
    title: str = ""


def read_anew(store: Store, pool: DecodePool, asset: str) -> tuple[Asset, list[tuple[str, Picture]]]:
    """An asset and its picture or key frames, read from its file, with the ids of their moments.

    Raises `NothingToDraw` for a recording or a text, `SourceGone` where its file is no longer, and what decoding
    raises.
    """
    described = store.asset(asset)
    if described is None:
        raise NotFound(f"no asset {asset}", "it was removed just now")
    shown = []
    if described.media in ("image", "video"):
        source = find_original(store, asset)
        if source is None:
            raise source_gone(described)
        shown = pictures(described, pool.submit(Path(source.location)).result())
    if not shown:
        raise NothingToDraw(
            f"{described.title} has no pictures", "only pictures and videos can be drawn, masked or pointed at"
        )
    return described, shown


def drawings(store: Store, pool: DecodePool, asset: str) -> list[Drawing]:
    """An asset's picture or key frames with the labels that have a box. Raises what `read_anew` raises."""
    _, shown = read_anew(store, pool, asset)
    known = {moment.id: moment for moment in store.moments(asset)}
    pictures_with_boxes = []
    for name, picture in shown:
        moment = known.get(name)
        # Where a track is when it is seen best is not where it is in this frame.
        labels = [label for label in moment.labels if label.box and label.kind not in (TRACK, MOVING)] if moment else []
        time = (
            ""
            if moment is None or moment.start is None
            else f"{moment.start:.1f} to {moment.end or moment.start:.1f} s"
        )
        pictures_with_boxes.append(Drawing(picture, labels, time))
    return pictures_with_boxes


def draw(shown: Sequence[Drawing]) -> Image.Image:
    """One picture large, several on a sheet."""
    return draw_boxes(shown[0], LARGE) if len(shown) == 1 else sheet(shown)


def draw_boxes(shown: Drawing, side: int) -> Image.Image:
    """The picture with its longer side of `side` pixels, enlarged if need be, and its boxes, those of low scores
    first."""
    scale = side / max(shown.picture.width, shown.picture.height)
    size = max(1, round(shown.picture.width * scale)), max(1, round(shown.picture.height * scale))
    image = Image.fromarray(np.ascontiguousarray(shown.picture.pixels)).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    width = max(2, side // 250)
    font = _font(max(_SMALL, side // 40))
    for label in sorted(shown.labels, key=lambda label: label.score):
        if label.box is None:
            continue
        x0, y0, x1, y1 = (round(share * size[n % 2]) for n, share in enumerate(label.box))
        colour = _colour(label.value if label.kind == "object" else label.kind)
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=width)
        _tag(pen, f"{label.value} {label.score:.2f}", (x0, y0), size, colour, font)
    return image


def draw_heat(picture: Picture, cells: NDArray[np.float32], box: Box | None, side: int = LARGE) -> Image.Image:
    """The picture with its longer side of `side` pixels, paler where it is cold, red where it is hot, and a box.

    `cells`: (rows, columns) in [0, 1] over the whole picture.
    """
    drawn = draw_boxes(Drawing(picture, ()), side)
    share = Image.fromarray((255 * cells.clip(0, 1)).astype(np.uint8)).resize(drawn.size, Image.Resampling.BILINEAR)
    pale = Image.blend(drawn, Image.new("RGB", drawn.size, "white"), PALE)
    whole = Image.composite(Image.blend(drawn, Image.new("RGB", drawn.size, "red"), PALE), pale, share)
    if box is not None:
        left, top, right, bottom = (round(part * drawn.size[n % 2]) for n, part in enumerate(box))
        ImageDraw.Draw(whole).rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline="red", width=3)
    return whole


def sheet(shown: Sequence[Drawing], tile: int = TILE) -> Image.Image:
    """Pictures in rows, as nearly square as their number allows, each with its title below; at most "
    "`MAX_SHEET_PICTURES` of them."""
    if len(shown) > MAX_SHEET_PICTURES:
        shown = [shown[round(n)] for n in np.linspace(0, len(shown) - 1, MAX_SHEET_PICTURES)]
    columns = max(1, math.ceil(math.sqrt(len(shown))))
    font = _font(_SMALL + 2)
    below = 22 if any(one.title for one in shown) else 0
    rows = [shown[first : first + columns] for first in range(0, len(shown), columns)]
    drawn_rows = [[draw_boxes(one, tile) for one in row] for row in rows]
    heights = [max(image.height for image in row) + below + _GAP for row in drawn_rows]
    whole = Image.new("RGB", (columns * (tile + _GAP) + _GAP, sum(heights) + _GAP), "white")
    pen = ImageDraw.Draw(whole)
    top = _GAP
    for row, images, height in zip(rows, drawn_rows, heights, strict=True):
        for column, (one, image) in enumerate(zip(row, images, strict=True)):
            left = _GAP + column * (tile + _GAP)
            whole.paste(image, (left, top))
            pen.text((left, top + image.height + 2), one.title[: tile // 7], "black", font=font)
        top += height
    return whole


def sheets(shown: Iterable[Drawing], each: int, tile: int = TILE) -> Iterable[Image.Image]:
    """Sheets of `each` pictures, made one after the other."""
    some: list[Drawing] = []
    for one in shown:
        some.append(one)
        if len(some) == each:
            yield sheet(some, tile)
            some = []
    if some:
        yield sheet(some, tile)


def _tag(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    size: tuple[int, int],
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """The text on the colour of its box, above it where there is room, and within the picture."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    width, height = round(right - left) + 4, round(bottom - top) + 4
    x = max(0, min(corner[0], size[0] - width))
    y = corner[1] - height if corner[1] >= height else min(corner[1], max(0, size[1] - height))
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    dark = sum(colour) > 380
    pen.text((x + 2 - left, y + 2 - top), text, "black" if dark else "white", font=font)


def _colour(name: str) -> tuple[int, int, int]:
    """The same for the same name, and as a rule another for another."""
    hue = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big") / 65536
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.9, 0.95))
    return red, green, blue


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
