"""Draws and encodes the media that tests need: pictures, sounds, videos with cuts, PDFs."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_ESCAPES = {ord("("): r"\050", ord(")"): r"\051", ord("\\"): r"\134"}


def picture(seed: int = 0, width: int = 320, height: int = 240) -> Pixels:
    """H×W×3 uint8: a coloured gradient with a dozen rectangles; each seed looks different."""
    rng = np.random.default_rng(seed)
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    first, second = rng.uniform(0, 255, (2, 1, 1, 3))
    pixels = first * across + second * down * (1 - across)
    for _ in range(12):
        x, y = rng.integers(0, width), rng.integers(0, height)
        pixels[y : y + height // 5, x : x + width // 5] = rng.uniform(0, 255, 3)
    return np.asarray(pixels.clip(0, 255), dtype=np.uint8)


def write_picture(path: Path, seed: int = 0, width: int = 320, height: int = 240, **options: Any) -> Path:
    """A picture in the format of the suffix; `options` go to Pillow (quality, exif, …)."""
    Image.fromarray(picture(seed, width, height)).save(path, **options)
    return path


def tone(seconds: float, hertz: float = 440.0, rate: int = 16_000) -> NDArray[np.float32]:
    """A sine of amplitude 0.5, mono."""
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = 16_000) -> Path:
    """16-bit PCM; `samples` is (n,) or (n, channels) in [-1, 1]."""
    samples = samples if samples.ndim == 2 else samples[:, None]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def write_sound(path: Path, samples: NDArray[np.float32], codec: str, rate: int = 16_000) -> Path:
    """Mono sound in the container of the suffix, by any of FFmpeg's encoders (libmp3lame, flac, aac, libopus)."""
    with av.open(str(path), "w") as file:
        _add_sound(file, samples, codec, rate)
    return path


def write_video(
    path: Path,
    scenes: Sequence[tuple[int, float]],
    *,
    sound: NDArray[np.float32] | None = None,
    size: tuple[int, int] = (320, 240),
    fps: int = 25,
    codec: str = "libx264",
    start: float = 0.0,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A video of still scenes (seed of the picture, seconds) that pan slowly, one hard cut between two; `sound` at
    16 kHz."""
    frames = (
        still[:, index * 64 // count :][:, : size[0]]
        for seed, seconds in scenes
        if (count := max(1, round(seconds * fps))) and (still := picture(seed, size[0] + 64, size[1])) is not None
        for index in range(round(seconds * fps))
    )
    times = (start + number / fps for number in itertools.count())
    return write_frames(path, zip(times, frames, strict=False), fps=fps, codec=codec, sound=sound, metadata=metadata)


def write_frames(
    path: Path,
    frames: Iterable[tuple[float, Pixels]],
    *,
    fps: int = 25,
    codec: str = "libx264",
    sound: NDArray[np.float32] | None = None,
    metadata: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    clock: Fraction | None = None,
) -> Path:
    """A video of these (time in s, picture); `clock` is the unit of its time stamps, `aspect` that of its pixels."""
    frames = iter(frames)
    first = next(frames)
    clock = clock or Fraction(1, fps)
    with av.open(str(path), "w") as file:
        file.metadata.update(metadata or {})
        stream = file.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = first[1].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = clock
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "20"}
        track = _sound_stream(file, "aac", 16_000) if sound is not None else None
        for time, pixels in itertools.chain([first], frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame.pts, frame.time_base = round(time / clock), clock
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track is not None and sound is not None:
            _encode_sound(file, track, sound, 16_000)
    return path


def mixed(first: Pixels, second: Pixels, count: int) -> list[Pixels]:
    """A dissolve of `count` frames from one picture to another."""
    shares = (np.arange(count) + 1) / (count + 1)
    return [np.asarray(first * (1 - share) + second * share, dtype=np.uint8) for share in shares]


def panned(seed: int, count: int, pixels: float, width: int = 320, height: int = 240) -> list[Pixels]:
    """A camera that moves over a picture by `pixels` a frame, seen through a window."""
    wide = picture(seed, width + round(pixels * count) + 1, height)
    return [wide[:, round(pixels * index) :][:, :width] for index in range(count)]


def zoomed(seed: int, count: int, growth: float, width: int = 320, height: int = 240) -> list[Pixels]:
    """A camera that comes closer by the share `growth` a frame."""
    image = Image.fromarray(picture(seed, width, height))
    boxes = [0.5 * (1 - 1 / (1 + growth) ** index) for index in range(count)]
    return [
        np.asarray(
            image.resize(
                image.size, Image.Resampling.BILINEAR, box=(width * b, height * b, width * (1 - b), height * (1 - b))
            )
        )
        for b in boxes
    ]


def write_pdf(path: Path, pages: Sequence[Sequence[str]], title: str = "", *, locked: bool = False) -> Path:
    """Pages of lines in Helvetica, an empty line a blank one; `locked` makes it ask for a password."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    objects.append(f"<< /Title ({title}) /Author (A. Tester) /CreationDate (D:20240131120000+01'00') >>")
    kids = []
    for lines in pages:
        shown = "".join(f"({line.translate(_ESCAPES)}) Tj T*\n" for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 72 770 Td\n{shown}ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    more = ""
    if locked:
        objects.append(f"<< /Filter /Standard /V 1 /R 2 /O <{'17' * 32}> /U <{'42' * 32}> /P -4 >>")
        more = f" /Encrypt {len(objects)} 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    begin = len(out)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R{more} >>\nstartxref\n{begin}\n%%EOF\n".encode()
    )
    path.write_bytes(out)
    return path


def _sound_stream(file: av.container.OutputContainer, codec: str, rate: int) -> av.AudioStream:
    stream = file.add_stream(codec, rate=rate)
    assert isinstance(stream, av.AudioStream)
    stream.layout = "mono"
    return stream


def _add_sound(file: av.container.OutputContainer, samples: NDArray[np.float32], codec: str, rate: int) -> None:
    _encode_sound(file, _sound_stream(file, codec, rate), samples, rate)


def _encode_sound(
    file: av.container.OutputContainer, stream: av.AudioStream, samples: NDArray[np.float32], rate: int
) -> None:
    form = stream.codec_context.format.name
    resampler = av.AudioResampler(
        format=form, layout="mono", rate=rate, frame_size=stream.codec_context.frame_size or 0
    )
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), "flt", "mono")
    frame.sample_rate, frame.pts = rate, 0
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        file.mux(stream.encode(piece))
    file.mux(stream.encode(None))
