"""Where files say that they come from, and indications of forged faces and synthesised speech."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.indications import INDICATIONS, STATEMENT
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.base import sound_track
from crossmedia.indexer.enrichers.forgery import ForgeryEnricher
from crossmedia.indexer.enrichers.spoof import SpoofEnricher
from crossmedia.indexer.provenance.facts import FACT_KINDS, Fact, FactKind, merge_facts
from crossmedia.indexer.provenance.reader import ACCEPTS
from crossmedia.indexer.tracks import RATE
from crossmedia.retrieval.documents import Asset, Label, Moment

_HIGH: Final = {one.kind: one.high for one in INDICATIONS}


class FactOut(BaseModel):
    """`trust` is generated, edited, composite or captured as the file declares itself, and of a C2PA manifest signed,
    signer unknown, signature invalid or manifest unreadable. `by`: what in the file says so."""

    kind: FactKind
    value: str
    by: str


class IndicationOut(BaseModel):
    """`score` in [0, 1] is the model's own; `high`: at least what is measured and told with the model. A box is x0, y0,
    x1, y1 in fractions of the picture, times are seconds."""

    kind: str
    value: str
    score: float
    high: bool
    model: str
    box: tuple[float, float, float, float] | None
    start: float | None
    end: float | None


class PublishedOut(BaseModel):
    figure: str
    of: str
    source: str


class ModelOut(BaseModel):
    """What a kind of score is of: figures as published, inside the data set it was trained on and outside of it."""

    kind: str
    of: str
    model: str
    trained_on: str
    inside: list[PublishedOut]
    outside: list[PublishedOut]
    caution: str
    high: float


class TrustOut(BaseModel):
    """`manifest`: of a file with a C2PA manifest what that says. `notes`: what could not be told, and why."""

    facts: list[FactOut]
    manifest: dict[str, Any] | None
    indications: list[IndicationOut]
    models: list[ModelOut]
    statement: str
    notes: list[str]
    took_ms: float


class Trust:
    """Looks at files without storing anything; of assets it tells what the collection keeps."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def of_file(self, path: Path) -> TrustOut:
        """A file that need not be indexed, and is not by this. One that cannot be decoded says what is left of it.

        Raises `Unreadable` and `EmptyFile`."""
        started = time.monotonic()
        reader = self._runtime.provenance
        provenance = reader(path)
        notes = [*provenance.notes, *(f"{error.message}: {error.hint}" for error in reader.missing)]
        labels: list[Label] = []
        try:
            decoded = self._runtime.example_pool.submit(path, sample_rate=RATE).result()
            if decoded.media not in ACCEPTS:
                notes.append("only pictures, videos and recordings are looked at")
            else:
                labels, more = self._score(decoded)
                notes += more
        except CrossmediaError as error:
            notes.append(f"faces and speech are not looked at: {error.message}")
        return trust_out(provenance.facts, provenance.manifest, labels, notes, time.monotonic() - started)

    def of_asset(self, asset: str) -> TrustOut:
        """By the labels that the collection keeps, no file is read. Raises NoCollection, NotFound, Ambiguous."""
        self._runtime.require_collection()
        started = time.monotonic()
        store, name = self._runtime.store, self._runtime.resolve(asset)
        described, moments = store.asset(name), store.moments(name)
        facts, indications = _read_labels(moments)
        media: Medium = described.media if described else "text"
        notes = []
        if media not in ACCEPTS:
            notes.append("only pictures, videos and recordings are looked at")
        for kind, accepted in (("forgery", ForgeryEnricher.accepts), ("spoof", SpoofEnricher.accepts)):
            if media in accepted and not any(label.kind == kind for label in indications):
                notes.append(
                    f"the collection keeps no score of {kind}: crossmedia enrich --only {kind}, if it was not run"
                )
        return trust_out(facts, None, indications, notes, time.monotonic() - started)

    def _score(self, decoded: Decoded) -> tuple[list[Label], list[str]]:
        """The scores of a decoded file, and a line for each that there is none of."""
        built, notes = self._runtime.enrichers(only=[one.kind for one in INDICATIONS])
        labels: list[Label] = []
        asset = Asset("0" * 64, decoded.media, decoded.mime, 0, "")
        for enricher in built:
            scores: list[Label] = []
            if isinstance(enricher, ForgeryEnricher) and decoded.media in enricher.accepts:
                scores = [
                    label for labels_of_moment in enricher.labels(asset, decoded).values() for label in labels_of_moment
                ]
                notes += [] if scores else ["no face is large enough"]
            sound = sound_track(decoded)
            if isinstance(enricher, SpoofEnricher) and sound is not None:
                scores = enricher.labels(sound)
                notes += [] if scores else ["no turn of speech is long enough"]
            labels += scores
        return list(_once(labels)), notes


def describe_trust(moments: Iterable[Moment]) -> TrustOut:
    """What the labels of an asset's moments say."""
    facts, indications = _read_labels(moments)
    return trust_out(facts, None, indications)


def trust_out(
    facts: Iterable[Fact],
    manifest: dict[str, Any] | None,
    indications: Sequence[Label],
    notes: Iterable[str] = (),
    seconds: float = 0.0,
) -> TrustOut:
    """With every score the model it is of, what that was trained on and what is published of it."""
    kinds = {label.kind for label in indications}
    return TrustOut(
        facts=[FactOut(kind=fact.kind, value=fact.value, by=fact.by) for fact in facts],
        manifest=manifest,
        indications=[
            IndicationOut(
                kind=label.kind,
                value=label.value,
                score=round(label.score, 4),
                high=label.score >= _HIGH[label.kind],
                model=label.model,
                box=label.box,
                start=label.start,
                end=label.end,
            )
            for label in indications
        ],
        models=[ModelOut(**one.as_dict()) for one in INDICATIONS if one.kind in kinds],
        statement=STATEMENT,
        notes=list(dict.fromkeys(notes)),
        took_ms=round(1000 * seconds, 1),
    )


def _read_labels(moments: Iterable[Moment]) -> tuple[Sequence[Fact], list[Label]]:
    """What an asset says of itself, and the scores it was given."""
    labels = [label for moment in moments for label in moment.labels]
    facts = merge_facts(Fact(label.kind, label.value, label.model) for label in labels if label.kind in FACT_KINDS)
    return facts, list(_once(label for label in labels if label.kind in _HIGH))


def _once(labels: Iterable[Label]) -> Iterator[Label]:
    """A shot repeats what its key frames say."""
    yield from sorted(dict.fromkeys(labels), key=lambda label: (label.kind, label.start or 0.0, -label.score))
