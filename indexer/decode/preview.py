"""Make a small animation of a video from some of its key frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image

from crossmedia.embeddings.media import Clip, Picture
from crossmedia.indexer.decode.album import smaller

SIDE: Final = 320
FRAMES: Final = 12
BYTES: Final = 300_000
_MILLISECONDS: Final = 500
_QUALITIES: Final = (60, 40, 20, 5)


def preview(clip: Clip) -> bytes | None:
    """An animated WebP of up to 12 key frames evenly over the clip, half a second each, longer side ≤ 320, at most 300
    kB.

    None where there is one key frame only, or where even the lowest quality is too large.
    """
    shown = _evenly(clip)
    if len(shown) < 2:
        return None
    first, *rest = (Image.fromarray(smaller(picture, SIDE).pixels) for picture in shown)
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        first.save(
            buffer, "WEBP", save_all=True, append_images=rest, duration=_MILLISECONDS, loop=0, quality=quality, method=2
        )
        if buffer.tell() <= BYTES:
            return buffer.getvalue()
    return None


def _evenly(clip: Clip) -> Sequence[Picture]:
    """The key frames nearest to equally spaced times, each once; all of the first one's size, as the format wants
    it."""
    if not clip.pictures:
        return []
    last = max(clip.seconds, clip.times[-1])
    wanted = [last * (number + 0.5) / FRAMES for number in range(FRAMES)]
    nearest = {min(range(len(clip.times)), key=lambda i: abs(clip.times[i] - time)) for time in wanted}
    if len(clip.times) <= FRAMES:
        nearest = set(range(len(clip.times)))
    chosen = [clip.pictures[number] for number in sorted(nearest)]
    upright = chosen[0].width >= chosen[0].height
    return [picture for picture in chosen if (picture.width >= picture.height) == upright]
