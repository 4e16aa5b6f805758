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


def upright(tags: Mapping[int, Any]) -> Image.Transpose | None:
    """How to turn the pixels so that the picture stands upright; None if it does."""
    turn = tags.get(Base.Orientation)
    return _UPRIGHT.get(turn) if isinstance(turn, int) else None


def capture_time(tags: Image.Exif) -> str | None:
    """DateTimeOriginal (else DateTimeDigitized) as ISO 8601, with the offset from UTC where the camera knew it."""
    shot = tags.get_ifd(IFD.Exif)
    for when, offset in (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    ):
        stamp, zone = shot.get(when), shot.get(offset)
        if not isinstance(stamp, str):
            continue
        try:
            moment = datetime.strptime(stamp.strip("\x00 ")[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue
        return _with_zone(moment, zone).isoformat()
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
