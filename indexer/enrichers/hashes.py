"""What an asset's copies are known by: labels of kind `hash` on its moments, so that any store finds what is banked later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from embeddings.media import Medium
from indexer.decode import Decoded
from indexer.decode.errors import Unreadable
from indexer.decode.progress import Progress, unhurried
from indexer.enrichers.base import pictures
from indexer.hashes.digests import digests
from indexer.hashes.hashers import Hashers
from retrieval.banks.hashes import LABEL, Hash
from retrieval.documents import SPOKEN, Asset, Enrichment, Label, Moment, Patch


class HashesEnricher:
    """PDQ on the moment of each picture and key frame; MD5, Chromaprint and TLSH, which are of the whole asset, on its first
    moment. Its SHA-256 is its id. What cannot be compared (a PDQ of low quality) is not kept.

    A label's value is written `KIND:HASH`, its score is a PDQ's quality / 100, else 1.
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

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = unhurried
    ) -> Enrichment:
        found, _ = self._hashers.of(decoded)
        seen = [hashed.hash for hashed in found if hashed.hash.kind == "pdq"]
        shown = [name for name, _ in pictures(asset, decoded)] if seen else []
        labels: dict[str, list[Hash]] = {}
        for name, hashed in zip(shown, seen, strict=True):
            labels.setdefault(name, []).append(hashed)
        # Moments that another enricher brought go with its next version.
        own = [moment.id for moment in moments if moment.kind not in SPOKEN]
        whole = [self._md5(asset), *(hashed.hash for hashed in found if hashed.hash.kind != "pdq")]
        labels.setdefault(own[0] if own else "", []).extend(whole)
        there = {moment.id: moment for moment in moments}
        patches = [
            Patch(name, labels=tuple(self._label(there[name], one) for one in hashes if one.comparable))
            for name, hashes in labels.items()
            if name in there
        ]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patch for patch in patches if patch.labels))

    def _md5(self, asset: Asset) -> Hash:
        place = self._place(asset.id)
        try:
            if place is not None:
                return digests(place)[1]
        except OSError as error:
            raise Unreadable(f"{asset.title} cannot be read: {error.strerror}", "check its permissions") from error
        raise Unreadable(f"{asset.title} is not where it was indexed", "crossmedia index finds it again")

    def _label(self, moment: Moment, hashed: Hash) -> Label:
        score = 1.0 if hashed.quality is None else hashed.quality / 100
        return Label(LABEL, str(hashed), score, self.model, start=moment.start, end=moment.end)
