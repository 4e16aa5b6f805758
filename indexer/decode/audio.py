"""Decode sound: any track as mono float32 at 16 kHz, in step with the file's own clock."""

from __future__ import annotations

import tempfile
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.packet import Packet

from crossmedia.embeddings.media import FULL_SCALE, SAMPLE_RATE, Waveform
from crossmedia.indexer.decode import container
from crossmedia.indexer.decode.errors import Corrupt, NoFrames, TooLarge
from crossmedia.indexer.decode.losses import Losses
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.types import Decoded, Limits

IN_MEMORY: Final = 4 << 20
"""Bytes of a track that are kept in memory."""
_GAP: Final = 0.1
"""Seconds the sound may run ahead of its time stamps before silence is put in."""
_MAX_GAP_SECONDS: Final = 30.0
"""A longer gap is a jump of the clock (two recordings in one file), not missing sound."""


class SoundTrack:
    """Collects one track's packets as a waveform whose sample 0 is at the container's time `origin`.

    Kept in 16 bits, and beyond `IN_MEMORY` in a file that is mapped: hours of sound take no memory. Sound that is
    missing (a damaged stretch, a track that begins late) becomes silence, so that later words keep their times. Raises
    `TooLarge` as soon as more than `limits.seconds` have been decoded.
    """

    def __init__(self, origin: float, path: Path, limits: Limits) -> None:
        self._origin = origin
        self._path = path
        self._most = int(limits.seconds * SAMPLE_RATE)
        self._limits = limits
        self._tape = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 — lives as long as the track
        self._filled = 0
        self._resampler: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._shift = 0.0
        self._due: float | None = None
        self._losses = Losses()

    @property
    def seconds(self) -> float:
        """How much has been collected."""
        return self._filled / SAMPLE_RATE

    def feed(self, packet: Packet[Any]) -> None:
        """Decodes one packet; one that cannot be decoded is left out and remembered."""
        try:
            frames = packet.decode()
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.UnknownError):
            self._remember_loss(packet)
            return
        for frame in frames:
            if isinstance(frame, AudioFrame):
                self._add(frame)

    def finish(self) -> Waveform | None:
        """Everything collected; None if not one packet could be decoded."""
        if self._format is None:
            return None
        self._drain()
        if not self._filled:
            return Waveform(np.zeros(0, dtype=np.int16))
        if self._filled * 2 <= IN_MEMORY:
            self._tape.seek(0)
            return Waveform(np.frombuffer(self._tape.read(), dtype=np.int16))
        self._tape.flush()
        return Waveform(np.frombuffer(mmap(self._tape.fileno(), 0, access=ACCESS_READ), dtype=np.int16))

    def warnings(self) -> list[str]:
        """The stretches that were lost, in seconds."""
        return self._losses.describe("the sound")

    def _remember_loss(self, packet: Packet[Any]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        base = packet.time_base
        start = self.seconds if stamp is None or base is None else max(0.0, float(stamp * base) - self._origin)
        self._losses.add(start, start + (float(packet.duration * base) if packet.duration and base else 0.0))

    def _add(self, frame: AudioFrame) -> None:
        shape = frame.format.name, frame.layout.name, frame.sample_rate
        late = self._lateness(frame)
        if shape != self._format or late > 0:
            self._drain()
            self._write(np.zeros(round(late * SAMPLE_RATE), dtype=np.float32))
            self._resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            self._format = shape
        frame.pts = None
        assert self._resampler is not None
        for piece in self._resampler.resample(frame):
            self._write(piece.to_ndarray()[0])

    def _lateness(self, frame: AudioFrame) -> float:
        """Seconds of silence to put before this frame."""
        length = frame.samples / frame.sample_rate
        stamp = frame.time
        due = self._due if self._due is not None else 0.0
        if stamp is None:
            self._due = due + length
            return 0.0
        gap = stamp - self._origin - self._shift - due
        if abs(gap) > _MAX_GAP_SECONDS:
            self._shift += gap
            gap = 0.0
        late = gap if gap > _GAP else 0.0
        if late and self._format is not None:
            self._losses.add(due, due + late)
        self._due = due + late + length
        return late

    def _drain(self) -> None:
        if self._resampler is not None:
            for piece in self._resampler.resample(None):
                self._write(piece.to_ndarray()[0])

    def _write(self, piece: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
        end = self._filled + len(piece)
        if end > self._most:
            raise TooLarge(
                f"{self._path.name} lasts longer than the {self._limits.seconds:.0f} s allowed",
                "split it into shorter files, or raise the limit on seconds",
            )
        scaled = np.nan_to_num(piece) * FULL_SCALE
        self._tape.write(np.rint(scaled).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16).tobytes())
        self._filled = end


def decode_audio(path: Path, mime: str, limits: Limits, progress: Progress = ignore_progress) -> Decoded:
    """The sound track of a file. Metadata: `seconds`, `codec`, `channels`, `sample_rate`, `artist`, `album`.

    Raises `TooLarge` (from the header where it declares a duration), `Corrupt`, `NoFrames`.
    """
    warnings: list[str] = []
    with container.open_container(path) as file:
        stream = container.audio_stream(file)
        if stream is None:
            raise NoFrames(f"{path.name} has no sound track that can be decoded", "convert it to WAV, MP3 or Ogg")
        if container.moving(file):
            warnings.append("the pictures are in a format that cannot be decoded; the video is kept as sound")
        declared = container.declared_seconds(file)
        container.check_seconds(declared, path, limits)
        track = SoundTrack(container.origin(file), path, limits)
        try:
            for packet in file.demux(stream):
                track.feed(packet)
                progress(track.seconds)
        except (av.error.InvalidDataError, av.error.EOFError, av.error.OSError) as error:
            warnings.append(f"reading stopped at {track.seconds:.1f} s: {container.reason(error)}")
        waveform = track.finish()
        title, captured, more = container.tags(file)
        facts = {
            "codec": stream.codec_context.codec.canonical_name,
            "channels": stream.channels,
            "sample_rate": stream.sample_rate,
        }
    if waveform is None or not len(waveform.pcm):
        raise Corrupt(f"no sound could be decoded from {path.name}", "copy the file again, or convert it")
    warnings += track.warnings()
    warnings += short(waveform.seconds, declared)
    return Decoded(
        "audio",
        mime,
        waveform,
        title=title,
        captured=captured,
        metadata={"seconds": round(waveform.seconds, 3), **facts, **more},
        warnings=tuple(warnings),
    )


def decode_track(path: Path, mime: str, limits: Limits, progress: Progress = ignore_progress) -> Decoded:
    """Decode the sound of a video; empty where it has no track that can be decoded."""
    try:
        return decode_audio(path, mime, limits, progress)
    except (NoFrames, Corrupt) as error:
        return Decoded("audio", mime, Waveform(np.zeros(0, dtype=np.int16)), warnings=(error.message,))


def short(seconds: float, declared: float | None) -> list[str]:
    """A warning if a file ended well before the duration its header declares."""
    if declared is None or seconds > 0.9 * declared - 1.0:
        return []
    return [f"the file ends at {seconds:.1f} s of {declared:.1f} s: it is truncated"]
