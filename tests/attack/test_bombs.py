"""Small files that want to be large: each costs a bounded time and memory, and no other file."""

from __future__ import annotations

import io
import random
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.pool import DecodePool
from tests.attack.scale import count, draw, keep, share, summary
from tests.attack.seeds import zipped
from tests.attack.test_files import complaint
from tests.media_makers import picture

pytestmark = pytest.mark.slow

ENTITIES = (
    '<!DOCTYPE a [<!ENTITY a "boat">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]>"
)
"""A billion boats and more, if somebody unfolds them."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(size: int) -> bytes:
    """So many zeros as zlib packs them."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


def giant_png(rng: random.Random) -> bytes:
    """A picture of any claimed size, with few lines or many behind the claim."""
    side = rng.choice((20_000, 65_535, 1_000_000, 2**31 - 1))
    other = rng.choice((1, 7_000, side))
    width, height = rng.choice(((side, other), (other, side)))
    head = struct.pack(">IIBBBBB", width, height, rng.choice((1, 8, 16)), 0, 0, 0, rng.randrange(2))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zeros(rng.choice((1, 64)) << 20))
        + chunk(b"IEND", b"")
    )


def text_in_png(rng: random.Random) -> bytes:
    """Notes that are packed a thousandfold."""
    note = b"Comment\x00\x00" + zeros(64 << 20)
    profile = b"p\x00\x00" + zeros(64 << 20)
    whole = io.BytesIO()
    Image.fromarray(picture(1, 16, 16)).save(whole, "PNG")
    at = 33  # behind the header
    return (
        whole.getvalue()[:at]
        + chunk(rng.choice((b"zTXt", b"iCCP")), rng.choice((note, profile)))
        + whole.getvalue()[at:]
    )


def many_frames(rng: random.Random) -> bytes:
    """A GIF of many thousand frames on a large screen."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    side = rng.choice((10, 2_000, 65_535))
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    return screen + frame * rng.choice((1_000, 100_000)) + b"\x3b"


def giant_tiff(rng: random.Random) -> bytes:
    side = rng.choice((40_000, 2**31 - 1, 2**32 - 1))
    entries = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, rng.choice((1, 5, 8, 32773))),
        (262, 3, 1, 1),
        (273, 4, rng.choice((1, 2**31 - 1)), 8),
        (277, 3, 1, rng.choice((1, 3, 65535))),
        (278, 4, 1, side),
        (279, 4, 1, 2**32 - 1),
    ]
    return (
        b"II*\x00\x08\x00\x00\x00"
        + struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I", 0)
    )


def round_tiff(rng: random.Random) -> bytes:
    """Pages that come after each other in a circle."""
    still = io.BytesIO()
    Image.fromarray(picture(1, 16, 16)).save(still, "TIFF")
    data = bytearray(still.getvalue())
    start = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * entries, start)
    return bytes(data)


def progressive_jpeg(rng: random.Random) -> bytes:
    """Few bytes, many scans, each over a giant picture."""
    still = io.BytesIO()
    Image.fromarray(picture(1, 64, 64)).save(still, "JPEG", progressive=True)
    data = bytearray(still.getvalue())
    at = data.index(b"\xff\xc2")
    side = rng.choice((12_000, 65_500))
    struct.pack_into(">HH", data, at + 5, side, side)
    scan = data.index(b"\xff\xda")
    return bytes(data[:-2] + data[scan:-2] * rng.choice((10, 200)) + b"\xff\xd9")


def package_bomb(rng: random.Random) -> bytes:
    """An office document or a book with a member that is a gigabyte unpacked."""
    name = rng.choice(
        ("word/document.xml", "xl/worksheets/sheet1.xml", "content.xml", "a.xhtml", "ppt/slides/slide1.xml")
    )
    size = rng.choice((64, 1024)) << 20
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open(name, "w") as member:
            member.write(b"<a><p>")
            for _ in range(size >> 20):
                member.write(b" " * (1 << 20))
    return buffer.getvalue()


def nested_zip(rng: random.Random) -> bytes:
    data = zipped({"a.txt": "boat " * 100_000})
    for _ in range(rng.randint(2, 30)):
        data = zipped({f"{n}.{rng.choice(('zip', 'docx', 'epub'))}": data for n in range(4)})[:4_000_000]
    return data


def many_members(rng: random.Random) -> bytes:
    kind = rng.choice(("word/document.xml", "META-INF/container.xml", "xl/workbook.xml"))
    return zipped({kind: "<a/>"} | {f"{n}/../../../etc/{n}": b"" for n in range(20_000)}, zipfile.ZIP_STORED)


def entity_svg(rng: random.Random) -> bytes:
    return f'<?xml version="1.0"?>{ENTITIES}<svg xmlns="http://www.w3.org/2000/svg"><text>&m;</text></svg>'.encode()


def entity_package(rng: random.Random) -> bytes:
    outer = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    entities = rng.choice((ENTITIES, outer))
    word = '<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>&a;&m;</w:t></w:r></w:p></w:body></w:document>'
    inside = f'<?xml version="1.0"?>{entities}{word}'
    name = rng.choice(("word/document.xml", "content.xml", "xl/sharedStrings.xml", "ppt/slides/slide1.xml"))
    return zipped({"[Content_Types].xml": "<Types/>", name: inside, "a.xhtml": inside})


def pdf(objects: list[str]) -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{place:010d} 00000 n \n" for place in places).encode()
    return bytes(out) + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def drawn_in_itself(rng: random.Random) -> bytes:
    """Forms that draw forms: themselves, or each ten times the next."""
    catalog, pages = "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    resources = "<< /XObject << /X 5 0 R >> >>"
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {resources} >>"
    draws = "/X Do " * 10
    objects = [catalog, pages, page, f"<< /Length {len(draws)} >>\nstream\n{draws}\nendstream"]
    depth = rng.choice((1, 12, 40))
    for number in range(depth):
        inner = 5 if number == depth - 1 else 6 + number
        objects.append(
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X {inner} 0 R >> >> "
            f"/Length {len(draws)} >>\nstream\n{draws}\nendstream"
        )
    return pdf(objects)


def round_pdf(rng: random.Random) -> bytes:
    """Pages that hold each other, or ones that claim to be millions or kilometres."""
    kids = rng.choice(("2 0 R", "3 0 R " * 50_000, "3 0 R"))
    box = rng.choice(("0 0 1e9 1e9", "0 0 0 0", "0 0 200000 200000", "-1e30 -1e30 1e30 1e30"))
    return pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {rng.choice((1, 2**31 - 1, -1))} >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] >>",
        ]
    )


def packed_pdf(rng: random.Random) -> bytes:
    """A page whose drawing is a gigabyte unpacked."""
    data = zeros(512 << 20).decode("latin-1")
    return pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            f"<< /Length {len(data)} /Filter /FlateDecode >>\nstream\n{data}\nendstream",
        ]
    )


def deep_markup(rng: random.Random) -> bytes:
    opener = rng.choice(("<div>", "<table><tr><td>", "<svg><g>", "<b><i>", "<select><option>", "<template>"))
    return b"<!doctype html><html><body>" + opener.encode() * rng.choice((20_000, 300_000)) + b"boat"


def deep_values(rng: random.Random) -> bytes:
    """JSON, lists in lists; Markdown, quotes in quotes; RTF, groups in groups."""
    opener = rng.choice((b"[", b'{"a":', b"> ", b"{\\rtf1 {", b"- ", b"*_", b"[![", b"((", b"\\("))
    return opener * rng.choice((10_000, 500_000))


def long_sound(rng: random.Random) -> bytes:
    """A sound that claims hours, or rates and channels that nobody has."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(16_000))
    data = bytearray(buffer.getvalue())
    struct.pack_into("<HI", data, 22, rng.choice((1, 2, 255, 65_535)), rng.choice((1, 8_000, 2**31 - 1, 2**32 - 1)))
    struct.pack_into("<I", data, 40, rng.choice((0, 16_000, 2**32 - 1)))
    struct.pack_into("<I", data, 4, 2**32 - 1)
    return bytes(data)


def long_line(rng: random.Random) -> bytes:
    return rng.choice((b"a", b"a ", b"\xe8\xb5\xa4", b"0,", b'"', b"\n", b"From: a\n ")) * (4 << 20)


BOMBS: dict[str, tuple[str, Callable[[random.Random], bytes]]] = {
    make.__name__: (suffix, make)
    for suffix, make in (
        ("png", giant_png),
        ("png", text_in_png),
        ("gif", many_frames),
        ("tiff", giant_tiff),
        ("tiff", round_tiff),
        ("jpg", progressive_jpeg),
        ("docx", package_bomb),
        ("zip", nested_zip),
        ("docx", many_members),
        ("svg", entity_svg),
        ("docx", entity_package),
        ("pdf", drawn_in_itself),
        ("pdf", round_pdf),
        ("pdf", packed_pdf),
        ("html", deep_markup),
        ("json", deep_values),
        ("wav", long_sound),
        ("txt", long_line),
    )
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb(tmp_path: Path, bomb: str) -> None:
    suffix, make = BOMBS[bomb]
    rng = draw(f"bomb {bomb}")
    findings: list[str] = []
    over_time = 0
    note = tmp_path / "note.txt"
    note.write_text("The red boats come home.")
    times = share(200 / len(BOMBS))
    with DecodePool(1) as pool:
        for number in range(times):
            path = tmp_path / f"{number}.{suffix}"
            path.write_bytes(make(rng))
            [outcome] = pool.submit_many([path]).result(timeout=600)
            if isinstance(outcome, CrossmediaError):
                over_time += outcome.code == "decode_timeout"
                if wrong := complaint(outcome.as_dict()):
                    findings.append(keep("bombs", f"{bomb}-{number}.{suffix}", path.read_bytes(), wrong))
            [after] = pool.submit_many([note]).result(timeout=600)
            if isinstance(after, CrossmediaError):
                findings.append(f"{bomb} {number} cost the file after it: {after.message}")
            path.unlink()
    count("bombs", tried=times, crashes=len(findings), over_time=over_time)
    assert not findings, summary(findings)
