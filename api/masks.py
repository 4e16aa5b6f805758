"""Where in a picture a kind of area is, as a mask, made anew from the file."""

from __future__ import annotations

from typing import Final

from PIL import Image

from crossmedia.api.drawing import read_anew
from crossmedia.embeddings.segmentation import Segmenter
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.retrieval.store import NotFound, Store

MAX_MASK_SIDE: Final = 1024
"""Longer side of a mask, px: the picture's own size up to it."""


def mask(store: Store, pool: DecodePool, segmenter: Segmenter, asset: str, name: str) -> Image.Image:
    """8 bit grey, 255 where the class `name` is: of the picture, or of the key frame that has most of it; black without
    any.

    Raises `NotFound` for an unknown class, `NothingToDraw` for a recording or a text, `SourceGone`, and what decoding
    raises.
    """
    if name not in segmenter.classes:
        raise NotFound(f"no areas {name!r} are known", f"there are: {', '.join(segmenter.classes)}")
    _, shown = read_anew(store, pool, asset)
    looked = [(segmenter.segment(picture), picture) for _, picture in shown]
    parts, picture = max(looked, key=lambda one: one[0].shares()[name])
    scale = min(1.0, MAX_MASK_SIDE / max(picture.width, picture.height))
    width, height = (max(1, round(side * scale)) for side in (picture.width, picture.height))
    return Image.fromarray(parts.mask(name, width, height))
