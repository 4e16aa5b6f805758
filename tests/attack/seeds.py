"""Small whole files of every kind that is recognised, or that people expect to be: what mutations start from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.media_makers import picture, tone, write_frames, write_pdf, write_sound, write_video, write_wav

SHARED = Path(__file__).resolve().parents[3] / "shared"
LARGEST = 100_000
"""Bytes of a seed: small ones make more files in the same time."""


@cache
def seeds() -> Mapping[str, bytes]:
    """Name → bytes."""
    with TemporaryDirectory() as folder:
        made = {path.name: path.read_bytes() for path in (*_pictures(Path(folder)), *_recordings(Path(folder)))}
        write_pdf(Path(folder) / "two.pdf", [["A first page", "", "of a boat"], ["and a second (one)"]], "Boats")
        made["two.pdf"] = (Path(folder) / "two.pdf").read_bytes()
    return made | _texts() | _packages() | _samples()


def _pictures(folder: Path) -> list[Path]:
    still = Image.fromarray(picture(1, 48, 32))
    frames = [Image.fromarray(picture(n, 32, 24)) for n in range(2, 5)]
    exif = Image.Exif()
    exif[0x0132], exif[0x010E], exif[0x010F] = "2019:05:06 12:00:00", "a boat", "Maker"
    still.save(folder / "exif.jpg", exif=exif)
    still.save(folder / "progressive.jpg", progressive=True)
    still.convert("CMYK").save(folder / "cmyk.jpg")
    still.save(folder / "still.png")
    still.convert("RGBA").save(folder / "alpha.png")
    still.convert("P").save(folder / "palette.png")
    still.save(folder / "still.webp")
    still.save(folder / "still.bmp")
    still.save(folder / "lzw.tiff", compression="tiff_lzw")
    still.save(folder / "jpeg.tiff", compression="jpeg")
    still.save(folder / "plain.tiff")
    still.save(folder / "still.avif")
    for name in ("moving.gif", "moving.webp", "moving.png", "pages.tiff"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:])
    return sorted(folder.iterdir())


def _recordings(folder: Path) -> list[Path]:
    before = set(folder.iterdir())
    sound = tone(0.3)
    write_wav(folder / "tone.wav", sound)
    for name, codec in (
        ("tone.mp3", "libmp3lame"),
        ("tone.flac", "flac"),
        ("tone.ogg", "libopus"),
        ("tone.m4a", "aac"),
        ("tone.aiff", "pcm_s16be"),
    ):
        write_sound(folder / name, sound, codec, 48_000 if codec == "libopus" else 16_000)
    for name in ("film.mp4", "film.mkv", "film.mov"):
        write_video(folder / name, [(1, 0.2), (2, 0.2)], sound=sound, size=(64, 48), fps=10, metadata={"title": "Boat"})
    for name, codec in (("film.webm", "libvpx"), ("film.avi", "mpeg4"), ("film.flv", "flv1")):
        write_frames(
            folder / name, [(n / 10, picture(n, 64, 48)) for n in range(4)], fps=10, codec=codec.replace("flv1", "flv")
        )
    return sorted(set(folder.iterdir()) - before)


def _texts() -> dict[str, bytes]:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>boat</text></svg>'
    letter = (
        "From: a@example.org\nSubject: =?utf-8?b?Ym9hdA==?=\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nA red boat.\n"
        "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment; filename=a.png\n\niVBORw0KGgo=\n--b--\n"
    )
    texts = {
        "note.txt": "The red boats come home in the evening.\n\nAnother paragraph, 赤い船.",
        "note.md": "# Boats\n\nRed *boats* and [links](http://example.org).\n\n- one\n- two\n\n```\ncode\n```\n",
        "page.html": "<!doctype html><html><head><meta charset=utf-8><title>Boats</title></head>"
        "<body><h1>Red</h1><p>boats &amp; <img alt='a sail' src=x></p><table><tr><td>1</td></tr></table></body></html>",
        "rows.csv": 'name,colour\nboat,red\nsail,"white, old"\n',
        "values.json": '{"boats": [{"name": "red", "length": 12.5}, null, true]}',
        "lines.jsonl": '{"boat": 1}\n{"boat": 2}\n',
        "film.srt": "1\n00:00:00,000 --> 00:00:01,000\nA red boat\n\n2\n00:00:01,000 --> 00:00:02,000\ncomes home\n",
        "film.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nA red boat\n",
        "drawing.svg": svg,
        "letter.eml": letter,
        "letter.rtf": r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 A red \b boat\b0\par of \'e9t\'e9.\u1234?}",
        "page.mhtml": letter.replace("text/plain", "text/html").replace("A red", "<p>A red"),
        "tags.xmp": '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        "</x:xmpmeta>",
    }
    return {
        **{name: text.encode() for name, text in texts.items()},
        "wide.txt": "A boat of sixteen bits".encode("utf-16"),
        "gb.txt": "红色的船晚上回家。".encode("gb18030"),
    }


def _packages() -> dict[str, bytes]:
    """Office documents, books and archives, as small as they can be."""
    word = (
        '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        "<w:p><w:r><w:t>A red boat</w:t></w:r></w:p></w:body></w:document>"
    )
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>boat</t></is></c><c r="B1"><v>12</v></c></row>'
        "</sheetData></worksheet>"
    )
    book = (
        '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="Boats" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    slide = (
        '<?xml version="1.0"?><p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a='
        '"http://schemas.openxmlformats.org/drawingml/2006/main"><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>Boat</a:t>'
        "</a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    )
    open_text = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text><text:p>A boat</text:p>'
        "</office:text></office:body></office:document-content>"
    )
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine>'
        "</package>"
    )
    container = (
        '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return {
        "letter.docx": zipped({"[Content_Types].xml": types, "word/document.xml": word}),
        "table.xlsx": zipped(
            {"[Content_Types].xml": types, "xl/workbook.xml": book, "xl/worksheets/sheet1.xml": sheet}
        ),
        "talk.pptx": zipped({"[Content_Types].xml": types, "ppt/slides/slide1.xml": slide}),
        "text.odt": zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": open_text}),
        "book.epub": zipped(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": container,
                "a.opf": package,
                "a.xhtml": "<html><body><h1>One</h1><p>A red boat.</p></body></html>",
            }
        ),
        "files.zip": zipped({"a.txt": "A red boat.", "b/c.txt": "Another"}),
    }


def zipped(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of these members, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _samples() -> dict[str, bytes]:
    """Real files beside the checkout, where there are any: the cases, and a few of each kind of the data."""
    if not SHARED.is_dir():
        return {}
    found = sorted((SHARED / "cases" / "files").glob("*"))
    for folder in ("flickr8k", "spoken_captions", "esc10", "shot-boundaries", "generated-videos", "speakers"):
        by_kind: dict[str, list[Path]] = {}
        for path in sorted((SHARED / "data" / folder).rglob("*.*"))[:400]:
            by_kind.setdefault(path.suffix.lower(), []).append(path)
        found += [path for paths in by_kind.values() for path in paths[:2]]
    return {
        f"{path.parent.name}-{path.name}": path.read_bytes()
        for path in found
        if path.is_file() and 0 < path.stat().st_size <= LARGEST
    }
