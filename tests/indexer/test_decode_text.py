"""Words, paragraphs, pages and titles of texts, web pages and PDFs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from crossmedia.indexer.decode.errors import Corrupt, EmptyFile, Encrypted, TooLarge
from crossmedia.indexer.decode.pdf import iso_date, paragraphs
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits, Page
from tests.media_makers import write_pdf


def pages(decoded: Decoded) -> tuple[Page, ...]:
    assert isinstance(decoded.content, tuple)
    return decoded.content


def read(path: Path, data: str | bytes) -> Decoded:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return decode(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_plain_text_in_any_charset(tmp_path: Path, encoding: str) -> None:
    decoded = read(tmp_path / "a.txt", "Café first\r\nline.\r\n\r\n  \r\nSecond – déjà vu.".encode(encoding))
    assert pages(decoded) == (Page(None, ("Café first line.", "Second – déjà vu.")),)
    assert decoded.title is None


def test_long_lines_without_blank_ones_are_paragraphs(tmp_path: Path) -> None:
    lines = [f"{number} " + "word " * 60 for number in range(3)]
    assert len(pages(read(tmp_path / "a.txt", "\n".join(lines)))[0].paragraphs) == 3


def test_markdown(tmp_path: Path) -> None:
    decoded = read(
        tmp_path / "a.md", "intro\n\n# The *title* #\nfirst\nline\n\nSub\n---\n***\n```\n# code\n\nmore\n```\nend"
    )
    assert decoded.title == "The *title*"
    assert pages(decoded)[0].paragraphs == ("intro", "The *title*", "first line", "Sub", "# code more", "end")


def test_html(tmp_path: Path) -> None:
    decoded = read(
        tmp_path / "a.html",
        "<!doctype html><html><head><title> My\n page </title><style>p{}</style></head><body><h1>Hi</h1><p>One <b>two</b>three"
        "<br>four</p><div>loose<p>in</p>tail</div><script>bad()</script><table><tr><td>a</td><td>b</td></tr></table>&amp;",
    )
    assert decoded.title == "My page"
    assert pages(decoded)[0].paragraphs == ("Hi", "One twothree", "four", "loose", "in", "tail", "a b", "&")


def test_html_declares_its_charset_and_may_nest_deep(tmp_path: Path) -> None:
    decoded = read(tmp_path / "a.html", "<html><head><meta charset=windows-1251></head><body>Привет".encode("cp1251"))
    assert pages(decoded)[0].paragraphs == ("Привет",)
    assert pages(read(tmp_path / "b.html", "<html><body>" + "<div>" * 5_000 + "x"))[0].paragraphs == ("x",)


def test_pdf(tmp_path: Path) -> None:
    lines = [
        "A heading",
        "The first line of a paragraph that goes on to the end, with exam-",
        "ples that are broken at the end of the line (and some more).",
        "Short end.",
        "Another paragraph begins here and is about as long as the others",
    ]
    decoded = decode(write_pdf(tmp_path / "a.pdf", [lines, [], ["Page three"]], "The title"))
    first, second, third = pages(decoded)
    assert (first.number, second.number, third) == (1, 2, Page(3, ("Page three",)))
    assert second.paragraphs == ()
    assert first.paragraphs[0] == "A heading"
    assert first.paragraphs[1].startswith("The first line")
    assert "with examples that" in first.paragraphs[1]
    assert first.paragraphs[1].endswith("Short end.")
    assert len(first.paragraphs) == 3
    assert (decoded.title, decoded.captured) == ("The title", "2024-01-31T12:00:00+01:00")
    assert decoded.metadata["pages"] == 3
    with Image.open(io.BytesIO(decoded.thumbnails[0])) as drawn:
        assert drawn.height == 320
        assert (drawn.convert("L").point(lambda v: v < 128).getbbox()) is not None


def test_pdfs_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Encrypted) as caught:
        decode(write_pdf(tmp_path / "a.pdf", [["x"]], locked=True))
    assert "password" in caught.value.hint
    path = write_pdf(tmp_path / "b.pdf", [["words"] * 40])
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(Corrupt):
        decode(path)
    with pytest.raises(TooLarge, match="3 pages"):
        decode(write_pdf(tmp_path / "c.pdf", [["x"]] * 3), Limits(pages=2))
    with pytest.raises(Corrupt):
        decode(write_pdf(tmp_path / "d.pdf", []))


def test_a_scan_is_a_warning(tmp_path: Path) -> None:
    Image.new("RGB", (200, 300), "navy").save(tmp_path / "a.pdf")
    decoded = decode(tmp_path / "a.pdf")
    assert pages(decoded) == (Page(1, ()),)
    assert len(decoded.thumbnails) == 1
    assert "scan" in decoded.warnings[0]


def test_limits_and_junk(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 1_000)
    with pytest.raises(TooLarge):
        decode(tmp_path / "a.txt", Limits(characters=4_000))
    with pytest.raises(EmptyFile):
        read(tmp_path / "b.txt", " \n\n\t")
    with pytest.raises(Corrupt):
        read(tmp_path / "c.txt", b"words " * 20_000 + bytes(range(256)) * 4)


def test_paragraphs_from_lines() -> None:
    assert paragraphs([]) == []
    assert paragraphs(["one long line of words", "another long one to it", "", "new"]) == [
        "one long line of words another long one to it",
        "new",
    ]


@pytest.mark.parametrize(
    ("stamp", "iso"),
    [
        ("D:2024", "2024-01-01T00:00:00"),
        ("D:20240131120000Z", "2024-01-31T12:00:00Z"),
        ("D:20249931", None),
        ("x", None),
    ],
)
def test_pdf_dates(stamp: str, iso: str | None) -> None:
    assert iso_date(stamp) == iso
