"""Sound arrives mono at 16 kHz, in step with the clock, whatever is missing; too much of it is refused early."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import av
import numpy as np
import pytest

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.indexer.decode.errors import Corrupt, DecodeError, TooLarge
from crossmedia.indexer.decode.reader import decode
from crossmedia.indexer.decode.types import Decoded, Limits
from tests.media_makers import tone, write_sound, write_video, write_wav


def samples(decoded: Decoded) -> np.ndarray:
    assert decoded.media == "audio"
    assert isinstance(decoded.content, Waveform)
    assert decoded.content.samples.dtype == np.float32
    return decoded.content.samples


def pitch(sound: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(sound)).argmax() * SAMPLE_RATE / len(sound))


def test_16_khz_mono_pcm_comes_through_unchanged(tmp_path: Path) -> None:
    decoded = decode(write_wav(tmp_path / "a.wav", tone(2)))
    assert np.abs(samples(decoded) - tone(2)).max() < 1e-4
    assert decoded.metadata == {"seconds": 2.0, "codec": "pcm_s16le", "channels": 1, "sample_rate": 16_000}
    assert decoded.warnings == ()


def test_stereo_at_44_khz_is_mixed_and_resampled(tmp_path: Path) -> None:
    left = tone(2, 500, 44_100)
    got = samples(decode(write_wav(tmp_path / "a.wav", np.stack([left, 0 * left], 1), 44_100)))
    assert abs(len(got) - 2 * SAMPLE_RATE) < 20
    assert pitch(got) == pytest.approx(500, abs=1)
    assert 0.2 < np.abs(got).max() < 0.4


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp3", "libmp3lame"), ("flac", "flac"), ("m4a", "aac"), ("mka", "libopus")]
)
def test_codecs(tmp_path: Path, suffix: str, codec: str) -> None:
    got = samples(decode(write_sound(tmp_path / f"a.{suffix}", tone(3), codec)))
    assert len(got) / SAMPLE_RATE == pytest.approx(3, abs=0.1)
    assert pitch(got) == pytest.approx(440, abs=2)


def test_a_damaged_stretch_is_named_and_keeps_its_time(tmp_path: Path) -> None:
    sound = np.concatenate([tone(4, 300), tone(4, 1000)])
    path = write_sound(tmp_path / "a.flac", sound, "flac")
    data = bytearray(path.read_bytes())
    hole = slice(int(len(data) * 0.35), int(len(data) * 0.4))
    data[hole] = b"\x55" * (hole.stop - hole.start)
    path.write_bytes(data)
    decoded = decode(path)
    got = samples(decoded)
    assert any("damaged" in warning for warning in decoded.warnings)
    assert len(got) / SAMPLE_RATE == pytest.approx(8, abs=0.2)
    assert pitch(got[: 2 * SAMPLE_RATE]) == pytest.approx(300, abs=2)
    assert pitch(got[-3 * SAMPLE_RATE :]) == pytest.approx(1000, abs=2)
    assert np.abs(got[int(4.2 * SAMPLE_RATE) :]).max() > 0.4


def test_a_truncated_file_keeps_its_beginning(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(8))
    path.write_bytes(path.read_bytes()[:64_044])
    decoded = decode(path)
    assert len(samples(decoded)) == 2 * SAMPLE_RATE


def test_only_noise_after_a_header_is_corrupt(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", tone(2), "flac")
    data = path.read_bytes()
    path.write_bytes(data[:8_300] + bytes(len(data) - 8_300))
    with pytest.raises(DecodeError):
        decode(path)
    (tmp_path / "b.wav").write_bytes(b"RIFF\xff\xff\xff\x7fWAVEfmt ")
    with pytest.raises(Corrupt):
        decode(tmp_path / "b.wav")


def wav_header(seconds: int) -> bytes:
    size = seconds * SAMPLE_RATE * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)


def test_ten_hours_of_silence_are_refused_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.write(wav_header(36_000))
        file.truncate(44 + 36_000 * SAMPLE_RATE * 2)
    start = time.process_time()
    with pytest.raises(TooLarge, match="36000 s"):
        decode(path)
    assert time.process_time() - start < 1.0


def test_a_header_that_only_claims_ten_hours(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav_header(36_000) + bytes(32_000))
    assert len(samples(decode(tmp_path / "a.wav"))) == SAMPLE_RATE


def test_sound_that_declares_no_length_is_bounded_while_decoding(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.aac"), "w", format="adts") as file:
        stream = file.add_stream("aac", rate=16_000)
        for _ in range(200):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 16_000
            file.mux(stream.encode(frame))
    with pytest.raises(TooLarge):
        decode(tmp_path / "a.aac", Limits(seconds=5))


def test_sound_with_cover_art_is_sound_and_a_late_track_keeps_its_time(tmp_path: Path) -> None:
    assert decode(write_video(tmp_path / "a.mp4", [(1, 1.0)], sound=tone(1))).media == "video"
    with av.open(str(tmp_path / "cover.mp3"), "w") as file:
        stream = file.add_stream("libmp3lame", rate=16_000)
        art = file.add_stream("mjpeg")
        art.width = art.height = 64
        art.pix_fmt = "yuvj420p"
        art.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "rgb24").reformat(format="yuvj420p")
        file.mux([*art.encode(picture), *art.encode(None)])
        for _ in range(30):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            frame.sample_rate = 16_000
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert decode(tmp_path / "cover.mp3").mime == "audio/mpeg"


@pytest.mark.parametrize(("date", "right"), [("2019", "2019"), ("2019-04", "2019-04"), ("about 2019", None)])
def test_music_has_its_year(tmp_path: Path, date: str, right: str | None) -> None:
    with av.open(str(tmp_path / "a.flac"), "w") as file:
        file.metadata["date"] = date
        stream = file.add_stream("flac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4608), np.int16), "s16", "mono")
        frame.sample_rate = 16_000
        file.mux([*stream.encode(frame), *stream.encode(None)])
    assert decode(tmp_path / "a.flac").captured == right


@pytest.mark.shared
def test_real_recordings(shared: Path) -> None:
    for folder, pattern in (("esc10", "*.ogg"), ("spoken_captions", "*.mp3"), ("speakers", "*.flac")):
        paths = sorted((shared / "data" / folder).rglob(pattern))[:4]
        assert paths
        for path in paths:
            decoded = decode(path)
            assert np.abs(samples(decoded)).max() > 0.01
            assert decoded.warnings == ()
