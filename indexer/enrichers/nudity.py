"""The pass `nudity`: labels `nudity:exposed` with a box, for policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.objects import DetectsObjects
from crossmedia.indexer.enrichers.specification import Package, PassContext, PassSpec
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch

KIND: Final = label_kinds.NUDITY.name
EXPOSED: Final = "exposed"


class NudityEnricher:
    """On the moment of a picture or key frame a label for each naked part that is found, whichever it is."""

    name = "nudity"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False

    def __init__(self, detector: DetectsObjects) -> None:
        self._detector = detector
        self.model = f"{detector.model}+nudity@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        seen = [(known[name], picture) for name, picture in pictures(asset, decoded) if name in known]
        detections = self._detector.detect([picture for _, picture in seen])
        patches = [
            Patch(
                moment.id,
                labels=tuple(
                    Label(KIND, EXPOSED, one.score, self._detector.model, one.box, moment.start, moment.end)
                    for one in parts
                ),
            )
            for (moment, _), parts in zip(seen, detections, strict=True)
            if parts
        ]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _build(context: PassContext) -> NudityEnricher:
    from crossmedia.embeddings.nudity import NudityDetector

    return NudityEnricher(NudityDetector(context.catalog.resolve(cards.NUDITY.id), context.threads))


PASS: Final = PassSpec(
    name=NudityEnricher.name,
    summary="nudity, for the policy",
    labels=(label_kinds.NUDITY,),
    packages=(Package("nudenet", "nudenet", 'pip install "crossmedia[nudity]"'),),
    models=(cards.NUDITY.id,),
    default="installed",
    build=_build,
)
