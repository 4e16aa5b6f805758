"""The pass `regions`: a moment with a vector for each object that fills part of a picture, so that words find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.align import heads_of
from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.media import Medium, Picture
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures, spaces_of
from crossmedia.indexer.enrichers.objects import KIND
from crossmedia.indexer.enrichers.specification import PassSpec
from crossmedia.retrieval.documents import Asset, Box, Enrichment, Label, Moment, part_id

MARGIN: Final = 0.3
"""Of an object's longer side, that is looked at around it: what it is told by, and what it is doing."""
MIN_CROP_SHARE, MAX_CROP_SHARE = 0.01, 0.6
"""Of the picture's area, that an object fills: smaller ones show nothing, larger ones are the picture."""
MIN_CROP_PIXELS: Final = 28
"""Shorter side of what is looked at."""
MAX_CROPS: Final = 6
"""Objects of a picture, surest first."""


class ObjectCropsEnricher:
    """Moments of kind `region`, each inside the moment of a picture or key frame (`part_id`), with the vector `common`
    of what lies around an object, and a label `region` with its class and box."""

    name = "regions"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ("objects",)
    hears = False

    def __init__(self, encoder: Encoder[Picture]) -> None:
        self._encoder = encoder
        self._spaces = spaces_of(encoder, COMMON)
        self.model = f"{encoder.model}{heads_of(self._spaces)}+regions@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        cut: list[tuple[Moment, int, Label, Picture]] = []
        for name, picture in pictures(asset, decoded):
            if name in known:
                cut += [(known[name], n, label, crop) for n, (label, crop) in enumerate(_crops(picture, known[name]))]
        if not cut:
            return Enrichment(asset.id, self.name, self.model)
        vectors = self._encoder.encode([crop for *_, crop in cut]).vectors[COMMON]
        regions = [
            Moment(
                part_id(whole.id, "region", number),
                asset.id,
                "region",
                whole.start,
                whole.end,
                vectors={COMMON: vector},
                labels=(
                    Label(
                        label_kinds.REGION.name,
                        label.value,
                        label.score,
                        label.model,
                        label.box,
                        whole.start,
                        whole.end,
                    ),
                ),
            )
            for (whole, number, label, _), vector in zip(cut, vectors, strict=True)
        ]
        return Enrichment(asset.id, self.name, self.model, moments=tuple(regions), spaces=self._spaces)


def _crops(picture: Picture, moment: Moment) -> list[tuple[Label, Picture]]:
    """The objects of a moment that are worth a look, surest first, with what is looked at."""
    crops = []
    for label in sorted(moment.labels, key=lambda label: -label.score):
        if label.kind != KIND or label.box is None:
            continue
        x0, y0, x1, y1 = label.box
        crop = around(picture, label.box)
        if MIN_CROP_SHARE <= (x1 - x0) * (y1 - y0) < MAX_CROP_SHARE and min(crop.width, crop.height) >= MIN_CROP_PIXELS:
            crops.append((label, crop))
    return crops[:MAX_CROPS]


def around(picture: Picture, box: Box, margin: float = MARGIN) -> Picture:
    """The square around a box with a margin (of its longer side), as far as the picture goes; at least a pixel."""
    x0, y0, x1, y1 = (share * size for share, size in zip(box, (picture.width, picture.height) * 2, strict=True))
    half = max(x1 - x0, y1 - y0) * (0.5 + margin)
    left, top = (max(0, int(middle - half)) for middle in ((x0 + x1) / 2, (y0 + y1) / 2))
    right, bottom = int((x0 + x1) / 2 + half) + 1, int((y0 + y1) / 2 + half) + 1
    left, top = min(left, picture.width - 1), min(top, picture.height - 1)
    return Picture(np.ascontiguousarray(picture.pixels[top:bottom, left:right]))


PASS: Final = PassSpec(
    name=ObjectCropsEnricher.name,
    summary="object crops, so that words find small things",
    labels=(label_kinds.REGION,),
    spaces=(COMMON,),
    after=ObjectCropsEnricher.after,
    build=lambda context: ObjectCropsEnricher(context.profile.picture),
)
