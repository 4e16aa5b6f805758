"""Shots, key frames and times of videos whose cuts are known, and of damaged ones."""

from __future__ import annotations

import io
import re
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.media import SAMPLE_RATE, Clip, Waveform
from crossmedia.indexer.decode.errors import Corrupt, NoFrames, TooLarge
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.shots import Cut, ShotCutter
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import picture, tone, write_frames, write_video

FRAME = 1 / 25 + 1e-6


def clip(decoded: Decoded) -> Clip:
    assert isinstance(decoded.content, Clip)
    assert len(decoded.content.pictures) == len(decoded.content.times) == len(decoded.thumbnails)
    assert [number for shot in decoded.shots for number in shot.frames] == list(range(len(decoded.content.times)))
    assert all(1 <= len(shot.frames) <= 3 for shot in decoded.shots)
    assert list(decoded.content.times) == sorted(decoded.content.times)
    for shot in decoded.shots:
        assert all(shot.start <= decoded.content.times[number] < shot.end for number in shot.frames)
        assert 0 <= shot.motion <= 1
    return decoded.content


def test_cuts_key_frames_and_sound(tmp_path: Path) -> None:
    notes = {"title": "Holiday", "creation_time": "2024-05-01T10:00:00Z"}
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 3), (2, 4), (3, 2)], sound=tone(9), metadata=notes))
    content = clip(decoded)
    assert [round(shot.end) for shot in decoded.shots] == [3, 7, 9]
    assert np.abs(np.array([(shot.start, shot.end) for shot in decoded.shots]) - [(0, 3), (3, 7), (7, 9)]).max() < FRAME
    for seed, shown in zip((1, 2, 3), content.pictures, strict=True):
        assert (
            np.abs(
                shown.pixels[:, 100:200].astype(int).mean((0, 1)) - picture(seed, 384)[:, 100:300].mean((0, 1))
            ).max()
            < 25
        )
    assert content.waveform is not None
    assert content.waveform.seconds == pytest.approx(9, abs=0.1)
    assert (decoded.title, decoded.captured) == ("Holiday", "2024-05-01T10:00:00+00:00")
    assert {key: decoded.metadata[key] for key in ("width", "height", "fps", "codec", "audio_codec")} == {
        "width": 320,
        "height": 240,
        "fps": 25.0,
        "codec": "h264",
        "audio_codec": "aac",
    }
    with Image.open(io.BytesIO(decoded.thumbnails[0])) as drawn:
        assert drawn.size == (320, 240)


def test_a_long_shot_has_a_key_frame_every_30_seconds(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 100)], fps=5, size=(64, 48)))
    starts, ends = zip(*((shot.start, shot.end) for shot in decoded.shots), strict=True)
    assert starts[1:] == ends[:-1]
    assert (starts[0], ends[-1]) == (0, pytest.approx(100, abs=0.3))
    assert all(5 <= shot.end - shot.start <= 30.001 for shot in decoded.shots)


def test_times_come_from_time_stamps_and_count_from_the_start(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mkv", [(1, 3), (2, 3)], start=7))
    assert decoded.shots[0].start == 0
    assert decoded.shots[1].start == pytest.approx(3, abs=FRAME)
    assert decoded.metadata["seconds"] == pytest.approx(6, abs=0.1)


def test_a_frame_that_stays_for_minutes_still_stands_for_them() -> None:
    cutter: ShotCutter[int] = ShotCutter()
    found: list[Cut[int]] = []
    for number, time in enumerate((0.0, 1.0, 200.0, 201.0)):
        small = np.full((32, 32, 3), number, np.uint8)
        found += cutter.look(small, time, lambda number=number, small=small: (number, small[..., 0]))  # type: ignore[misc]
    found += cutter.finish(202.0)
    assert found[0].start == 0
    assert found[-1].end == 202
    assert [shot.end for shot in found[:-1]] == [shot.start for shot in found[1:]]
    assert all(shot.end - shot.start <= 30.001 and shot.keys for shot in found)
    assert {key.frame for shot in found if shot.end < 200 for key in shot.keys} <= {0, 1}


def test_rotation_is_applied(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(1, 1)])
    upright = clip(decode(path)).pictures[0].pixels
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = quarter
    path.write_bytes(data)
    decoded = decode(path)
    turned = clip(decoded).pictures[0].pixels
    assert turned.shape == (320, 240, 3)
    assert (decoded.metadata["width"], decoded.metadata["height"]) == (240, 320)
    assert (turned == np.rot90(upright, 3)).all()


def test_large_frames_are_scaled(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 1)], size=(640, 480)), Limits(side=160))
    assert clip(decoded).pictures[0].pixels.shape == (120, 160, 3)
    assert decoded.metadata["width"] == 640


def test_limits_hold(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(1, 4)])
    with pytest.raises(TooLarge, match="lasts"):
        decode(path, Limits(seconds=2))
    with pytest.raises(TooLarge, match="320×240"):
        decode(path, Limits(pixels=10_000))


def spoil(path: Path, start: float, end: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * start) : int(len(data) * end)] = bytes(int(len(data) * end) - int(len(data) * start))
    path.write_bytes(data)


def test_damage_in_the_middle_costs_only_that(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [(1, 3), (2, 3), (3, 3)])
    spoil(path, 0.45, 0.5)
    decoded = decode(path)
    assert decoded.shots[-1].end == pytest.approx(9, abs=0.2)
    assert len(clip(decoded).pictures) >= 2


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "libx264"), ("a.mp4", "libx264"), ("a.mp4", "mpeg4"), ("a.webm", "libvpx-vp9"), ("a.ts", "libx264")],
)
def test_a_warning_says_which_stretch_is_lost(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, [(seed, 1) for seed in range(12)], codec=codec)
    spoil(path, 0.45, 0.55)
    decoded = decode(path)
    assert decoded.shots[-1].end == pytest.approx(12, abs=0.2)
    (told,) = [warning for warning in decoded.warnings if warning.startswith("the pictures from")]
    start, end = map(float, re.findall(r"[\d.]+(?= )", told)[:2])
    assert 4 < start < 6 < end < 11
    clip(decoded)


def test_a_whole_video_has_nothing_to_warn_of(tmp_path: Path) -> None:
    slides = [(float(time), picture(time)) for time in (0, 1, 9, 30, 31)]
    assert not decode(write_frames(tmp_path / "slides.mkv", slides)).warnings
    assert not decode(write_video(tmp_path / "a.mp4", [(1, 2)], sound=tone(2))).warnings


def test_a_truncated_stream_keeps_its_beginning(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [(1, 3), (2, 3), (3, 3)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    decoded = decode(path)
    assert 1 < decoded.metadata["seconds"] < 8
    assert any("truncated" in warning or "stopped" in warning for warning in decoded.warnings)


def test_a_truncated_mp4_is_corrupt(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(1, 2)], sound=tone(2))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Corrupt):
        decode(path)


def unpictured(path: Path) -> Path:
    """The video's coded pictures overwritten, its index and sound left as they were."""
    data = path.read_bytes()
    avcc = data.index(b"avcC")
    path.write_bytes(data[: avcc + 4] + b"\xff" * 40 + data[avcc + 44 :])
    return path


def test_a_video_without_frames_is_kept_as_sound(tmp_path: Path) -> None:
    decoded = decode(unpictured(write_video(tmp_path / "a.mp4", [(1, 2)], sound=tone(2))))
    assert (decoded.media, decoded.mime) == ("audio", "audio/mp4")
    assert isinstance(decoded.content, Waveform)
    assert len(decoded.content.samples) >= 1.9 * SAMPLE_RATE
    assert any("no frame" in warning for warning in decoded.warnings)


def test_a_video_with_neither_frames_nor_sound(tmp_path: Path) -> None:
    with pytest.raises(NoFrames):
        decode(unpictured(write_video(tmp_path / "a.mp4", [(1, 2)])))


def test_sound_that_goes_on_after_the_pictures_counts(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 2)], sound=tone(5)))
    content = clip(decoded)
    assert content.waveform is not None
    assert decoded.metadata["seconds"] == pytest.approx(5, abs=0.1)
    assert decoded.shots[-1].end == pytest.approx(2, abs=0.05)


def test_pixels_become_square(tmp_path: Path) -> None:
    frames = [(number / 25, picture(1, 160, 240)) for number in range(25)]
    decoded = decode(write_frames(tmp_path / "a.mkv", frames, aspect=Fraction(2)))
    assert clip(decoded).pictures[0].pixels.shape == (240, 320, 3)
    assert (decoded.metadata["width"], decoded.metadata["height"]) == (320, 240)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "mpeg4"), ("a.mkv", "ffv1"), ("a.ts", "mpeg2video"), ("a.webm", "libvpx"), ("a.flv", "flv")],
)
def test_odd_codecs_are_cut_alike(tmp_path: Path, name: str, codec: str) -> None:
    decoded = decode(write_video(tmp_path / name, [(1, 1), (2, 1)], codec=codec))
    assert [shot.start for shot in decoded.shots] == pytest.approx([0, 1], abs=FRAME)
    assert not decoded.warnings
    clip(decoded)


@pytest.mark.parametrize("size", [(2, 2), (16, 400), (400, 16), (34, 26)])
def test_small_and_narrow_frames(tmp_path: Path, size: tuple[int, int]) -> None:
    clip(decode(write_video(tmp_path / "a.mkv", [(1, 1), (2, 1)], size=size, codec="ffv1")))


def test_frames_that_come_irregularly_keep_their_times(tmp_path: Path) -> None:
    gaps = np.random.default_rng(3).uniform(0.02, 0.09, 120)
    times = np.round(np.cumsum(gaps), 3) - round(gaps[0], 3)
    cut = float(times[60])
    frames = [(float(time), picture(1 if time < cut else 2)) for time in times]
    decoded = decode(write_frames(tmp_path / "a.mkv", frames, clock=Fraction(1, 1000)))
    assert [shot.start for shot in decoded.shots] == pytest.approx([0, cut], abs=2e-3)


def test_the_preview_is_small_and_moves(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [(seed, 1) for seed in range(15)], size=(640, 480), fps=10))
    assert decoded.preview is not None
    assert len(decoded.preview) <= 300_000
    with Image.open(io.BytesIO(decoded.preview)) as moving:
        assert moving.format == "WEBP"
        assert moving.size == (320, 240)
        assert 10 <= moving.n_frames <= 12  # type: ignore[attr-defined]


def test_one_key_frame_has_no_preview(tmp_path: Path) -> None:
    assert decode(write_video(tmp_path / "a.mp4", [(1, 1)])).preview is None


def test_the_curve_of_motion(tmp_path: Path) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 3), (2, 4)]))
    times, energy = zip(*decoded.motion, strict=True)
    assert list(times) == [0, 1, 2, 3, 4, 5, 6]
    assert all(0 <= value <= 1 for value in energy)
