"""Every mode, orientation and size of picture becomes the same upright RGB; bad ones are refused."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from crossmedia.embeddings.media import Picture
from crossmedia.indexer.decode.errors import Corrupt, TooLarge
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import picture, write_picture


def pixels(decoded: Decoded) -> np.ndarray:
    assert isinstance(decoded.content, Picture)
    assert decoded.content.pixels.dtype == np.uint8
    assert decoded.content.pixels.ndim == 3
    return decoded.content.pixels.astype(int)


def test_a_png_comes_through_unchanged(tmp_path: Path) -> None:
    decoded = decode(write_picture(tmp_path / "a.png"))
    assert (pixels(decoded) == picture()).all()
    assert decoded.metadata == {"width": 320, "height": 240}


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "LA", "1", "YCbCr", "I;16", "I", "F"])
def test_modes(tmp_path: Path, mode: str) -> None:
    grey = Image.fromarray(picture()).convert("L")
    if mode in ("I;16", "I"):
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).convert(mode)
    else:
        image = (grey if mode in ("L", "LA", "1", "F") else Image.fromarray(picture())).convert(mode)
    image.save(tmp_path / "a.tiff")
    got = pixels(decode(tmp_path / "a.tiff"))
    wanted = np.asarray((grey if mode in ("I;16", "I", "F") else image).convert("RGB")).astype(int)
    if mode == "F":
        wanted = (wanted - wanted.min()) * 255 // (wanted.max() - wanted.min())
    assert np.abs(got - wanted).mean() < 2


def test_alpha_is_laid_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    image.save(tmp_path / "a.png")
    got = pixels(decode(tmp_path / "a.png"))
    assert (got[:, :20] == 255).all()
    assert (got[:, 20:] == [255, 0, 0]).all()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], duration=100)
    assert np.abs(pixels(decode(tmp_path / f"a.{suffix}")) - [255, 0, 0]).max() < 8


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation_ends_upright(tmp_path: Path, turn: int) -> None:
    stored = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, 3),
    }[turn](picture())
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    decoded = decode(tmp_path / "a.png")
    assert (pixels(decoded) == picture()).all()
    assert (decoded.metadata["width"], decoded.metadata["height"]) == (320, 240)


def test_what_the_camera_wrote(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "Acme", "Acme One"
    exif.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: "2024:05:01 12:30:00", Base.OffsetTimeOriginal: "+02:00"})
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "S",
            GPS.GPSLatitude: (33.0, 51.0, 36.0),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: (151.0, 12.0, 0.0),
        }
    )
    decoded = decode(write_picture(tmp_path / "a.jpg", exif=exif))
    assert decoded.captured == "2024-05-01T12:30:00+02:00"
    assert decoded.metadata == {
        "width": 320,
        "height": 240,
        "camera": "Acme One",
        "gps": {"lat": -33.86, "lon": 151.2},
    }


@pytest.mark.parametrize(
    ("tag", "stamp", "right"),
    [
        (Base.DateTimeOriginal, "2017:05:06 12:00", "2017-05-06T12:00:00"),
        (Base.DateTimeOriginal, "2017:05:06", "2017-05-06T00:00:00"),
        (Base.DateTimeDigitized, "2017:05:06 12:00:01\x00", "2017-05-06T12:00:01"),
        (Base.DateTime, "2016:03:04 05:06:07", "2016-03-04T05:06:07"),
        (Base.DateTime, "yesterday", None),
    ],
)
def test_dates_as_programs_write_them(tmp_path: Path, tag: int, stamp: str, right: str | None) -> None:
    exif = Image.Exif()
    (exif if tag == Base.DateTime else exif.get_ifd(IFD.Exif))[tag] = stamp
    assert decode(write_picture(tmp_path / "a.jpg", exif=exif)).captured == right


def test_impossible_camera_notes_are_left_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "0000:00:00 00:00:00"
    exif.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitude: (IFDRational(1, 0),) * 3, GPS.GPSLongitude: (500.0, 0.0, 0.0)})
    decoded = decode(write_picture(tmp_path / "a.jpg", exif=exif))
    assert decoded.captured is None
    assert "gps" not in decoded.metadata
    path = tmp_path / "b.jpg"
    data = write_picture(path, exif=exif).read_bytes()
    path.write_bytes(data.replace(b"MM\x00*\x00\x00\x00\x08", b"MM\x00*\xff\xff\xff\xff"))
    assert pixels(decode(path)).shape == (240, 320, 3)


def test_large_pictures_are_scaled_and_drawn_small(tmp_path: Path) -> None:
    decoded = decode(write_picture(tmp_path / "a.jpg", width=3000, height=1000), Limits(side=600))
    assert pixels(decoded).shape == (200, 600, 3)
    assert (decoded.metadata["width"], decoded.metadata["height"]) == (3000, 1000)
    (small,) = decoded.thumbnails
    with Image.open(io.BytesIO(small)) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (320, 107))


def test_a_pixel_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(data)
    start = time.process_time()
    with pytest.raises(TooLarge, match="50000"):
        decode(tmp_path / "a.png")
    assert time.process_time() - start < 1.0
    with pytest.raises(TooLarge):
        decode(write_picture(tmp_path / "b.jpg"), Limits(pixels=70_000))


def test_damaged_pixels_of_a_png_are_not_taken_for_damaged_tags(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Corrupt):
        decode(path)


def test_the_camera_notes_of_a_tiff(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation], exif[Base.Make] = 6, "Acme"
    decoded = decode(write_picture(tmp_path / "a.tiff", exif=exif))
    assert (pixels(decoded) == np.rot90(picture(), 3)).all()
    assert decoded.metadata == {"width": 240, "height": 320, "camera": "Acme"}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tiff", "bmp", "avif"])
def test_truncated_pictures_are_corrupt(tmp_path: Path, suffix: str) -> None:
    path = write_picture(tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Corrupt) as caught:
        decode(path)
    assert caught.value.hint
