"""The pass `trust`: labels `trust`, `signer`, `generator` and `source-type` from what a file says of its origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.errors import Remedy
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.errors import Unreadable
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import original
from crossmedia.indexer.enrichers.specification import PassSpec
from crossmedia.indexer.provenance.reader import ACCEPTS, ProvenanceReader
from crossmedia.retrieval.documents import ADDED, Asset, Enrichment, Label, Moment, Patch


class TrustEnricher:
    """A label's model is what in the file says so; its score is 1: that it is said is certain, whether it is true is
    not.

    `trust` is `generated`, `edited`, `composite` or `captured` as the file declares itself, and of a C2PA manifest
    `signed`, `signer unknown`, `signature invalid` or `manifest unreadable`. Nothing is said of a file that says
    nothing.
    """

    name = "trust"
    accepts: tuple[Medium, ...] = ACCEPTS
    after: tuple[str, ...] = ()
    hears = True
    """It reads the file itself: of a video nothing has to be decoded for it."""

    def __init__(self, reader: ProvenanceReader, place: Callable[[str], Path | None]) -> None:
        """`place`: where an asset's bytes lie now."""
        self._reader = reader
        self._place = place
        self.model = f"{reader.model}+trust@1"
        self.missing = reader.missing

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        path = self._place(asset.id)
        if path is None:
            raise Unreadable(f"{asset.title} has moved or was deleted", "index it at its new path", Remedy.INDEX)
        # Moments that another enricher brought go with its next version.
        own = [moment for moment in moments if moment.kind not in ADDED]
        labels = tuple(Label(fact.kind, fact.value, 1.0, fact.by) for fact in self._reader(path).facts) if own else ()
        patches = (Patch(own[0].id, labels=labels),) if labels else ()
        return Enrichment(asset.id, self.name, self.model, patches=patches)


PASS: Final = PassSpec(
    name=TrustEnricher.name,
    summary="provenance: where a file says it comes from",
    labels=(label_kinds.TRUST, label_kinds.SIGNER, label_kinds.GENERATOR, label_kinds.SOURCE_TYPE),
    build=lambda context: TrustEnricher(context.provenance, original(context.store)),
)
