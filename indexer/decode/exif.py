"""Read what a camera wrote into a picture: when, where, with what, and which way up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_STAMPS: Final = ((19, "%Y:%m:%d %H:%M:%S"), (16, "%Y:%m:%d %H:%M"), (10, "%Y:%m:%d"))
"""So many characters of a time, and what they are."""


def upright(tags: Mapping[int, Any]) -> Image.Transpose | None:
    """How to turn the pixels so that the picture stands upright; None if it does."""
    turn = tags.get(Base.Orientation)
    return _UPRIGHT.get(turn) if isinstance(turn, int) else None


def capture_time(tags: Image.Exif) -> str | None:
    """DateTimeOriginal, else DateTimeDigitized, else DateTime (of the last change) as ISO 8601, with the offset from
    UTC where the camera knew it."""
    shot = tags.get_ifd(IFD.Exif)
    for stamp, zone in (
        (shot.get(Base.DateTimeOriginal), shot.get(Base.OffsetTimeOriginal)),
        (shot.get(Base.DateTimeDigitized), shot.get(Base.OffsetTimeDigitized)),
        (tags.get(Base.DateTime), shot.get(Base.OffsetTime)),
    ):
        moment = _read_stamp(stamp)
        if moment is not None:
            return _with_zone(moment, zone).isoformat()
    return None


def _read_stamp(stamp: object) -> datetime | None:
    """`2024:05:01 12:30:00`; some programs leave the seconds or the time out."""
    if not isinstance(stamp, str):
        return None
    plain = stamp.strip("\x00 ")
    for length, pattern in _STAMPS:
        try:
            return datetime.strptime(plain[:length], pattern)
        except ValueError:
            continue
    return None


def _with_zone(moment: datetime, zone: object) -> datetime:
    if not isinstance(zone, str):
        return moment
    try:
        return datetime.fromisoformat(moment.isoformat() + zone.strip("\x00 "))
    except ValueError:
        return moment


def camera(tags: Mapping[int, Any]) -> str | None:
    """Maker and model, the maker once."""
    maker, model = (_words(tags.get(tag)) for tag in (Base.Make, Base.Model))
    return model if model.lower().startswith(maker.lower()) and model else f"{maker} {model}".strip() or None


def _words(value: object) -> str:
    return value.strip("\x00 ") if isinstance(value, str) else ""


def place(tags: Image.Exif) -> dict[str, float] | None:
    """Decimal degrees {lat, lon} of the GPS block; None where absent, incomplete or out of range."""
    block = tags.get_ifd(IFD.GPSInfo)
    lat = _degrees(block.get(GPS.GPSLatitude), block.get(GPS.GPSLatitudeRef), "S")
    lon = _degrees(block.get(GPS.GPSLongitude), block.get(GPS.GPSLongitudeRef), "W")
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None
    return {"lat": lat, "lon": lon}


def _degrees(parts: object, side: object, negative: str) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    try:
        degrees = math.fsum(float(part) / 60**power for power, part in enumerate(parts))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if not math.isfinite(degrees):
        return None
    return round(-degrees if _words(side).upper() == negative else degrees, 7)
