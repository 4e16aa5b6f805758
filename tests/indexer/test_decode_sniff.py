"""The type comes from the bytes, and what is refused says why."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.errors import (
    Corrupt,
    EmptyFile,
    NoFrames,
    TooLarge,
    TypeMismatch,
    UnknownType,
    Unreadable,
)
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.sniff import _text_mime, sniff
from crossmedia.indexer.decode.text import markdown
from crossmedia.indexer.decode.types import Limits
from tests.media_makers import tone, write_pdf, write_picture, write_sound, write_video, write_wav


@pytest.mark.parametrize(
    ("suffix", "mime"),
    [
        ("jpg", "jpeg"),
        ("png", "png"),
        ("webp", "webp"),
        ("gif", "gif"),
        ("tiff", "tiff"),
        ("bmp", "bmp"),
        ("avif", "avif"),
    ],
)
def test_pictures_are_known_under_any_name(tmp_path: Path, suffix: str, mime: str) -> None:
    path = write_picture(tmp_path / f"a.{suffix}").rename(tmp_path / "a.txt")
    assert sniff(path) == ("image", f"image/{mime}")


def test_sounds_videos_and_documents(tmp_path: Path) -> None:
    assert sniff(write_wav(tmp_path / "a.wav", tone(0.2))) == ("audio", "audio/wav")
    assert sniff(write_sound(tmp_path / "a.mp3", tone(0.5), "libmp3lame")) == ("audio", "audio/mpeg")
    assert sniff(write_sound(tmp_path / "a.m4a", tone(0.5), "aac")) == ("audio", "audio/mp4")
    assert sniff(write_video(tmp_path / "a.mp4", [(1, 0.4)])) == ("video", "video/mp4")
    assert sniff(write_video(tmp_path / "a.webm", [(1, 0.4)], codec="libvpx")) == ("video", "video/webm")
    assert sniff(write_pdf(tmp_path / "a.pdf", [["x"]])) == ("text", "application/pdf")


@pytest.mark.parametrize(
    ("name", "data", "mime"),
    [
        ("a", b"just words", "text/plain"),
        ("a.md", b"# words", "text/markdown"),
        ("a.txt", b"<!DOCTYPE html><p>words", "text/html"),
        ("a.html", b"<p>words", "text/html"),
        ("a.txt", "Ein Gefühl für Öl".encode("cp1252"), "text/plain"),
        ("a.txt", "日本".encode("utf-16"), "text/plain"),
        ("a.txt", ("é" * 40_000).encode(), "text/plain"),
    ],
)
def test_texts(tmp_path: Path, name: str, data: bytes, mime: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert sniff(tmp_path / name) == ("text", mime)


def test_a_text_named_as_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("not a picture")
    with pytest.raises(TypeMismatch) as caught:
        sniff(tmp_path / "a.jpg")
    assert "rename" in caught.value.hint


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04" + b"\0" * 90, b"\x7fELF" + b"\0" * 90, b"\0\x01\x02" * 400, b"<svg xmlns=''/>"]
)
def test_what_is_not_on_the_white_list(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(UnknownType) as caught:
        decode(tmp_path / "a.bin")
    assert "JPEG" in caught.value.hint


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_a_domain_error(tmp_path: Path, seed: int) -> None:
    (tmp_path / "a.bin").write_bytes(np.random.default_rng(seed).bytes(20_000))
    with pytest.raises(CrossmediaError):
        decode(tmp_path / "a.bin")


def test_a_play_list_opens_no_other_file(tmp_path: Path) -> None:
    secret = write_wav(tmp_path / "secret.wav", tone(0.2))
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{secret}\n")
    assert decode(tmp_path / "a.m3u8").media == "text"


def test_unreadable_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name in ("loop", "pipe", "absent", "."):
        with pytest.raises(Unreadable):
            decode(tmp_path / name)
    with pytest.raises(Unreadable):
        decode(Path("a\0b"))

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, whom no file mode stops.
    (tmp_path / "locked").write_text("words")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Unreadable, match="Permission denied"):
        decode(tmp_path / "locked")


def test_empty_and_oversized_files(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(EmptyFile):
        decode(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("words " * 10)
    with pytest.raises(TooLarge):
        decode(tmp_path / "a.txt", Limits(bytes=20))


def test_a_container_cut_short_and_one_without_streams(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(1, 1.0)])
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(Corrupt):
        decode(path)
    (tmp_path / "b.wav").write_bytes(b"RIFF\x24\0\0\0WAVE")
    with pytest.raises((Corrupt, NoFrames)):
        decode(tmp_path / "b.wav")


@pytest.mark.parametrize(
    ("name", "data", "mime"),
    [
        ("a.txt", b"FORM OF PROXY\n\nI appoint the chairman to vote for me.", "text/plain"),
        ("a.txt", b"RIFF raff of the harbour, by the riff itself", "text/plain"),
        ("a.txt", b"ID3 tags and how I clean them", "text/plain"),
        ("a.md", b"# Files\n\nA PDF begins with %PDF-1.4 and a page.", "text/markdown"),
        ("a.html", b"<!-- a --> <!-- b -->\n<!DOCTYPE html><title>x</title>", "text/html"),
        ("a.html", b"<?xml version='1.0'?><!-- a --><html><body>x", "text/html"),
    ],
)
def test_texts_that_begin_like_something_else(tmp_path: Path, name: str, data: bytes, mime: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert sniff(tmp_path / name) == ("text", mime)


PARTS = ["<!---->", "<!-- x -->", "<!--", "<?xml ", "<?xml>", "<!doctype svg", " ", "\n", "# ", "#", "-->"]


@given(st.sampled_from(PARTS), st.sampled_from(["", "x", "<svg", "<html"]))
def test_no_beginning_of_a_text_takes_longer_than_its_length(part: str, tail: str) -> None:
    """A few hundred comments used to hold a decoder for minutes: this would not end."""
    text = part * (4096 // len(part)) + tail
    with suppress(UnknownType):  # an SVG
        assert _text_mime(Path("a.txt"), text) in ("text/plain", "text/html")
    title, paragraphs = markdown(f"# {text}")
    assert title is None or title in paragraphs
