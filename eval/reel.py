"""Videos whose cuts are known: pictures seen by a moving camera, with cuts, dissolves, fades and flashes between and in
them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from crossmedia.embeddings.media import SAMPLE_RATE

Pixels: TypeAlias = NDArray[np.uint8]
Move: TypeAlias = Literal["still", "pan", "tilt", "zoom", "shake", "whip", "passer"]
Joint: TypeAlias = Literal["cut", "dissolve", "black", "white"]
MOVES: Final[tuple[Move, ...]] = ("still", "pan", "tilt", "zoom", "shake", "whip", "passer")

_FLASH: Final = 2
"""Frames a flash lasts."""
_BLUR: Final = 7
"""Moments that a blurred frame is the mean of."""
_AUDIO_CHUNK: Final = 1024


@dataclass(frozen=True, eq=False)
class Take:
    """A picture for some seconds. `joint`: how it is left, taking `fading` seconds of its end and of the next one's
    beginning.

    `passer`: something large and near crosses the picture; `whip`: the camera is thrown to one side within 0.3 s.
    """

    picture: Pixels
    seconds: float
    move: Move = "still"
    joint: Joint = "cut"
    fading: float = 0.0
    flashes: tuple[float, ...] = ()
    """Seconds into the take."""
    room: float = 1.5
    """How much larger than the window the picture is, at least."""


@dataclass(frozen=True)
class VideoFormat:
    """How a reel is written. `jitter`: frames come irregularly, and one in eight is left out."""

    suffix: str = ".mp4"
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "veryfast", "crf": "24"})
    rate: Fraction = Fraction(25)
    size: tuple[int, int] = (640, 360)
    noise: float = 0.0
    jitter: bool = False


@dataclass(frozen=True)
class Truth:
    """Times of hard cuts, and (start, end) of dissolves and fades, s; `spans`: what of each take is seen."""

    cuts: tuple[float, ...]
    fades: tuple[tuple[float, float], ...]
    spans: tuple[tuple[float, float], ...]


def write(
    path: Path,
    takes: Sequence[Take],
    form: VideoFormat,
    rng: np.random.Generator,
    sound: NDArray[np.float32] | None = None,
) -> Truth:
    """Writes the reel, with `sound` at 16 kHz if given; what is true of it."""
    truth = _truth(takes)
    with av.open(str(path), "w") as container:
        video = container.add_stream(form.codec, rate=form.rate, options=form.options)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *form.size, "yuv420p"
        clock = Fraction(1, 1000) if form.jitter else 1 / form.rate
        video.codec_context.time_base = clock
        audio = container.add_stream("aac", rate=SAMPLE_RATE) if sound is not None else None
        if audio is not None:
            audio.layout = "mono"
        for time, pixels in _frames(takes, form, rng):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time / clock), clock
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            for first in range(0, len(sound), _AUDIO_CHUNK):
                piece = av.AudioFrame.from_ndarray(sound[None, first : first + _AUDIO_CHUNK], "fltp", "mono")
                piece.sample_rate, piece.pts, piece.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
    return truth


def _truth(takes: Sequence[Take]) -> Truth:
    cuts: list[float] = []
    fades: list[tuple[float, float]] = []
    spans: list[tuple[float, float]] = []
    begin = 0.0
    for number, take in enumerate(takes):
        end = begin + take.seconds
        spans.append((begin, end))
        if number == len(takes) - 1:
            break
        if take.joint == "cut":
            cuts.append(end)
        else:
            fades.append((end - take.fading / 2, end + take.fading / 2))
        begin = end
    return Truth(tuple(cuts), tuple(fades), tuple(spans))


def _frames(takes: Sequence[Take], form: VideoFormat, rng: np.random.Generator) -> Iterator[tuple[float, Pixels]]:
    """(Time, picture) of each frame. A take is painted beyond its ends where it is faded in or out."""
    spans = _truth(takes).spans
    cameras = [_Camera(take, form.size, rng) for take in takes]
    count = int(spans[-1][1] * form.rate)
    for number in range(count):
        time = float(number / form.rate)
        if form.jitter:
            if rng.random() < 1 / 8:
                continue
            time += float(rng.uniform(0, 0.3 / form.rate))
        at = next(index for index, (_, end) in enumerate(spans) if time < end or index == len(spans) - 1)
        pixels = cameras[at].shot(time - spans[at][0]).astype(np.float32)
        pixels = _mix(pixels, time, at, takes, spans, cameras)
        if any(0 <= (time - spans[at][0] - flash) * form.rate < _FLASH for flash in takes[at].flashes):
            pixels = 0.25 * pixels + 0.75 * 255
        if form.noise:
            pixels += rng.normal(0, form.noise, pixels.shape).astype(np.float32)
        yield time, np.asarray(pixels.clip(0, 255), dtype=np.uint8)


def _mix(
    pixels: NDArray[np.float32],
    time: float,
    at: int,
    takes: Sequence[Take],
    spans: Sequence[tuple[float, float]],
    cameras: Sequence[_Camera],
) -> NDArray[np.float32]:
    """The frame mixed with its neighbour's or with a plain colour, where two takes are joined gradually."""
    for before in (at - 1, at):
        if not 0 <= before < len(takes) - 1 or takes[before].joint == "cut":
            continue
        joint, half, middle = takes[before].joint, takes[before].fading / 2, spans[before][1]
        if abs(time - middle) >= half:
            continue
        if joint == "dissolve":
            other = before + 1 if before == at else before
            share = (half - abs(time - middle)) / (2 * half)
            seen = cameras[other].shot(time - spans[other][0])
            pixels = (1 - share) * pixels + share * seen.astype(np.float32)
        else:
            # A fade rests on the plain colour for a fifth of its length.
            share = min(1.0, (half - abs(time - middle)) / (0.8 * half))
            pixels = (1 - share) * pixels + share * (0.0 if joint == "black" else 255.0)
    return pixels


class _Camera:
    """A window on a picture that is larger than it, moving as the take says."""

    def __init__(self, take: Take, size: tuple[int, int], rng: np.random.Generator) -> None:
        width, height = size
        large = (round(width * take.room), round(height * take.room))
        scale = max(large[0] / take.picture.shape[1], large[1] / take.picture.shape[0])
        self._picture = cv2.resize(take.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        self._take = take
        self._size = size
        self._spare = self._picture.shape[1] - width, self._picture.shape[0] - height
        self._sign = float(rng.choice((-1, 1)))
        self._speed = float(rng.uniform(0.3, 1.0))
        self._phase = rng.uniform(0, 2 * np.pi, 4)
        self._colour = tuple(int(value) for value in rng.integers(20, 235, 3))

    def shot(self, time: float) -> Pixels:
        """The window `time` seconds after the take began; may lie before its beginning or after its end."""
        move, seconds = self._take.move, self._take.seconds
        way = self._sign * self._speed * float(np.clip(time / seconds - 0.5, -0.7, 0.7)) * 0.7
        across = down = 0.0
        zoom = 1.0
        if move == "pan":
            across = way
        elif move == "tilt":
            down = way
        elif move == "zoom":
            zoom = 1.0 - 0.6 * way
        elif move == "shake":
            turns = np.sin(2 * np.pi * np.array((2.3, 3.7, 2.9, 4.3)) * time + self._phase)
            across, down = 0.02 * float(turns[0] + turns[1]), 0.02 * float(turns[2] + turns[3])
        elif move == "whip":
            # Open for half of a 25th of a second, as film is: in haste the picture is blurred.
            places = np.tanh((time + np.linspace(0, 0.02, _BLUR) - seconds / 2) / 0.08) * 0.49 * self._sign
            if np.ptp(places) > 0.01:
                seen = [self._window(float(place), down, zoom) for place in places]
                return np.asarray(np.mean(seen, axis=0), dtype=np.uint8)
            across = float(places[0])
        window = self._window(across, down, zoom)
        if move == "passer":
            width, height = self._size
            left = round((time - seconds / 2) / 0.6 * 1.6 * width + 0.5 * width)
            cv2.ellipse(window, (left, height * 2 // 3), (width // 4, height // 2), 0, 0, 360, self._colour, -1)
            cv2.circle(window, (left, height // 5), height // 7, tuple(255 - c for c in self._colour), -1)
        return window

    def _window(self, across: float, down: float, zoom: float) -> Pixels:
        width, height = self._size
        left = (0.5 + across) * self._spare[0] - (zoom - 1) * width / 2
        top = (0.5 + down) * self._spare[1] - (zoom - 1) * height / 2
        inverse = np.array([[zoom, 0, left], [0, zoom, top]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(self._picture, inverse, self._size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(seen, dtype=np.uint8)


def draw_scene(rng: np.random.Generator, words: str = "", size: tuple[int, int] = (960, 540)) -> Pixels:
    """A scene of plain shapes on a graded ground; with `words`, a title card that shows them."""
    width, height = size
    shade = np.linspace(0, 1, height)[:, None, None] * np.ones((1, width, 1))
    ground = rng.uniform(20, 235, (2, 3))
    image = Image.fromarray((ground[0] * shade + ground[1] * (1 - shade)).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(3 if words else 14):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(40, 300, 2)
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw((x, y, x + w, y + h), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    if words:
        font = ImageFont.load_default(56)
        box = pen.textbbox((width // 2, height // 2), words, font, "mm")
        pen.rectangle((box[0] - 24, box[1] - 16, box[2] + 24, box[3] + 16), fill=(245, 245, 240))
        pen.text((width // 2, height // 2), words, (20, 20, 30), font, "mm")
    return np.asarray(image, dtype=np.uint8)


def photo(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.uint8)
