"""Opening audio and video containers safely, and what their headers say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from crossmedia.indexer.decode.errors import Corrupt, TooLarge
from crossmedia.indexer.decode.types import Limits

av.logging.set_level(None)

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,ogg,wav,w64,mp3,flac,aac,ac3,eac3,dts,"
    "aiff,au,caf,amr,ape,wv,tta,mxf,rm,ivf,dv"
)
"""The demuxers that may be tried. None of them opens other files, as play lists and image sequences do."""

_UNTOLD: Final = ("mpegts", "mpeg")
_EPOCHS: Final = (1904, 1970)
_YEAR: Final = re.compile(r"[12]\d{3}(?:-(?:0[1-9]|1[0-2]))?")
_ISO6709: Final = re.compile(r"^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """The container, open for reading this one local file only. Raises `Corrupt` for any failure of the library."""
    try:
        with av.open(
            f"file:{path.absolute()}",
            container_options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
            metadata_errors="replace",
        ) as container:
            yield container
    except (av.error.FFmpegError, ValueError) as error:
        raise Corrupt(
            f"{path.name} cannot be read as audio or video: {reason(error)}", "copy the file again, or convert it"
        ) from error


def reason(error: Exception) -> str:
    """The library's own words, without errno and path."""
    return str(getattr(error, "strerror", None) or error).strip() or type(error).__name__


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures that can be decoded; cover art is none."""
    return next((stream for stream in moving(container) if stream.codec_context), None)


def moving(container: InputContainer) -> list[VideoStream]:
    """The streams of moving pictures, also those no decoder exists for (their codec context is None)."""
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.still_image
    return [stream for stream in container.streams.video if not stream.disposition & still]


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The sound track a player would choose, among those a decoder exists for."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) and best.codec_context else None


def declared_seconds(container: InputContainer) -> float | None:
    """What the header claims, in seconds; None where it does not say.

    A transport or program stream has no such header: the library takes the last time stamp in it, which damage can make
    a day.
    """
    if container.format.name in _UNTOLD:
        return None
    return None if container.duration is None or container.duration <= 0 else container.duration / av.time_base


def origin(container: InputContainer) -> float:
    """The time stamp, in seconds, that a player calls 0."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def check_seconds(seconds: float | None, path: Path, limits: Limits) -> None:
    """Raises `TooLarge` where a duration is beyond the limit."""
    if seconds is not None and seconds > limits.seconds:
        raise TooLarge(
            f"{path.name} lasts {seconds:.0f} s, more than the {limits.seconds:.0f} s allowed",
            "split it into shorter files, or raise the limit on seconds",
        )


def tags(container: InputContainer) -> tuple[str | None, str | None, dict[str, Any]]:
    """Title, date of recording (ISO 8601) and further metadata (`artist`, `album`, `gps`) of a container."""
    values = {key.lower(): value.strip() for key, value in container.metadata.items() if value.strip()}
    for stream in container.streams:
        for key, value in stream.metadata.items():
            values.setdefault(key.lower(), value.strip())
    more: dict[str, Any] = {key: values[key] for key in ("artist", "album") if key in values}
    place = _ISO6709.match(values.get("com.apple.quicktime.location.iso6709", values.get("location", "")))
    if place:
        lat, lon = float(place[1]), float(place[2])
        if abs(lat) <= 90 and abs(lon) <= 180:
            more["gps"] = {"lat": lat, "lon": lon}
    stamps = (values.get(key) for key in ("com.apple.quicktime.creationdate", "creation_time", "date"))
    captured = next((iso for iso in map(_iso, stamps) if iso), None)
    return values.get("title") or None, captured, more


def _iso(stamp: str | None) -> str | None:
    """An ISO 8601 date or year, or None where it is absent, malformed or the epoch a device without a clock writes."""
    if not stamp:
        return None
    if _YEAR.fullmatch(stamp):  # of music: nothing was recorded by a clock
        return stamp
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return None if moment.year in _EPOCHS else moment.isoformat()
