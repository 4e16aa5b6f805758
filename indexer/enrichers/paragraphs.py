"""The pass `paragraphs`: the meaning of a long text's passages, of which indexing encodes only some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from crossmedia.embeddings.encoder import COMMON, Encoder, Vector
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.specification import PassSpec
from crossmedia.indexer.segment import encoded_later
from crossmedia.retrieval.documents import Asset, Enrichment, Moment, Patch

BATCH: Final = 32
"""Passages that are encoded at once."""


class ParagraphsEnricher:
    """Vectors for the paragraphs of a text that have none yet, `segment.MAX_ENCODED` in all.

    Its version never changes: once they are there, a reindex makes them anew like all others. `stored` (a space, ids of
    moments) looks up what is there.
    """

    name = "paragraphs"
    model = "paragraphs@1"
    accepts: tuple[Medium, ...] = ("text",)
    after: tuple[str, ...] = ()
    hears = False
    needs_file = False

    def __init__(self, encoder: Encoder[str], stored: Callable[[str, Sequence[str]], Mapping[str, Vector]]) -> None:
        self._encoder = encoder
        self._stored = stored

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        texts = [moment for moment in moments if moment.kind == "paragraph" and "text" in moment.fields]
        later = [texts[number] for number in encoded_later(len(texts))]
        there = self._stored(COMMON, [moment.id for moment in later]) if later else {}
        later = [moment for moment in later if moment.id not in there]
        patches = []
        for first in range(0, len(later), BATCH):
            batch = later[first : first + BATCH]
            vectors = self._encoder.encode([moment.fields["text"] for moment in batch]).vectors
            patches += [
                Patch(moment.id, vectors={space: rows[n] for space, rows in vectors.items()})
                for n, moment in enumerate(batch)
            ]
        spaces = tuple(self._encoder.spaces) if patches else ()
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches), spaces=spaces)


PASS: Final = PassSpec(
    name=ParagraphsEnricher.name,
    summary="the meaning of long texts, passage by passage",
    build=lambda context: ParagraphsEnricher(context.profile.text, context.store.vectors),
)
