"""PDQ of a video's frames, one a second: key frames alone would not do, since a copy that was encoded anew has others.

One frame a second is what Meta's vPDQ takes. Frames are decoded and hashed in a process that can be killed; only hashes
come back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from crossmedia.embeddings.media import Clip, Picture
from crossmedia.indexer.decode import Decoded, Limits, container
from crossmedia.indexer.decode.album import fit
from crossmedia.indexer.decode.errors import NoFrames, TooLarge
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.hashes.pdq import PdqHasher
from crossmedia.retrieval.banks.hashes import Hash

FRAME_SECONDS: Final = 1.0
"""Seconds from one frame that is hashed to the next."""
SIDE: Final = 512
"""Longer side that frames are scaled down to: a film has thousands."""
_NAME: Final = "pdq"


class FrameHasher:
    """Hashes files in a process of its own, which starts with the first."""

    def __init__(self, memory: int | None = None) -> None:
        """`memory`: bytes that it may hold."""
        self._memory = memory
        self._pool: DecodePool | None = None

    def __call__(self, path: Path) -> list[tuple[float, Hash]]:
        """(Second, PDQ) of each frame that is looked at. Raises what decoding raises."""
        if self._pool is None:
            self._pool = DecodePool(1, read=read_frames, memory=self._memory)
        hashes = self._pool.submit(path).result().metadata[_NAME]
        return [(time, Hash("pdq", value, quality)) for time, value, quality in hashes]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def read_frames(path: Path, limits: Limits, progress: Progress = ignore_progress) -> Decoded:
    """Takes the place of `decode` in a worker: a clip without pictures, its frames' hashes in the metadata.

    Damaged frames are left out. Raises `TooLarge`, `Corrupt`, `NoFrames`, `DependencyMissing`.
    """
    hasher, reformatter = PdqHasher(), VideoReformatter()
    hashes: list[tuple[float, str, int]] = []
    time = 0.0
    with container.open_container(path) as file:
        stream = container.video_stream(file)
        if stream is None:
            raise NoFrames(f"{path.name} has no stream of pictures", "check the export that made it")
        container.check_seconds(container.declared_seconds(file), path, limits)
        if stream.width * stream.height > limits.pixels:
            raise TooLarge(f"{path.name} has frames of {stream.width}×{stream.height} pixels", "scale the video down")
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}
        stream.thread_type = "AUTO"
        origin, due = container.origin(file), 0.0
        for packet in file.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                if not isinstance(frame, VideoFrame) or frame.is_corrupt or frame.time is None:
                    continue
                time = max(0.0, frame.time - origin)
                container.check_seconds(time, path, limits)
                progress(time)
                if time >= due:
                    hashed = hasher(_picture(frame, stream, reformatter))
                    hashes.append((round(time, 3), hashed.value, hashed.quality or 0))
                    due = FRAME_SECONDS * (time // FRAME_SECONDS + 1)
    return Decoded("video", "", Clip((), (), None, time), metadata={_NAME: hashes})


def _picture(frame: VideoFrame, stream: VideoStream, reformatter: VideoReformatter) -> Picture:
    """Upright, with square pixels."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width = round(frame.width * aspect) if 0.1 < aspect < 10 else frame.width
    drawn = reformatter.reformat(frame, *fit(width, frame.height, SIDE), "rgb24")
    pixels = np.rot90(drawn.to_ndarray(), round(frame.rotation / 90) % 4)
    return Picture(np.ascontiguousarray(pixels, dtype=np.uint8))
