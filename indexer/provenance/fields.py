"""Extract texts beside a file's content, bounded: PNG's and EXIF's, container tags, packets of XMP."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from PIL import Image
from PIL.ExifTags import IFD, Base

from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Limits, container
from crossmedia.indexer.decode.errors import DecodeError
from crossmedia.indexer.decode.image import DAMAGE

MAX_FIELDS: Final = 64
"""Fields of one file."""
MAX_FIELD_CHARACTERS: Final = 1 << 20
"""Characters of a field."""
SCANNED: Final = 8 << 20
"""Bytes from the beginning, and as many from the end, in which a packet of XMP is looked for in what is no picture."""
_EXIF: Final = (Base.Software, Base.ImageDescription, Base.Make, Base.Model, Base.Artist, Base.ProcessingSoftware)


def fields(path: Path, media: Medium, limits: Limits) -> tuple[dict[str, str], list[str]]:
    """Texts by their names, and packets of XMP; what is damaged is left out."""
    if media != "image":
        return _tags(path), packets(path)
    texts: dict[str, str] = {}
    xmp: list[str] = []
    Image.MAX_IMAGE_PIXELS = limits.pixels
    with (
        suppress(*DAMAGE, Image.DecompressionBombError),
        warnings.catch_warnings(action="ignore"),
        Image.open(path) as image,
    ):
        texts |= _exif(image)
        if image.format == "PNG" and image.width * image.height <= limits.pixels:
            # Pillow finds texts behind the pixels only by reading those.
            with suppress(*DAMAGE):
                image.load()
        for key, value in [(str(name), value) for name, value in image.info.items()][:MAX_FIELDS]:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) and key in ("xmp", "comment") else value
            if isinstance(text, str):
                (
                    xmp.append(text[:MAX_FIELD_CHARACTERS])
                    if "xmp" in key.lower()
                    else texts.setdefault(key, text[:MAX_FIELD_CHARACTERS])
                )
    return texts, xmp or packets(path)


def packets(path: Path) -> list[str]:
    """Packets of XMP that lie openly in a file, at most four."""
    packets: list[str] = []
    with path.open("rb") as file:
        size = file.seek(0, 2)
        for start in dict.fromkeys((0, max(0, size - SCANNED))):
            file.seek(start)
            part = file.read(SCANNED)
            place = part.find(b"<x:xmpmeta")
            while place >= 0 and len(packets) < 4:
                end = part.find(b"</x:xmpmeta>", place)
                packets.append(
                    part[
                        place : end if 0 <= end < place + MAX_FIELD_CHARACTERS else place + MAX_FIELD_CHARACTERS
                    ].decode("utf-8", "replace")
                )
                place = part.find(b"<x:xmpmeta", place + 10)
    return packets


def _exif(image: Image.Image) -> dict[str, str]:
    values: dict[str, str] = {}
    with suppress(*DAMAGE):
        tags = image.getexif()
        for tag in _EXIF:
            value = tags.get(tag)
            if isinstance(value, str):
                values[tag.name] = value[:MAX_FIELD_CHARACTERS]
        comment = tags.get_ifd(IFD.Exif).get(Base.UserComment)
        if comment:
            values["UserComment"] = _comment(comment)
    return values


def _comment(value: Any) -> str:
    """EXIF writes 8 bytes before a comment that tell how its characters are coded."""
    if not isinstance(value, bytes):
        return str(value)[:MAX_FIELD_CHARACTERS]
    coding, text = value[:8], value[8 : 8 + 2 * MAX_FIELD_CHARACTERS]
    if coding.startswith(b"UNICODE"):
        # In either byte order, whatever the header says: the one in which Latin letters are letters.
        return max((text.decode(name, "replace") for name in ("utf-16-le", "utf-16-be")), key=_latin)[
            :MAX_FIELD_CHARACTERS
        ]
    return (text if coding.startswith((b"ASCII", b"\x00")) else value).decode("utf-8", "replace")[:MAX_FIELD_CHARACTERS]


def _latin(text: str) -> int:
    return sum(character.isascii() for character in text[:200])


def _tags(path: Path) -> dict[str, str]:
    with suppress(DecodeError), container.open_container(path) as file:
        tags = [*file.metadata.items(), *(tag for stream in file.streams for tag in stream.metadata.items())]
        return {str(key): str(value)[:MAX_FIELD_CHARACTERS] for key, value in reversed(tags[:MAX_FIELDS])}
    return {}
