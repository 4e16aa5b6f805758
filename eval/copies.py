"""Copies of a picture as people make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw


def jpeg(picture: Image.Image, quality: int = 90) -> Image.Image:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def crop(picture: Image.Image, share: float) -> Image.Image:
    """Without this share of the width and height, as much on each side."""
    x, y = share * picture.width / 2, share * picture.height / 2
    return picture.crop((round(x), round(y), round(picture.width - x), round(picture.height - y)))


def add_caption(picture: Image.Image, below: bool) -> Image.Image:
    """A white bar of 15 % of the height with words, below the picture or over its lowest part."""
    bar = round(0.15 * picture.height)
    drawn = Image.new("RGB", (picture.width, picture.height + (bar if below else 0)), "white")
    drawn.paste(picture.crop((0, 0, picture.width, picture.height - (0 if below else bar))))
    words = ImageDraw.Draw(drawn)
    words.text((picture.width // 12, drawn.height - bar), "when you see it", fill="black", font_size=0.6 * bar)
    return drawn


COPIES: Final[Mapping[str, Callable[[Image.Image], Image.Image]]] = {
    "JPEG quality 30": lambda picture: jpeg(picture, 30),
    "half size": lambda picture: jpeg(picture.resize((picture.width // 2, picture.height // 2))),
    "5 % cropped (2.5 % a side)": lambda picture: jpeg(crop(picture, 0.05)),
    "10 % cropped (5 % a side)": lambda picture: jpeg(crop(picture, 0.10)),
    "caption bar over it, 15 %": lambda picture: jpeg(add_caption(picture, below=False)),
    "caption bar added below, 15 %": lambda picture: jpeg(add_caption(picture, below=True)),
    "grey": lambda picture: jpeg(picture.convert("L").convert("RGB")),
}
