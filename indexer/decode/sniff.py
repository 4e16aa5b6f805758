"""Recognise the type of a file by its bytes; its name only tells Markdown from plain text."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import charset, container
from crossmedia.indexer.decode.errors import Corrupt, EmptyFile, NoFrames, TypeMismatch, UnknownType, Unreadable

ACCEPTED: Final = (
    "text (txt, md, html, pdf), pictures (JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC, AVIF), audio and video (MP4, "
    "Matroska, WebM, MP3, FLAC, Ogg, WAV and others)"
)
HEAD: Final = 65_536

_PICTURES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
)
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
}
_GENERAL: Final = (b"mif1", b"msf1")
"""Brands that only say "a picture in this container"; the compatible brands after them say which codec."""
_CONTAINERS: Final = re.compile(
    rb"\x1aE\xdf\xa3|OggS|fLaC|ID3[\x00-\x0f][\x00-\x0f]|(?:RIFF|RF64|FORM).{4}(?:WAVE|AVI |AIFF|AIFC|8SVX|CDXA|RMID)"
    rb"|FLV\x01|#!AMR",
    re.S,
)
"""How containers begin. A text may begin with the words FORM, RIFF or ID3."""
_OTHERS: Final = (
    (b"PK\x03\x04", "a ZIP archive or office document", "unpack it, or export it as PDF"),
    (b"\xd0\xcf\x11\xe0", "an old office document", "export it as PDF"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
    (b"\x7fELF", "a program", "leave it out"),
    (b"glTF", "a 3D mesh", "leave it out"),
)
_FORMAT_MIMES: Final = {
    "matroska": "x-matroska",
    "mov": "mp4",
    "mp3": "mpeg",
    "mpegts": "mp2t",
    "mpegvideo": "mpeg",
    "avi": "x-msvideo",
    "flv": "x-flv",
    "asf": "x-ms-asf",
}
# Possessive throughout: what was read is never read again another way, so that no text takes longer than its length.
_PROLOGUE: Final = r"\s*+(?><\?xml[^>]*+>\s*+)?+(?><!--.*?-->\s*+)*+"
_HTML: Final = re.compile(_PROLOGUE + r"<(?:!doctype\s++html|html|head|body)\b", re.I | re.S)
_SVG: Final = re.compile(_PROLOGUE + r"(?><!doctype\s++svg[^>]*+>\s*+)?+<svg\b", re.I | re.S)
_TEXT_SUFFIXES: Final = {
    **dict.fromkeys((".md", ".markdown", ".mdown"), "text/markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "text/html"),
}
_CLAIMS: Final = {
    "a picture": ".jpg .jpeg .png .webp .gif .tif .tiff .bmp .heic .heif .avif",
    "audio": ".mp3 .wav .flac .ogg .opus .oga .m4a .aac .wma .aiff .aif .amr",
    "video": ".mp4 .m4v .mov .mkv .webm .avi .wmv .flv .mpg .mpeg .3gp .ogv",
    "a 3D mesh": ".obj .stl .ply .off .gltf .glb",
    "a PDF": ".pdf",
}
_CLAIMED: Final = {suffix: what for what, names in _CLAIMS.items() for suffix in names.split()}


def sniff(path: Path) -> tuple[Medium, str]:
    """The medium and MIME type of a file, from its bytes. An audio file with cover art is audio.

    Raises `Unreadable`, `EmptyFile`, `UnknownType`, `TypeMismatch` (text under the name of a picture, sound or video)
    `Corrupt` (a container whose header is gone) and `NoFrames` (one without any stream to show or play).
    """
    head = read_head(path)
    if mime := picture_mime(head):
        return "image", mime
    if _is_pdf(head):
        return "text", "application/pdf"
    for magic, what, hint in _OTHERS:
        if head.startswith(magic):
            raise UnknownType(f"{path.name} is {what}", f"{hint}; accepted are {ACCEPTED}")
    known = _CONTAINERS.match(head) is not None or head[4:8] == b"ftyp"
    if not known and (text := charset.guess(head, whole=len(head) < HEAD)):
        return "text", _text_mime(path, head.decode(text.name, "replace"))
    return _streams(path, head, known)


def read_head(path: Path) -> bytes:
    """The first 64 KiB. Raises `Unreadable` or `EmptyFile`; never blocks on a pipe or device."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "a pipe, socket or device"
            raise Unreadable(f"{path.name} is {kind}, not a file", "give the files in it")
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        hint = "check that the path exists and that this user may read it"
        raise Unreadable(f"{path.name} cannot be read: {error.strerror or error}", hint) from error
    except ValueError as error:
        raise Unreadable(f"{os.fspath(path)!r} is no path: {error}", "give the path of a file") from error
    if not head:
        raise EmptyFile(f"{path.name} is empty", "check how it was copied, or leave it out")
    return head


def _is_pdf(head: bytes) -> bool:
    """A PDF may have other bytes before it, up to a kilobyte; but a text may speak of PDFs."""
    at = head[:1024].find(b"%PDF-")
    if at <= 0:
        return at == 0
    text = charset.guess(head, whole=len(head) < HEAD)
    return text is None or not text.name.startswith("utf")


def picture_mime(head: bytes) -> str | None:
    """The MIME type of a picture from its first bytes, None if they are no picture's."""
    for magic, mime in _PICTURES:
        if head.startswith(magic):
            return mime
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if (
        head[:2] == b"BM"
        and len(head) >= 26
        and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)
    ):
        return "image/bmp"
    if head[4:8] != b"ftyp":
        return None
    if head[8:12] in _GENERAL and b"avif" in head[16 : int.from_bytes(head[:4])]:
        return "image/avif"
    return _BRANDS.get(head[8:12])


def _text_mime(path: Path, text: str) -> str:
    suffix = path.suffix.lower()
    if suffix in _CLAIMED:
        hint = "rename it to .txt if it is a text; if not, it was damaged on its way here"
        raise TypeMismatch(f"{path.name} is named as {_CLAIMED[suffix]}, but its bytes are text", hint)
    start = text.lstrip("\ufeff")[:4096]
    if _SVG.match(start):
        raise UnknownType(f"{path.name} is an SVG drawing", f"export it as PNG; accepted are {ACCEPTED}")
    return "text/html" if _HTML.match(start) else _TEXT_SUFFIXES.get(suffix, "text/plain")


def _streams(path: Path, head: bytes, known: bool) -> tuple[Medium, str]:
    try:
        with container.open_container(path) as file:
            name = file.format.name.split(",")[0]
            medium: Medium | None = None
            if container.video_stream(file):
                medium = "video"
            elif container.audio_stream(file):
                medium = "audio"
    except Corrupt:
        if known:
            raise
        medium = None
    if medium is None and known:
        raise NoFrames(f"{path.name} holds neither pictures nor sound that can be decoded", "convert it to MP4 or MP3")
    if medium is None:
        raise UnknownType(f"{path.name} is of no known type", f"accepted are {ACCEPTED}; save a text as UTF-8")
    if name == "matroska" and b"webm" in head[:64]:
        name = "webm"
    if name == "mov" and head[8:12] == b"qt  ":
        return medium, f"{medium}/quicktime"
    return medium, f"{medium}/{_FORMAT_MIMES.get(name, name)}"
