"""Shots, key frames and times of videos whose cuts are known, and of damaged ones."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.media import SAMPLE_RATE, Clip, Waveform
from indexer.decode.errors import Corrupt, NoFrames, TooLarge
from indexer.decode.reader import decode
from indexer.decode.shots import FRAME_RATE, KeyFrame, ShotCutter
from indexer.decode.types import Decoded, Limits
from tests.media_makers import picture, tone, write_video

STEP = 1 / FRAME_RATE + 0.03


def clip(decoded: Decoded) -> Clip:
    assert isinstance(decoded.content, Clip)
    assert len(decoded.content.pictures) == len(decoded.content.times) == len(decoded.shots) == len(decoded.thumbnails)
    return decoded.content


def test_cuts_key_frames_and_sound(tmp_path: Path) -> None:
    notes = {"title": "Holiday", "creation_time": "2024-05-01T10:00:00Z"}
    decoded = decode(write_video(tmp_path / "a.mp4", [(1, 3), (2, 4), (3, 2)], sound=tone(9), metadata=notes))
    content = clip(decoded)
    assert [round(shot.end) for shot in decoded.shots] == [3, 7, 9]
    assert np.abs(np.array([(shot.start, shot.end) for shot in decoded.shots]) - [(0, 3), (3, 7), (7, 9)]).max() < STEP
    assert all(shot.start <= time < shot.end for time, shot in zip(content.times, decoded.shots, strict=True))
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
    assert decoded.shots[1].start == pytest.approx(3, abs=STEP)
    assert decoded.metadata["seconds"] == pytest.approx(6, abs=0.1)


def test_a_frame_that_stays_for_minutes_still_stands_for_them() -> None:
    cutter: ShotCutter[int] = ShotCutter()
    found: list[KeyFrame[int]] = []
    for number, time in enumerate((0.0, 1.0, 200.0, 201.0)):
        found += cutter.look(np.full((32, 32, 3), number, np.uint8), time, number)
    found += cutter.finish(202.0)
    assert found[0].start == 0
    assert found[-1].end == 202
    assert [key.end for key in found[:-1]] == [key.start for key in found[1:]]
    assert all(key.end - key.start <= 30.001 and key.start <= key.time < key.end for key in found)
    assert {key.frame for key in found if key.end < 200} <= {0, 1}


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
