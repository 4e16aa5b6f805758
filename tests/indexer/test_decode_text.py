"""Words, paragraphs, pages and titles of texts, web pages and PDFs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from crossmedia.indexer.decode.charset import guess
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


SENTENCES = {
    "gb18030": "灯塔在午夜停电两小时。我们在海边等待黎明，然后修理了水泵。",
    "big5": "燈塔在午夜停電兩小時。我們在海邊等待黎明，然後修理了水泵。",
    "shift_jis": "灯台は真夜中に二時間停電しました。私たちは海辺で夜明けを待ちました。",
    "euc_jp": "灯台は真夜中に二時間停電しました。私たちは海辺で夜明けを待ちました。",
    "cp949": "오늘은 회의가 있었고, 펌프를 고치는 데 두 시간이 걸렸다. 저녁에는 비가 왔다.",
    "koi8-r": "Маяк отключился в полночь на два часа. Мы ждали рассвета на берегу моря.",
    "cp1251": "Маяк отключился в полночь на два часа. Мы ждали рассвета на берегу моря.",
    "iso8859-2": "Latarnia morska zgasła o północy na dwie godziny. Czekaliśmy na świt, żeby naprawić pompę.",
    "cp1250": "Latarnia morska zgasła o północy na dwie godziny. Czekaliśmy na świt, żeby naprawić pompę.",
    "iso8859-7": "Ο φάρος έσβησε τα μεσάνυχτα για δύο ώρες. Περιμέναμε την αυγή.",
    "cp1254": "Deniz feneri gece yarısı iki saat söndü. Şafağı sahilde bekledik.",
    "cp1255": "המגדלור כבה בחצות למשך שעתיים. חיכינו לעלות השחר.",
    "cp1256": "انطفأت المنارة عند منتصف الليل لمدة ساعتين. انتظرنا الفجر.",
    "tis-620": "ประภาคารดับตอนเที่ยงคืนสองชั่วโมง",
    "utf-16-le": "The lighthouse went dark at midnight for two hours.",
    "utf-16-be": "The lighthouse went dark at midnight for two hours.",
}


@pytest.mark.parametrize("encoding", SENTENCES)
def test_text_in_the_charsets_of_many_languages(tmp_path: Path, encoding: str) -> None:
    decoded = read(tmp_path / "a.txt", SENTENCES[encoding].encode(encoding))
    assert pages(decoded)[0].paragraphs == (SENTENCES[encoding],)


@pytest.mark.parametrize(
    ("encoding", "word"), [("gb18030", "灯塔"), ("cp1251", "Маяк"), ("cp1250", "Łódź"), ("cp1252", "déjà vu")]
)
def test_a_charset_that_few_letters_tell_is_a_guess_that_is_told(tmp_path: Path, encoding: str, word: str) -> None:
    text = f"Report of the harbour master, in which nothing happened but for {word}, which was out of order."
    decoded = read(tmp_path / "a.txt", text.encode(encoding))
    assert pages(decoded)[0].paragraphs == (text,)
    assert "which is a guess" in decoded.warnings[0]


def test_a_text_with_a_trace_of_zeros_is_one_and_binary_data_is_none(tmp_path: Path) -> None:
    log = b"10:00 the beekeeper service starts\n" * 2_000
    decoded = read(tmp_path / "a.log", log + b"\x00" * 8 + log)
    assert "\x00" not in pages(decoded)[0].paragraphs[0]
    assert decoded.warnings == ()


@given(st.binary(min_size=64, max_size=400).filter(lambda data: any(byte < 8 for byte in data[:64])))
def test_bytes_with_control_characters_are_no_text(data: bytes) -> None:
    assert guess(data) is None or guess(data).name.startswith("utf")  # type: ignore[union-attr]


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
        "<!doctype html><html><head><title> My\n page </title><style>p{}</style></head><body><h1>Hi</h1><p>One "
        "<b>two</b>three"
        "<br>four</p><div>loose<p>in</p>tail</div><script>bad()</script><table><tr><td>a</td><td>b</td></tr></table>&amp;",
    )
    assert decoded.title == "My page"
    assert pages(decoded)[0].paragraphs == ("Hi", "One twothree", "four", "loose", "in", "tail", "a b", "&")


def test_html_declares_its_charset_and_may_nest_deep(tmp_path: Path) -> None:
    decoded = read(tmp_path / "a.html", "<html><head><meta charset=windows-1251></head><body>Привет".encode("cp1251"))
    assert pages(decoded)[0].paragraphs == ("Привет",)
    assert pages(read(tmp_path / "b.html", "<html><body>" + "<div>" * 5_000 + "x"))[0].paragraphs == ("x",)


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("gb2312", "gb18030", "镕基在灯塔停留"),
        ("shift_jis", "cp932", "①髙橋さんの灯台"),
        ("iso-8859-1", "cp1252", "“The pump” – 20 €"),
    ],
)
def test_html_is_read_as_browsers_read_what_it_declares(
    tmp_path: Path, declared: str, encoding: str, text: str
) -> None:
    page = f"<html><head><meta charset={declared}></head><body>{text}".encode(encoding)
    assert pages(read(tmp_path / "a.html", page))[0].paragraphs == (text,)


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
