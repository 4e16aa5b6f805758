"""Decode videos in one pass: the key frames of the shots, and the sound track."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.indexer.decode import container, sampled_frames
from crossmedia.indexer.decode.album import MIN_EXTRA_SIDE, Album, fit
from crossmedia.indexer.decode.audio import SoundTrack, short
from crossmedia.indexer.decode.errors import NoFrames, TooLarge
from crossmedia.indexer.decode.losses import Damage
from crossmedia.indexer.decode.motion import Camera
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.sampled_frames import FrameSampler
from crossmedia.indexer.decode.shots import FASTEST, Cut, ShotCutter
from crossmedia.indexer.decode.types import Decoded, Limits, Shot

_SMALL: Final = 128
"""Longer side of the frames that cuts and movement are found in."""
_JUDGED: Final = 256
"""Longer side of the frames whose sharpness is compared."""
_THREADS: Final = 8
"""Of a stream's decoder: each holds frames of its own, 50 MB each of 8K."""
_SKIPPED: Final = 4096
"""Bytes between two packets that belong to none, from which on the reader is taken to have skipped something
unreadable."""
_LEAP: Final = 600.0
"""Seconds from one frame to the next, beyond what a video may last, that are a damaged time stamp and no long video."""


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
        self._judge = VideoReformatter()
        self._scaler = VideoReformatter()
        self._small: tuple[int, int] | None = None
        self._last = -1.0
        self._looked = -1.0
        self._turns = 0
        self._damage = Damage(self._interval)
        self.width = self.height = 0
        self.album = Album(limits.side)
        self.sampler = FrameSampler(limits.sample_rate) if limits.sample_rate else None
        self._glancer = VideoReformatter()
        self.times: list[float] = []
        self.shots: list[Shot] = []

    @property
    def seconds(self) -> float:
        """When the last frame so far disappears."""
        return 0.0 if self._last < 0 else self._last + self._interval

    @property
    def motion(self) -> tuple[tuple[float, float], ...]:
        """(Time in s, energy in [0, 1]) of the shots that ended."""
        return self._cutter.motion.points()

    def feed(self, packet: Packet[Any], skipped: int = 0) -> None:
        """Decodes one packet; a damaged frame is left out. `skipped`: bytes of the file before it that were in no
        packet."""
        time = self._time_of(packet)
        if skipped > _SKIPPED:
            self._damage.sign(time, sure=False)
        if packet.is_corrupt:
            self._damage.sign(time, sure=True)
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UnknownError):
            self._damage.sign(time, sure=True)
            return
        for frame in frames:
            if not isinstance(frame, VideoFrame):
                continue
            if frame.is_corrupt:
                self._damage.sign(self._shown(frame), sure=True)
            else:
                self._add(frame)

    def finish(self) -> None:
        """Closes the last shot."""
        self._damage.finish(self.seconds)
        for shot in self._cutter.finish(self.seconds):
            self._keep(shot)

    def warnings(self) -> list[str]:
        """The stretches that were lost, in seconds."""
        return self._damage.losses.describe("the pictures")

    def _time_of(self, packet: Packet[Any]) -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return (
            self.seconds
            if stamp is None or packet.time_base is None
            else float(stamp * packet.time_base) - self._origin
        )

    def _shown(self, frame: VideoFrame) -> float:
        return max(0.0, self._last + self._interval if frame.time is None else frame.time - self._origin)

    def _add(self, frame: VideoFrame) -> None:
        time = self._shown(frame)
        if time <= self._last:
            return
        if time > self._limits.seconds and time - self._last > _LEAP:
            self._damage.sign(self.seconds, sure=True)
            return
        self._damage.whole(time, self.seconds)
        self._last = time
        container.check_seconds(time, self._path, self._limits)
        if self._looked >= 0 and time - self._looked < (1.0 - 1e-3) / FASTEST:
            return
        self._looked = time
        if self._small is None:
            self._measure(frame)
        assert self._small is not None
        if self.sampler and self.sampler.wants(time):
            self.sampler.add(
                self._upright_picture(self._glancer, frame, sampled_frames.SIDE, Interpolation.BILINEAR), time
            )
        small = self._looker.reformat(frame, *self._small, "bgr24", interpolation=Interpolation.FAST_BILINEAR)
        for shot in self._cutter.look(_pixels(small), time, partial(self._full, frame)):
            self._keep(shot)

    def _full(self, frame: VideoFrame) -> tuple[VideoFrame, NDArray[np.uint8]]:
        """The frame to keep until its shot ends, and one to judge it by."""
        size = fit(frame.width, frame.height, _JUDGED)
        grey = self._judge.reformat(frame, *size, "gray", interpolation=Interpolation.FAST_BILINEAR)
        if max(frame.width, frame.height) > self._limits.side:
            frame = self._scaler.reformat(frame, *fit(frame.width, frame.height, self._limits.side))
        return frame, _pixels(grey)

    def _measure(self, frame: VideoFrame) -> None:
        self._small = fit(frame.width, frame.height, _SMALL)
        self._turns = round(frame.rotation / 90) % 4
        self.width, self.height = round(frame.width * self._aspect), frame.height
        if self._turns % 2:
            self.width, self.height = self.height, self.width

    def _keep(self, shot: Cut[VideoFrame]) -> None:
        keys = shot.keys
        if self.album.side < min(MIN_EXTRA_SIDE, self._limits.side):
            keys = [min(keys, key=lambda key: abs(key.time - (shot.start + shot.end) / 2))]
        first = len(self.times)
        for key in keys:
            self.album.add(self._upright_picture(self._reformatter, key.frame, self.album.side, Interpolation.BICUBIC))
            self.times.append(round(max(key.time, shot.start), 6))
        numbers = tuple(range(first, len(self.times)))
        span = round(shot.start, 6), round(shot.end, 6)
        self.shots.append(Shot(*span, numbers, shot.transition, round(shot.motion, 4), self._upright(shot.camera)))

    def _upright_picture(
        self, reformatter: VideoReformatter, frame: VideoFrame, side: int, way: Interpolation
    ) -> Picture:
        """The frame with square pixels, its longer side at most `side`, as one sees it."""
        size = fit(round(frame.width * self._aspect), frame.height, side)
        drawn = reformatter.reformat(frame, *size, "rgb24", interpolation=way)
        return Picture(np.ascontiguousarray(np.rot90(_pixels(drawn), self._turns)))

    def _upright(self, camera: Camera) -> Camera:
        """The camera's movement as one sees it: what lies on its side in the file pans where it seems to tilt."""
        turned: dict[Camera, Camera] = {"pan": "tilt", "tilt": "pan"}
        return turned.get(camera, camera) if self._turns % 2 else camera


def decode_video(path: Path, mime: str, limits: Limits, progress: Progress = ignore_progress) -> Decoded:
    """Key frames and sound of a video; a file whose pictures cannot be decoded but whose sound can becomes audio.

    Times count from the container's start. Metadata: `width`, `height` (upright, square pixels), `fps`, `seconds`,
    `codec`, `audio_codec`, and what `container.tags` finds. Raises `TooLarge` (pixels and seconds, from the header
    where it declares them), `Corrupt`, and `NoFrames` where there is neither picture nor sound.
    """
    warnings: list[str] = []
    waveform: Waveform | None = None
    with container.open_container(path) as file:
        stream, sound = container.video_stream(file), container.audio_stream(file)
        declared = container.declared_seconds(file)
        container.check_seconds(declared, path, limits)
        if stream is None:
            raise NoFrames(f"{path.name} has no stream of pictures", "check the export that made it")
        _check_pixels(stream, path, limits)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(os.cpu_count() or 1, _THREADS)
        start = container.origin(file)
        pictures = PictureTrack(stream, start, path, limits)
        track = SoundTrack(start, path, limits) if sound else None
        read = skipped = 0
        try:
            for packet in file.demux([stream, sound] if sound else [stream]):
                if packet.pos is not None:
                    skipped = max(skipped, packet.pos - read if read else 0)
                    read = packet.pos + packet.size
                if packet.stream is stream:
                    pictures.feed(packet, skipped)
                    skipped = 0
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
    if pictures.shots:
        clip = Clip(tuple(pictures.album.pictures), tuple(pictures.times), waveform, seconds)
        facts |= {"width": pictures.width, "height": pictures.height}
        shots, motion = tuple(pictures.shots), pictures.motion
        seen = pictures.sampler.finish() if pictures.sampler else None
        return Decoded(
            "video", mime, clip, title, captured, facts, shots, warnings=tuple(warnings), motion=motion, sampled=seen
        )
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


def _pixels(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray(), dtype=np.uint8)
