"""Assets, moments and sources as documents of the index, and back.

Everything that is searched lies at the top of a document and is analysed by the mapping; everything that is only read
back lies in `held`, as it was. Vectors lie there too, packed (base64 of little-endian float32): the arrays that are
searched are not kept a second time.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from crossmedia.embeddings.encoder import UNALIGNED, Modality, Vector
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval import wording
from crossmedia.retrieval.documents import FIELDS, Asset, Kind, Label, Moment, Source, kind_of, modality
from crossmedia.retrieval.elastic.tokens import APART, label_tokens, tags
from crossmedia.retrieval.order import name_of
from crossmedia.retrieval.stored_asset import Done, StoredMoment

Doc = dict[str, Any]
Version = tuple[int, int]
"""Sequence number and primary term: what a document was when it was read."""


@dataclass(eq=False)
class Record:
    """An asset's own document: the manifest of what belongs to it. `moments`: ids in their order, with their makers;
    `patched`: by enricher, the moments of other passes that it said something of. `added`: microseconds, unique enough
    to order by; `copied`: what the asset was when it was copied from another index, by that one's `changed`; `blocked`:
    the journals that block it."""

    asset: Asset
    added: int
    sources: list[Source] = field(default_factory=list)
    moments: dict[str, str | None] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    patched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    cover: str | None = None
    copied: int | None = None
    blocked: tuple[str, ...] = ()
    version: Version | None = None


def asset_key(asset: str) -> str:
    return f"asset:{asset}"


def attachment_key(asset: str, name: str) -> str:
    """Where a preview or another attachment lies; a thumbnail lies at the id of its moment."""
    return f"{asset}/{name}"


def source_key(collection: str, location: str) -> str:
    """The id of the document that tells which asset lies at a place."""
    return "source:" + hashlib.sha256(f"{collection}{APART}{location}".encode()).hexdigest()


def searchable(text: str, ours: bool = False) -> str:
    """A text as it is analysed: terms of `ours` between blanks, or for an analyser of the server runs of letters and
    digits."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join(wording.terms_of(composed)) if ours else re.sub(r"[\W_]+", " ", composed).strip()


def pack(vector: Vector) -> str:
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def unpack(packed: str) -> Vector:
    return np.frombuffer(base64.b64decode(packed), dtype="<f4")


def vector_field(space: str, made_from: Modality, dim: int) -> str:
    """The name of the field that is searched; models of other dimensions do not meet in one."""
    return f"{space}_{made_from}_{dim}"


def record_doc(record: Record, now: int) -> Doc:
    asset = record.asset
    return {
        "type": "asset",
        "asset": asset.id,
        "added": record.added,
        "changed": now,
        "count": len(record.moments),
        "seen": [f"{done.enricher}{APART}{done.model}" for done in record.done.values()],
        "outcomes": [f"{d.enricher}{APART}{'failed' if d.error else 'done'}" for d in record.done.values()],
        **_shared(record),
        **_where(asset),
        "held": {
            "mime": asset.mime,
            "title": asset.title,
            "metadata": dict(asset.metadata),
            "sources": [[s.location, s.path, s.collection, s.size, s.mtime_ns] for s in record.sources],
            "moments": [[_suffix(moment), maker] for moment, maker in record.moments.items()],
            "done": [[d.enricher, d.model, d.error, list(d.fields)] for d in record.done.values()],
            "patched": {name: [_suffix(m) for m in moments] for name, moments in record.patched.items()},
            "attachments": list(record.attachments),
            "cover": record.cover,
            "copied": record.copied,
        },
    }


def completed(doc: Doc, ours: bool) -> Doc:
    """A document as it was read, with what the index does not keep of it: ready to be written elsewhere. `ours`: as in
    `searchable`."""
    if doc["type"] != "moment":
        return doc
    vectors = {space: unpack(packed) for space, packed in doc["held"]["packed"].items()}
    return {
        **doc,
        "words": {name: searchable(text, ours) for name, text in doc["fields"].items()},
        "vector": _searched(vectors, doc["kind"]),
    }


def _searched(vectors: Mapping[str, Vector], kind: Kind) -> dict[str, Vector]:
    return {vector_field(space, modality(space, kind), len(v)): v for space, v in vectors.items() if space != UNALIGNED}


def to_asset(doc: Doc) -> Asset:
    held = doc["held"]
    return Asset(
        doc["asset"], doc["media"], held["mime"], doc["size"], held["title"], doc.get("captured"), held["metadata"]
    )


def to_sources(doc: Doc) -> list[Source]:
    return sorted((Source(*s) for s in doc["held"]["sources"]), key=lambda s: (s.collection, s.path))


def to_record(doc: Doc, version: Version | None) -> Record:
    held, asset = doc["held"], doc["asset"]
    return Record(
        to_asset(doc),
        doc["added"],
        [Source(*s) for s in held["sources"]],
        {f"{asset}-{suffix}": maker for suffix, maker in held["moments"]},
        {name: Done(name, model, error, tuple(fields)) for name, model, error, fields in held["done"]},
        {name: tuple(f"{asset}-{suffix}" for suffix in moments) for name, moments in held["patched"].items()},
        tuple(held["attachments"]),
        held["cover"],
        held["copied"],
        tuple(doc.get("blocked", ())),
        version,
    )


def source_doc(source: Source, asset: str, collection: str) -> Doc:
    return {
        "type": "source",
        "asset": asset,
        "location": source.location,
        "paths": source.path,
        "collections": collection,
        "held": {"source": [source.location, source.path, source.collection, source.size, source.mtime_ns]},
    }


def moment_doc(held: StoredMoment, record: Record, number: int, ours: bool) -> Doc:
    """`number`: where in the asset it comes; `ours`: as in `searchable`. Raises ValueError for a field or a vector that
    is none."""
    moment = held.moment
    texts = {name: unicodedata.normalize("NFC", text) for name, text in moment.fields.items() if text}
    if unknown := set(texts) - set(FIELDS):
        raise ValueError(f"no text field {min(unknown)!r}")
    vectors = {space: np.ascontiguousarray(v, dtype=np.float32) for space, v in moment.vectors.items()}
    made_from = {space: modality(space, moment.kind) for space in vectors}
    return {
        "type": "moment",
        "asset": moment.asset,
        "kind": moment.kind,
        "number": number,
        "start": moment.start,
        "end": moment.end,
        "page": moment.page,
        "added": record.added,
        **_shared(record),
        "fields": texts,
        "words": {name: searchable(text, ours) for name, text in texts.items()},
        "labels": label_tokens(moment.labels),
        "tags": tags(moment.labels),
        "spaces": [f"{space}/{made_from[space]}" for space in vectors],
        "vector": _searched(vectors, moment.kind),
        "held": {
            "maker": held.maker,
            "labels": [
                [label.kind, label.value, label.score, label.model, label.box, label.start, label.end, maker]
                for label, maker in zip(moment.labels, held.labels, strict=True)
            ],
            "spoken": [[w.text, round(w.start, 3), round(w.end, 3)] for w in moment.words],
            "packed": {space: pack(v) for space, v in vectors.items()},
            "makers": {space: held.vectors.get(space) for space in vectors},
        },
    }


def to_held(key: str, doc: Doc) -> StoredMoment:
    """Without its thumbnail, and without vectors where they were not read."""
    held = doc["held"]
    ordered = sorted(held["labels"], key=lambda row: -row[2])
    return StoredMoment(
        Moment(
            key,
            doc["asset"],
            doc["kind"],
            doc["start"],
            doc["end"],
            doc["page"],
            doc["fields"],
            {space: unpack(packed) for space, packed in held.get("packed", {}).items()},
            tuple(to_label(row) for row in ordered),
            tuple(Word(*w) for w in held["spoken"]),
        ),
        held["maker"],
        held["makers"],
        tuple(row[7] for row in ordered),
    )


PACKED: Final = ("held.packed", "held.makers")
"""Where vectors lie in a moment's document, and who made them."""


def without_vectors(doc: Doc) -> Doc:
    """A document that was read without `PACKED`, as one that has no vectors."""
    return {**doc, "held": {**doc["held"], "packed": {}, "makers": {}}}


def to_label(row: Sequence[Any]) -> Label:
    box = row[4]
    return Label(
        row[0], row[1], row[2], row[3], (box[0], box[1], box[2], box[3]) if box else None, start=row[5], end=row[6]
    )


def renumbered(record: Record) -> dict[str, int]:
    return {moment: number for number, moment in enumerate(record.moments)}


def retitled(held: StoredMoment, before: str, after: str) -> StoredMoment:
    title = held.moment.fields.get("title")
    if title is None or before not in title:
        return held
    fields = {**held.moment.fields, "title": title.replace(before, after)}
    return replace(held, moment=replace(held.moment, fields=fields))


def _shared(record: Record) -> Doc:
    """What an asset's document has and each of its moments': hits are filtered and listed by it."""
    return {
        "media": record.asset.media,
        "blocked": list(record.blocked),
        "captured": record.asset.captured,
        **listing(record),
        "collections": sorted({s.collection for s in record.sources}),
        "paths": sorted({s.path for s in record.sources}),
        "places": sorted({f"{s.collection}{APART}{s.path}" for s in record.sources}),
    }


def listing(record: Record) -> Doc:
    """What an asset is listed by beside its date."""
    return {
        "size": record.asset.size,
        "seconds": record.asset.seconds,
        "name": name_of(min(((s.collection, s.path) for s in record.sources), default=("", ""))[1]),
    }


def _where(asset: Asset) -> Mapping[str, Any]:
    place = asset.coordinates
    return {"place": {"lat": place[0], "lon": place[1]}} if place else {}


def _suffix(moment: str) -> str:
    assert kind_of(moment)
    return moment.rsplit("-", 1)[1]
