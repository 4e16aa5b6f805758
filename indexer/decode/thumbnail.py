"""Make the small JPEGs that hits are shown with."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

from crossmedia.embeddings.media import Picture

SIDE: Final = 320
QUALITY: Final = 80


def thumbnail(picture: Picture) -> bytes:
    """A JPEG of the picture, its longer side at most 320 pixels; it carries none of the original's metadata."""
    image = Image.fromarray(picture.pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
