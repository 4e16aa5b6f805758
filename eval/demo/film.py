"""Short films: photos with a slow zoom, hard cuts, and a voice at known times. H.264 and AAC through PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform

WIDTH: Final = 640
HEIGHT: Final = 360
RATE: Final = 25
LEAD: Final = 0.4
"""Silence between a cut and the voice, s."""

_ZOOM: Final = 0.15
_CHUNK: Final = 1024


def scene_seconds(voice: Waveform) -> float:
    """How long a photo stays: at least 4 s and its narration with a margin, in whole frames."""
    return round(max(4.0, LEAD + voice.seconds + 0.6) * RATE) / RATE


def write_film(path: Path, scenes: Sequence[tuple[Path, Waveform]]) -> list[tuple[float, float]]:
    """Writes an MP4 of photos with their narrations; gives back when each scene begins and ends, s."""
    spans: list[tuple[float, float]] = []
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "veryfast", "crf": "23"}
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.layout = "mono"
        sound: list[NDArray[np.float32]] = []
        count = 0
        for photo, voice in scenes:
            seconds = scene_seconds(voice)
            spans.append((count / RATE, count / RATE + seconds))
            for pixels in _zoom(photo, round(seconds * RATE)):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = count, Fraction(1, RATE)
                count += 1
                container.mux(video.encode(frame))
            before = int(LEAD * SAMPLE_RATE)
            after = round(seconds * SAMPLE_RATE) - before - len(voice.samples)
            sound.append(np.pad(voice.samples, (before, after)))
        container.mux(video.encode(None))
        for packet in _audio_packets(audio, np.concatenate(sound)):
            container.mux(packet)
    return spans


def _zoom(photo: Path, frames: int) -> Iterator[NDArray[np.uint8]]:
    image = Image.open(photo).convert("RGB")
    scale = min(image.width / WIDTH, image.height / HEIGHT)
    for number in range(frames):
        part = scale * (1 - _ZOOM * number / frames)
        width, height = WIDTH * part, HEIGHT * part
        left, top = (image.width - width) / 2, (image.height - height) / 2
        box = (left, top, left + width, top + height)
        yield np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=box))


def _audio_packets(stream: av.AudioStream, samples: NDArray[np.float32]) -> Iterator[av.Packet[av.AudioStream]]:
    for first in range(0, len(samples), _CHUNK):
        frame = av.AudioFrame.from_ndarray(samples[None, first : first + _CHUNK], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
