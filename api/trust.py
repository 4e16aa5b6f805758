"""Where files say that they come from, and indications of forged faces and synthesised speech, over the service."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.indications import INDICATIONS, STATEMENT
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.forgery import ForgeryEnricher
from crossmedia.indexer.enrichers.spoof import SpoofEnricher
from crossmedia.indexer.provenance.facts import KINDS, Fact, merge_facts
from crossmedia.indexer.provenance.reader import ACCEPTS, ProvenanceReader
from crossmedia.indexer.tracks import RATE
from crossmedia.retrieval.documents import Asset, Label, Moment

if TYPE_CHECKING:
    from crossmedia.api.service import Service

_HIGH: Final = {one.kind: one.high for one in INDICATIONS}


@dataclass(frozen=True)
class Trusted:
    """What is known of a file: what it says of itself, how forged it looks and sounds, and what could not be told and
    why."""

    facts: tuple[Fact, ...]
    manifest: dict[str, Any] | None
    indications: tuple[Label, ...]
    notes: tuple[str, ...]
    took_ms: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """With every score the model it is of, what that was trained on and what is published of it."""
        kinds = {label.kind for label in self.indications}
        return {
            "facts": [{"kind": fact.kind, "value": fact.value, "by": fact.by} for fact in self.facts],
            "manifest": self.manifest,
            "indications": [
                {
                    "kind": label.kind, "value": label.value, "score": round(label.score, 4),
                    "high": label.score >= _HIGH[label.kind], "model": label.model, "box": label.box,
                    "start": label.start, "end": label.end,
                }
                for label in self.indications
            ],
            "models": [one.as_dict() for one in INDICATIONS if one.kind in kinds],
            "statement": STATEMENT,
            "notes": list(self.notes),
            "took_ms": round(self.took_ms, 1),
        }  # fmt: skip


class Trust:
    """Looks at files without storing anything; of assets it tells what the collection keeps."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @cached_property
    def reader(self) -> ProvenanceReader:
        return ProvenanceReader(self._service.settings.trust_anchors)

    def of_file(self, path: Path) -> Trusted:
        """A file that need not be indexed, and is not by this. One that cannot be decoded says what is left of it.

        Raises `Unreadable` and `EmptyFile`."""
        started = time.monotonic()
        found = self.reader(path)
        notes = [*found.notes, *(f"{error.message}: {error.hint}" for error in self.reader.missing)]
        labels: list[Label] = []
        try:
            decoded = self._service.example_pool.submit(path, sample_rate=RATE).result()
            if decoded.media not in ACCEPTS:
                notes.append("only pictures, videos and recordings are looked at")
            else:
                labels, more = self._looked(decoded)
                notes += more
        except CrossmediaError as error:
            notes.append(f"faces and speech are not looked at: {error.message}")
        took = 1000 * (time.monotonic() - started)
        return Trusted(found.facts, found.manifest, tuple(labels), tuple(dict.fromkeys(notes)), took)

    def of_asset(self, asset: str) -> Trusted:
        """By the labels that the collection keeps, no file is read. Raises NoCollection, NotFound, Ambiguous."""
        self._service.require_collection()
        started = time.monotonic()
        store, name = self._service.store, self._service.resolve(asset)
        described, moments = store.asset(name), store.moments(name)
        found = kept(moments)
        media: Medium = described.media if described else "text"
        notes = []
        if media not in ACCEPTS:
            notes.append("only pictures, videos and recordings are looked at")
        for kind, accepted in (("forgery", ForgeryEnricher.accepts), ("spoof", SpoofEnricher.accepts)):
            if media in accepted and not any(label.kind == kind for label in found.indications):
                notes.append(
                    f"the collection keeps no score of {kind}: crossmedia enrich --only {kind}, if it was not run"
                )
        return Trusted(found.facts, None, found.indications, tuple(notes), 1000 * (time.monotonic() - started))

    def close(self) -> None:
        if "reader" in self.__dict__:
            self.reader.close()

    def _looked(self, decoded: Decoded) -> tuple[list[Label], list[str]]:
        """The scores of a decoded file, and a line for each that there is none of."""
        built, notes = self._service.enrichers(only=[one.kind for one in INDICATIONS])
        labels: list[Label] = []
        asset = Asset("0" * 64, decoded.media, decoded.mime, 0, "")
        for enricher in built:
            found: list[Label] = []
            if isinstance(enricher, ForgeryEnricher) and decoded.media in enricher.accepts:
                found = [label for some in enricher.labels(asset, decoded).values() for label in some]
                notes += [] if found else ["no face is large enough to be looked at"]
            sound = sound_track(decoded)
            if isinstance(enricher, SpoofEnricher) and sound is not None:
                found = enricher.labels(sound)
                notes += [] if found else ["nobody speaks long enough to be listened to"]
            labels += found
        return list(_once(labels)), notes


def kept(moments: Iterable[Moment]) -> Trusted:
    """What the labels of an asset's moments say."""
    labels = [label for moment in moments for label in moment.labels]
    facts = merge_facts(Fact(label.kind, label.value, label.model) for label in labels if label.kind in KINDS)
    return Trusted(facts, None, tuple(_once(label for label in labels if label.kind in _HIGH)), ())


def _once(labels: Iterable[Label]) -> Iterator[Label]:
    """A shot repeats what its key frames say."""
    yield from sorted(dict.fromkeys(labels), key=lambda label: (label.kind, label.start or 0.0, -label.score))
