"""The pass `plates`: labels `plate:AB123CD` with a box, read on the vehicles that `objects` found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.media import Clip, Medium, Picture
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.objects import KIND as OBJECT
from crossmedia.indexer.enrichers.ocr import KIND as TEXT
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.plates import Plate
from crossmedia.retrieval.documents import Asset, Box, Enrichment, Label, Moment, Patch
from crossmedia.retrieval.plates import PLATE

VEHICLES: Final = frozenset(("car", "truck", "bus", "motorcycle"))


class ReadsPlates(Protocol):
    """Picture, the lines in it, its vehicles → its plates."""

    model: str

    def read(self, picture: Picture, lines: Sequence[tuple[str, Box]], vehicles: Sequence[Box]) -> list[Plate]: ...


class PlatesEnricher:
    """Labels a plate by what stands on it: capitals and digits, nothing between them. Its score is the probability that
    it is a plate and read rightly. Where neither writing nor vehicles were found before, nothing is looked for."""

    name = "plates"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ("objects", "ocr")
    hears = False

    def __init__(self, reader: ReadsPlates) -> None:
        self._reader = reader
        self.model = reader.model

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        still = not isinstance(decoded.content, Clip)
        patches = []
        for name, picture in pictures(asset, decoded):
            moment = known.get(name)
            if moment is None:
                continue
            # A shot of one key frame carries what moves through it as well, where that is: only boxes of `object` are
            # of the frame.
            vehicles = [one.box for one in moment.labels if one.kind == OBJECT and one.value in VEHICLES and one.box]
            lines = [(one.value, one.box) for one in moment.labels if one.kind == TEXT and one.box]
            read = self._reader.read(picture, lines, vehicles) if vehicles or lines else []
            labels = tuple(
                Label(PLATE, one.text, one.score, self.model, one.box, moment.start, moment.end) for one in read
            )
            if labels:
                patches.append(Patch(name, labels=labels))
            if not still and moment.end is not None:
                progress(moment.end)
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))


def _build(context: PassContext) -> PlatesEnricher:
    from crossmedia.indexer.plates import PlateReader
    from crossmedia.indexer.scene_text import shared_engine

    return PlatesEnricher(PlateReader(shared_engine(context.threads)))


PASS: Final = PassSpec(
    name=PlatesEnricher.name,
    summary="licence plates",
    labels=(label_kinds.PLATE,),
    after=PlatesEnricher.after,
    build=_build,
)
