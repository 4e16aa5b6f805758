"""Decode PDF files: numbered pages, paragraphs rebuilt from lines, a picture of the first page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode import charset
from crossmedia.indexer.decode.errors import Corrupt, Encrypted, TooLarge
from crossmedia.indexer.decode.job import memory_beyond
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.thumbnail import SIDE, thumbnail
from crossmedia.indexer.decode.types import Decoded, Limits, Page

_MEMORY: Final = 1 << 30
"""Bytes a document may take beyond what the worker has: forms that draw forms ten times each take all there is."""
_SOFT_HYPHEN: Final = re.compile("[\ufffe\x02\u00ad]\n?")
_HARD_HYPHEN: Final = re.compile(r"[a-zà-ÿ]-$")
_SHORT_LINE: Final = 0.7
_DATE: Final = re.compile(r"^D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?")
_ZONE: Final = re.compile(r"([+-])(\d{2})'?(\d{2})?'?$")


def decode_pdf(path: Path, mime: str, limits: Limits, progress: Progress = ignore_progress) -> Decoded:
    """Pages with their paragraphs, numbered from 1; pages without words are kept, empty.

    Metadata: `pages`, `characters`, `author`. A scan without any text is a warning, not an error: it has a thumbnail.
    Raises `Encrypted`, `Corrupt` and `TooLarge` (pages, characters).
    """
    with memory_beyond(_MEMORY):
        return _decode_file(path, mime, limits, progress)


def _decode_file(path: Path, mime: str, limits: Limits, progress: Progress) -> Decoded:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium_c.FPDF_ERR_PASSWORD:
            hint = "remove the password and add it again"
            raise Encrypted(f"{path.name} opens only with a password", hint) from error
        raise Corrupt(f"{path.name} is truncated or damaged: {error}", "copy or export it again") from error
    try:
        return _decode(document, path, mime, limits, progress)
    except pdfium.PdfiumError as error:
        raise Corrupt(f"{path.name} is damaged: {error}", "copy or export it again") from error
    finally:
        document.close()


def _decode(document: Any, path: Path, mime: str, limits: Limits, progress: Progress) -> Decoded:
    count = len(document)
    if count > limits.pages:
        hint = "split it, or raise the limit on pages"
        raise TooLarge(f"{path.name} has {count} pages, more than the {limits.pages} allowed", hint)
    pages: list[Page] = []
    warnings: list[str] = []
    characters = 0
    for index in range(count):
        try:
            lines = _lines(document, index)
        except pdfium.PdfiumError as error:
            warnings.append(f"page {index + 1} is damaged and was left out: {error}")
            lines = []
        characters += sum(map(len, lines))
        if characters > limits.characters:
            hint = "split it, or raise the limit on characters"
            raise TooLarge(f"{path.name} has more than the {limits.characters:,} characters allowed", hint)
        pages.append(Page(index + 1, tuple(paragraphs(lines))))
        progress(index / 10)
    if len(warnings) == count:
        raise Corrupt(f"no page of {path.name} can be read", "copy or export it again")
    if not characters:
        warnings.append("no page has words: it is a scan or a drawing")
    about = document.get_metadata_dict()
    metadata: dict[str, Any] = {"pages": count, "characters": characters}
    if author := about.get("Author", "").strip():
        metadata["author"] = author
    picture = _draw(document)
    title = charset.clean(about.get("Title", "")).strip() or None
    thumbnails = (thumbnail(picture),) if picture else ()
    captured = iso_date(about.get("CreationDate", ""))
    return Decoded("text", mime, tuple(pages), title, captured, metadata, (), thumbnails, tuple(warnings))


def _lines(document: Any, index: int) -> list[str]:
    page = document[index]
    try:
        words = page.get_textpage()
        try:
            text: str = words.get_text_range(errors="replace") if words.count_chars() else ""
        finally:
            words.close()
    finally:
        page.close()
    text = _SOFT_HYPHEN.sub("", text.replace("\r\n", "\n"))
    return charset.clean(text).split("\n")


def paragraphs(lines: Iterable[str]) -> list[str]:
    """Lines of a page → paragraphs. One ends at a blank line, and at a line much shorter than the page's usual ones."""
    stripped = [" ".join(line.split()) for line in lines]
    lengths = sorted(len(line) for line in stripped if line)
    usual = lengths[int(len(lengths) * 0.8)] if lengths else 0
    out: list[str] = []
    held = ""
    for line in stripped:
        broken = _HARD_HYPHEN.search(held) and line[:1].islower()
        held = held[:-1] + line if broken else f"{held} {line}".strip()
        if held and len(line) < _SHORT_LINE * usual:
            out.append(held)
            held = ""
    return [*out, held] if held else out


def _draw(document: Any) -> Picture | None:
    """The first page, drawn as small as its thumbnail; None for a page without area."""
    page = document[0]
    try:
        width, height = page.get_size()
        if not (width > 0 and height > 0) or max(width, height) > 100 * min(width, height):
            return None
        drawn = page.render(scale=SIDE / max(width, height), rev_byteorder=True, prefer_bgrx=False)
        return Picture(np.ascontiguousarray(drawn.to_numpy()[:, :, :3]))
    finally:
        page.close()


def iso_date(stamp: str) -> str | None:
    """`D:20240131120000+01'00'` → `2024-01-31T12:00:00+01:00`; None where malformed."""
    match = _DATE.match(stamp)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
    try:
        moment = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    except ValueError:
        return None
    zone = _ZONE.search(stamp)
    if zone:
        return f"{moment.isoformat()}{zone[1]}{zone[2]}:{zone[3] or '00'}"
    return moment.isoformat() + ("Z" if stamp.endswith("Z") else "")
