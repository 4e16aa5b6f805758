"""The pass `descriptions`: a plain sentence for every picture and key frame, made from its labels, searchable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.specification import PassSpec
from crossmedia.retrieval.answering.describing import describe
from crossmedia.retrieval.documents import Asset, Enrichment, Moment, Patch


class DescriptionsEnricher:
    """The field `description` on the moment of a picture or key frame: what stands there was made, and is told as
    such."""

    name = "descriptions"
    model = "descriptions@2"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ("objects", "areas", "faces", "ocr")
    hears = False

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        patches = []
        for name, picture in pictures(asset, decoded):
            whole = known.get(name)
            sentence = describe(whole, picture) if whole is not None else None
            if whole is not None and sentence is not None:
                patches.append(Patch(name, {"description": sentence.text}))
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


PASS: Final = PassSpec(
    name=DescriptionsEnricher.name,
    summary="a plain sentence for every picture, made from what else was found",
    after=DescriptionsEnricher.after,
    build=lambda context: DescriptionsEnricher(),
)
