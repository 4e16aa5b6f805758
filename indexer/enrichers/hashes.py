"""The pass `hashes`: labels of kind `hash` on moments, by which copies and known content are recognised."""

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
from crossmedia.indexer.hashes.digests import digests
from crossmedia.indexer.hashes.hashed import Hashed
from crossmedia.indexer.hashes.hashers import Hashers
from crossmedia.retrieval.banks.hashes import LABEL
from crossmedia.retrieval.documents import ADDED, Asset, Enrichment, Label, Moment, Patch


class HashesEnricher:
    """PDQ on the moment of each picture and of each frame of a video that is looked at; MD5, Chromaprint and TLSH,
    which are of the whole asset, on its first moment. Its SHA-256 is its id. What cannot be compared (a PDQ of low
    quality) is not kept.

    A label's value is written `KIND:HASH`, its score is a PDQ's quality / 100, else 1; of a frame it begins when that
    is shown.
    """

    name = "hashes"
    accepts: tuple[Medium, ...] = ("image", "video", "audio", "text")
    after: tuple[str, ...] = ()
    hears = False

    def __init__(self, hashers: Hashers, place: Callable[[str], Path | None]) -> None:
        """`place`: where an asset's bytes lie now."""
        self._hashers = hashers
        self._place = place
        self.model = hashers.model
        self.missing = tuple(hashers.missing.values())

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        # Moments that another enricher brought go with its next version.
        own = [moment for moment in moments if moment.kind not in ADDED]
        labels: dict[str, list[Label]] = {}
        for hashed in self._hashes(asset, decoded) if own else ():
            if hashed.hash.comparable:
                labels.setdefault(_moment(own, hashed.start).id, []).append(self._label(hashed))
        return Enrichment(
            asset.id,
            self.name,
            self.model,
            patches=tuple(Patch(name, labels=tuple(some)) for name, some in labels.items()),
        )

    def _hashes(self, asset: Asset, decoded: Decoded) -> list[Hashed]:
        path = self._place(asset.id)
        if path is None:
            raise Unreadable(f"{asset.title} has moved or was deleted", "index it at its new path", Remedy.INDEX)
        try:
            _, md5 = digests(path)
        except OSError as error:
            raise Unreadable(f"{asset.title} cannot be read: {error.strerror}", "check its permissions") from error
        return [Hashed(md5), *self._hashers.of(decoded, path)[0]]

    def _label(self, hashed: Hashed) -> Label:
        score = 1.0 if hashed.hash.quality is None else hashed.hash.quality / 100
        return Label(LABEL, str(hashed.hash), score, self.model, start=hashed.start, end=hashed.start)


def _moment(moments: Sequence[Moment], time: float | None) -> Moment:
    """The last that has begun by then, the finer where two begin together; the first for what is of no time."""
    begun = [
        moment for moment in moments if moment.kind in ("shot", "frame") and (moment.start or 0.0) <= (time or 0.0)
    ]
    if time is None or not begun:
        return moments[0]
    return max(begun, key=lambda moment: (moment.start or 0.0, moment.kind == "frame"))


PASS: Final = PassSpec(
    name=HashesEnricher.name,
    summary="hashes that recognise copies",
    labels=(label_kinds.HASH,),
    build=lambda context: HashesEnricher(context.hashers, original(context.store)),
)
