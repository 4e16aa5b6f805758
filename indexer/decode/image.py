"""Decode pictures: one upright RGB array of a bounded size, whatever the file's mode, frames and orientation."""

from __future__ import annotations

import importlib.util
import struct
import warnings
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode import exif
from crossmedia.indexer.decode.errors import Corrupt, TooLarge
from crossmedia.indexer.decode.types import Decoded, Limits

_FORMATS: Final = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/webp": ("WEBP",),
    "image/gif": ("GIF",),
    "image/tiff": ("TIFF",),
    "image/bmp": ("BMP",),
    "image/heic": ("HEIF",),
    "image/avif": ("AVIF",),
}
_STRIP: Final = 256
"""Rows of a picture that are converted at once."""
DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    struct.error,
)
"""What Pillow's readers raise on bad bytes."""


def decode_image(path: Path, mime: str, limits: Limits) -> Decoded:
    """The first frame of a picture, longer side at most `limits.side`; alpha is laid on white.

    Metadata: `width`, `height` (upright, of the original), `camera`, `gps` {lat, lon}. Raises `TooLarge` from the
    header alone, `Corrupt`, and `DependencyMissing` for a HEIC where pillow-heif is not installed.
    """
    if mime == "image/heic":
        _register_heif()
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        # Pillow warns of what is checked here anyway (size) or has no consequence for the pixels (damaged tags).
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS[mime]) as image:
            return _decode(image, path, mime, limits)
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{path.name}: {error}", "scale the picture down, or raise the limit on pixels") from error
    except UnidentifiedImageError as error:
        raise Corrupt(f"{path.name} has a damaged header", "copy the file again") from error
    except DAMAGE as error:
        raise Corrupt(f"{path.name} is truncated or damaged: {error}", "copy the file again") from error


def _decode(image: Image.Image, path: Path, mime: str, limits: Limits) -> Decoded:
    width, height = image.size
    if width * height > limits.pixels:
        raise TooLarge(
            f"{path.name} has {width}×{height} pixels, more than the {limits.pixels:,} allowed",
            "scale the picture down, or raise the limit on pixels",
        )
    if max(width, height) > limits.side:
        # JPEG can be decoded at 1/2, 1/4 or 1/8: the large ones cost a fraction, and are still larger than asked for.
        image.draft("RGB", _fit(width, height, limits.side))
    image.load()
    # After the pixels: PNG reads them to find the tags behind them, and damage there must not pass as damaged tags.
    seen = _camera_notes(image)
    if mime == "image/tiff":
        # Pillow itself turns these upright.
        width, height = image.size
    size = _fit(width, height, limits.side)
    rgb = to_rgb(image, size)
    if seen.turn is not None:
        rgb = rgb.transpose(seen.turn)
        if seen.turn not in (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.ROTATE_180,
        ):
            width, height = height, width
    return Decoded(
        "image",
        mime,
        Picture(np.asarray(rgb)),
        captured=seen.captured,
        metadata={"width": width, "height": height, **seen.metadata},
        warnings=seen.warnings,
    )


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def to_rgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Any of Pillow's modes as 8-bit RGB of the given size: 16-bit scaled by 1/256, floats from their own range, alpha
    on white."""
    if image.mode.startswith(("I", "F")):
        image = _eight_bit(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = _resize(image if image.mode == "RGBA" else image.convert("RGBA"), size)
        ground = Image.new("RGB", size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return _resize(image if image.mode == "RGB" else image.convert("RGB"), size)


def _resize(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _eight_bit(image: Image.Image) -> Image.Image:
    """In strips: as floats the whole picture would take sixteen times its eight bits."""
    strips = [(0, top, image.width, min(top + _STRIP, image.height)) for top in range(0, image.height, _STRIP)]
    low, scale = 0.0, 1 / 256
    if image.mode == "F":
        extremes = [(part.min(), part.max()) for part in map(partial(_floats, image), strips)]
        low, high = float(min(part[0] for part in extremes)), float(max(part[1] for part in extremes))
        scale = 255.0 / (high - low) if high > low else 0.0
    out = np.empty((image.height, image.width), dtype=np.uint8)
    for strip in strips:
        out[strip[1] : strip[3]] = ((_floats(image, strip) - low) * scale).clip(0, 255)
    return Image.fromarray(out)


def _floats(image: Image.Image, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(image.crop(box), dtype=np.float32))


@dataclass(frozen=True)
class _Notes:
    turn: Image.Transpose | None = None
    captured: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def _camera_notes(image: Image.Image) -> _Notes:
    try:
        tags = image.getexif()
        if not tags:
            return _Notes()
        notes = {"camera": exif.camera(tags), "gps": exif.place(tags)}
        kept = {key: value for key, value in notes.items() if value is not None}
        return _Notes(exif.upright(tags), exif.capture_time(tags), kept)
    except DAMAGE as error:
        return _Notes(warnings=(f"the camera's metadata is damaged: {error}",))


@cache
def _register_heif() -> None:
    if importlib.util.find_spec("pillow_heif") is None:
        raise DependencyMissing("reading HEIC pictures needs pillow-heif", 'pip install "crossmedia[heic]"')
    import pillow_heif

    pillow_heif.register_heif_opener()
