"""Moving pictures: one pass over the file gives the key frames of its shots and its sound track."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from embeddings.media import Clip, Picture, Waveform
from indexer.decode import container
from indexer.decode.audio import SoundTrack, short
from indexer.decode.errors import NoFrames, TooLarge
from indexer.decode.progress import Progress, unhurried
from indexer.decode.shots import FRAME_RATE, KeyFrame, ShotCutter
from indexer.decode.types import Decoded, Limits, Shot

_SMALL: Final = 256
"""Longer side of the frames that shots are found in."""
_PICTURE_BYTES: Final = 512 << 20
"""The key frames of one video may take this much; those of a longer one are halved in size, again and again."""


class PictureTrack:
    """Collects one video stream's packets as key frames, `limits.side` at most, upright, with square pixels."""

    def __init__(self, stream: VideoStream, origin: float, path: Path, limits: Limits) -> None:
        self._origin = origin
        self._path = path
        self._limits = limits
        self._interval = 1.0 / float(stream.average_rate or stream.guessed_rate or 25)
        aspect = float(stream.sample_aspect_ratio or 1)
        self._aspect = aspect if 0.1 < aspect < 10 else 1.0
        self._cutter: ShotCutter[VideoFrame] = ShotCutter()
        self._reformatter = VideoReformatter()
        self._looker = VideoReformatter()
        self._small: tuple[int, int] | None = None
        self._last = -1.0
        self._looked = -1.0
        self._bytes = 0
        self._side = limits.side
        self._turns = 0
        self._lost = 0
        self.width = self.height = 0
        self.pictures: list[Picture] = []
        self.times: list[float] = []
        self.shots: list[Shot] = []

    @property
    def seconds(self) -> float:
        """When the last frame so far disappears."""
        return 0.0 if self._last < 0 else self._last + self._interval

    def feed(self, packet: Packet[Any]) -> None:
        """Decodes one packet; a damaged frame is left out and counted."""
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UnknownError):
            self._lost += 1
            return
        for frame in frames:
            if not isinstance(frame, VideoFrame):
                continue
            if frame.is_corrupt:
                self._lost += 1
            else:
                self._add(frame)

    def finish(self) -> None:
        """Closes the last shot."""
        for key in self._cutter.finish(self.seconds):
            self._keep(key)

    def warnings(self) -> list[str]:
        """What was lost."""
        return [f"{self._lost} damaged frames were left out"] if self._lost else []

    def _add(self, frame: VideoFrame) -> None:
        time = self._last + self._interval if frame.time is None else frame.time - self._origin
        time = max(time, 0.0)
        if time <= self._last:
            return
        self._last = time
        container.check_seconds(time, self._path, self._limits)
        if self._looked >= 0 and time - self._looked < (1.0 - 1e-3) / FRAME_RATE:
            return
        self._looked = time
        if self._small is None:
            self._measure(frame)
        assert self._small is not None
        small = self._looker.reformat(frame, *self._small, "bgr24", interpolation=Interpolation.FAST_BILINEAR)
        if max(frame.width, frame.height) > self._limits.side:
            frame = self._reformatter.reformat(frame, *_fit(frame.width, frame.height, self._limits.side))
        for key in self._cutter.look(np.asarray(small.to_ndarray(), dtype=np.uint8), time, frame):
            self._keep(key)

    def _measure(self, frame: VideoFrame) -> None:
        self._small = _fit(frame.width, frame.height, _SMALL)
        self._turns = round(frame.rotation / 90) % 4
        self.width, self.height = round(frame.width * self._aspect), frame.height
        if self._turns % 2:
            self.width, self.height = self.height, self.width

    def _keep(self, key: KeyFrame[VideoFrame]) -> None:
        frame = key.frame
        size = _fit(round(frame.width * self._aspect), frame.height, self._side)
        pixels = self._reformatter.reformat(frame, *size, "rgb24", interpolation=Interpolation.BICUBIC).to_ndarray()
        self.pictures.append(Picture(np.ascontiguousarray(np.rot90(pixels, self._turns))))
        self.times.append(round(key.time, 6))
        self.shots.append(Shot(round(key.start, 6), round(key.end, 6), (len(self.shots),)))
        self._bytes += pixels.nbytes
        if self._bytes > _PICTURE_BYTES:
            self.pictures = [Picture(np.ascontiguousarray(picture.pixels[::2, ::2])) for picture in self.pictures]
            self._bytes = sum(picture.pixels.nbytes for picture in self.pictures)
            self._side = max(*size) // 2


def decode_video(path: Path, mime: str, limits: Limits, progress: Progress = unhurried) -> Decoded:
    """Key frames and sound of a video; a file whose pictures cannot be decoded but whose sound can becomes audio.

    Times count from the container's start. Metadata: `width`, `height` (upright, square pixels), `fps`, `seconds`,
    `codec`, `audio_codec`, and what `container.tags` finds. Raises `TooLarge` (pixels and seconds, from the header
    where it declares them), `Corrupt`, and `NoFrames` where there is neither picture nor sound.
    """
    warnings: list[str] = []
    waveform: Waveform | None = None
    with container.opened(path) as file:
        stream, sound = container.video_stream(file), container.audio_stream(file)
        declared = container.declared_seconds(file)
        container.check_seconds(declared, path, limits)
        if stream is None:
            raise NoFrames(f"{path.name} has no stream of pictures", "check the export that made it")
        _check_pixels(stream, path, limits)
        stream.thread_type = "AUTO"
        start = container.origin(file)
        pictures = PictureTrack(stream, start, path, limits)
        track = SoundTrack(start, path, limits) if sound else None
        try:
            for packet in file.demux([stream, sound] if sound else [stream]):
                if packet.stream is stream:
                    pictures.feed(packet)
                elif track:
                    track.feed(packet)
                progress(max(pictures.seconds, track.seconds if track else 0.0))
        except (av.error.InvalidDataError, av.error.EOFError, av.error.OSError) as error:
            warnings.append(f"reading stopped at {pictures.seconds:.1f} s: {container.reason(error)}")
        pictures.finish()
        waveform = track.finish() if track else None
        title, captured, more = container.tags(file)
        facts: dict[str, Any] = {"codec": stream.codec_context.codec.canonical_name}
        if stream.average_rate:
            facts["fps"] = round(float(stream.average_rate), 3)
        if sound:
            facts["audio_codec"] = sound.codec_context.codec.canonical_name
    warnings += pictures.warnings() + (track.warnings() if track else [])
    if sound and waveform is None:
        warnings.append("the sound track could not be decoded and was left out")
    seconds = max(pictures.seconds, waveform.seconds if waveform else 0.0)
    facts = {"seconds": round(seconds, 3), **facts, **more}
    warnings += short(seconds, declared)
    if pictures.pictures:
        clip = Clip(tuple(pictures.pictures), tuple(pictures.times), waveform, seconds)
        facts |= {"width": pictures.width, "height": pictures.height}
        return Decoded("video", mime, clip, title, captured, facts, tuple(pictures.shots), (), tuple(warnings))
    if waveform is None:
        raise NoFrames(f"{path.name} has neither a picture nor sound that can be decoded", "copy or export it again")
    warnings.append("no frame of the video could be decoded; it is kept as sound")
    mime = mime.replace("video/", "audio/")
    return Decoded("audio", mime, waveform, title, captured, facts, warnings=tuple(warnings))


def _check_pixels(stream: VideoStream, path: Path, limits: Limits) -> None:
    if stream.width * stream.height > limits.pixels:
        raise TooLarge(
            f"{path.name} has frames of {stream.width}×{stream.height} pixels, more than the {limits.pixels:,} allowed",
            "scale the video down, or raise the limit on pixels",
        )
    # A stream can change its size on the way; the decoder then refuses the larger frames before it allocates them.
    stream.codec_context.options = {"max_pixels": str(limits.pixels)}


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size scaled down so that its longer side is at most `side`."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
