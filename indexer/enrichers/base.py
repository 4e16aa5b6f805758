"""What an enricher is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from embeddings.media import Clip, Medium, Waveform
from indexer.decode import Decoded
from retrieval.documents import Asset, Enrichment, Moment


class Enricher(Protocol):
    """Reads one decoded asset and its moments, says what it found.

    `name` is what `--without` and `enrich --only` take; `model` is an id and revision: when it changes, the pass runs
    again. The result replaces whatever the same enricher said of the asset before.
    """

    name: str
    model: str
    accepts: tuple[Medium, ...]

    def enrich(self, asset: Asset, decoded: Decoded, moments: Sequence[Moment]) -> Enrichment: ...


def sound_of(decoded: Decoded) -> Waveform | None:
    """A recording, or a video's sound track; None where there is none."""
    content = decoded.content
    if isinstance(content, Clip):
        return content.waveform
    return content if isinstance(content, Waveform) else None
