"""Files to search by: what of them is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.indexer.decode.types import Pages
from crossmedia.retrieval.query import Example

if TYPE_CHECKING:
    from crossmedia.indexer.decode.pool import DecodePool

MAX_EXAMPLE_TEXT: Final = 2_000
"""Characters of a document that are searched with: a text encoder reads no more."""
MAX_EXAMPLE_SECONDS: Final = 60.0
"""Of a recording's sound, or of a clip's, that are searched with: a whole one would hold up everybody's searches."""


def example_of(media: Pages | Picture | Waveform | Clip, weight: float, name: str) -> Example:
    """Decoded content as an example; the name says so where only its beginning is used."""
    if isinstance(media, tuple):
        text = "\n".join(paragraph for page in media for paragraph in page.paragraphs)
        return Example(media=text[:MAX_EXAMPLE_TEXT], weight=weight, name=name)
    sound = media if isinstance(media, Waveform) else media.waveform if isinstance(media, Clip) else None
    if sound is not None and sound.seconds > MAX_EXAMPLE_SECONDS:
        cut = sound.cut(0, MAX_EXAMPLE_SECONDS)
        media = replace(media, waveform=cut) if isinstance(media, Clip) else cut
        name = f"{name} (the first {MAX_EXAMPLE_SECONDS:.0f} s of its sound)"
    return Example(media=media, weight=weight, name=name)


def read_example(pool: DecodePool, path: Path, weight: float = 1.0, name: str | None = None) -> Example:
    """Decode a file to search by; raises what decoding raises."""
    return example_of(pool.submit(path).result().content, weight, name or path.name)
