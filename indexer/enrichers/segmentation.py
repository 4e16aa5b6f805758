"""The pass `areas`: labels `area:sky`, `area:grass`, …, scored by their share of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.media import Medium, Picture
from crossmedia.embeddings.segmentation import Segmentation
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.AREA.name
MIN_AREA_SHARE: Final = 0.05
"""Share of a picture's area from which an area is reported: below, it is as often a mistake at an edge."""


class PictureSegmenter(Protocol):
    """Picture → what each part of it is."""

    model: str

    def segment(self, picture: Picture) -> Segmentation: ...


class SegmentationEnricher:
    """On the moment of a picture or key frame a label for each kind of area that fills a part of it."""

    name = "areas"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False

    def __init__(self, segmenter: PictureSegmenter) -> None:
        self._segmenter = segmenter
        self.model = f"{segmenter.model}+areas@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        patches = []
        for name, picture in pictures(asset, decoded):
            if name not in known:
                continue
            shares = self._segmenter.segment(picture).shares()
            large = sorted((-share, value) for value, share in shares.items() if share >= MIN_AREA_SHARE)
            whole = known[name]
            labels = (Label(KIND, v, -s, self._segmenter.model, None, whole.start, whole.end) for s, v in large)
            if large:
                patches.append(Patch(name, labels=tuple(labels)))
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _build(context: PassContext) -> SegmentationEnricher:
    from crossmedia.embeddings.segmentation import shared_segmenter

    return SegmentationEnricher(shared_segmenter(context.catalog, context.threads))


PASS: Final = PassSpec(
    name=SegmentationEnricher.name,
    summary="what pictures are made of: sky, grass, water",
    labels=(label_kinds.AREA,),
    models=(cards.LITE2.id, cards.AREAS.id),
    build=_build,
)
