"""Writing assets. An asset is there when its own document is: that is written last, and taken away last.

There are no transactions: what has to be whole is made so by order, by ids that follow from the content, and by versions. A
document that is no longer what it was when it was read refuses to be overwritten, and the change is made again on what it is
now. A writer that dies half-way leaves moments that no asset tells of; the same write, made again, replaces them.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import Final, TypeVar

from embeddings.encoder import UNALIGNED
from retrieval.documents import REVISION, Document, Enrichment, Moment, Revision, Source, modality
from retrieval.elastic import changes, docs
from retrieval.elastic.bulk import Action, Conflict, write
from retrieval.elastic.docs import Doc, Record, Version, asset_key, source_key
from retrieval.elastic.filters import label_prefix
from retrieval.elastic.index import Index
from retrieval.holding import Done, Held, Holding
from retrieval.store import NotFound, StoreUnusable

TRIES: Final = 20
ResultT = TypeVar("ResultT")


class Writer:
    """Changes one index. Holds no state but the last time it gave to an arrival."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._last = 0

    def put(self, documents: Sequence[Document], replace_them: bool) -> None:
        for document in documents:
            _distinct(document.moments)
        left = list(documents)
        while left:
            # One asset and one place at a time each; a batch of the pipeline is all of one round.
            some, left = _apart(left)
            self._again(partial(self._put, some, replace_them))

    def enrich(self, enrichment: Enrichment) -> None:
        _distinct(enrichment.moments)
        self._again(lambda: self._enrich(enrichment))

    def revise(self, revisions: Sequence[Revision]) -> None:
        for revision in revisions:
            self._again(partial(self._revise, revision))

    def restore(self, holding: Holding) -> None:
        _distinct([held.moment for held in holding.moments])
        self._again(lambda: self._restore(holding))

    def locate(self, asset: str, source: Source, instead_of: str | None) -> None:
        self._again(lambda: self._locate(asset, source, instead_of))

    def forget(self, locations: Sequence[str], collection: str) -> list[str]:
        gone = [self._again(partial(self._forget, location, collection)) for location in locations]
        return [asset for asset in gone if asset is not None]

    def delete(self, assets: Sequence[str]) -> list[str]:
        records = self._records(assets)
        for asset in assets:
            if asset in records:
                self._erase(records[asset])
        return [asset for asset in assets if asset in records]

    def relabel(self, kind: str, value: str, to: str) -> int:
        """Until a search finds no more: others may be writing."""
        changed = 0
        query = {"bool": {"filter": [{"term": {"type": "moment"}}, {"prefix": {"labels": label_prefix(kind, value)}}]}}
        while True:
            before = changed
            for page in list(self._index.pages(query, [{"added": "asc"}, {"number": "asc"}], ["asset"])):
                changed += self._relabel([(hit["_id"], hit["_source"]["asset"]) for hit in page], kind, value, to)
            if changed == before or value.casefold() == to.casefold():
                return changed

    def records(self, assets: Sequence[str]) -> dict[str, Record]:
        return self._records(assets)

    def held(self, record: Record) -> list[Held]:
        """All moments of an asset, whole but for thumbnails."""
        found = self._index.get(list(record.moments))
        return [docs.to_held(key, found[key]) for key in record.moments if key in found]

    def _put(self, documents: Sequence[Document], replace_them: bool) -> None:
        records = self._records([document.asset.id for document in documents])
        fresh = [d for d in documents if replace_them or d.asset.id not in records]
        whole: list[tuple[Record, list[Held], Mapping[str, bytes]]] = []
        for document in fresh:
            old = records.get(document.asset.id)
            record = Record(document.asset, old.added if old else self._now(), [document.source])
            if old is not None:
                record.version = old.version
                record.sources = [*_without(old.sources, document.source), document.source]
            whole.append((record, [docs.first_pass(moment, None) for moment in document.moments], document.attachments))
        self._write_whole(whole, records)
        self._settle([(document.asset.id, document.source) for document in documents])
        for document in documents:
            if document not in fresh:
                self._add_source(records[document.asset.id], document.source)

    def _write_whole(
        self, whole: Sequence[tuple[Record, Sequence[Held], Mapping[str, bytes]]], before: Mapping[str, Record]
    ) -> None:
        """Moments and previews first, then the assets' own documents, then what was there and is no more."""
        index = self._index
        actions: list[Action] = []
        manifests: list[Action] = []
        gone: list[Action] = []
        for record, moments, attachments in whole:
            record.moments = {held.moment.id: held.maker for held in moments}
            record.attachments = tuple(attachments)
            record.cover = next((held.moment.id for held in moments if held.moment.thumbnail is not None), None)
            actions += self._moments(record, moments)
            actions += [self._preview(record, f"{record.asset.id}/{name}", data) for name, data in attachments.items()]
            old = before.get(record.asset.id)
            manifests.append(self._manifest(record))
            if old is not None:
                kept = {held.moment.id for held in moments if held.moment.thumbnail is not None}
                gone += [Action(index.name, moment, None) for moment in old.moments if moment not in record.moments]
                gone += [Action(index.previews, moment, None) for moment in old.moments if moment not in kept]
                gone += [
                    Action(index.previews, f"{record.asset.id}/{name}", None)
                    for name in old.attachments
                    if name not in attachments
                ]
        self._provide(held.moment for _, moments, _ in whole for held in moments)
        try:
            self._do(actions)
        except StoreUnusable:
            self._take_back([record for record, _, _ in whole if record.asset.id not in before])
            raise
        self._do(manifests)
        self._do(gone)

    def _enrich(self, enrichment: Enrichment) -> None:
        record = self._records([enrichment.asset]).get(enrichment.asset)
        if record is None:
            return
        maker, index = enrichment.enricher, self._index
        own = [moment for moment, by in record.moments.items() if by == maker]
        said = record.done.get(maker)
        before = record.patched.get(maker, ())
        targets = {patch.moment for patch in enrichment.patches if patch.moment in record.moments}
        versions = index.versioned([m for m in record.moments if m in {*before, *targets} and m not in own])
        held = {key: docs.to_held(key, doc) for key, (doc, _) in versions.items()}
        for key in held:
            held[key] = changes.retracted(held[key], maker, said.fields if said else ())
        patched: dict[str, None] = {}
        fields: set[str] = set()
        for patch in enrichment.patches:
            if patch.moment in held:
                held[patch.moment] = changes.patched(held[patch.moment], patch, maker)
                patched[patch.moment] = None
                fields |= set(patch.fields)
        new = [docs.first_pass(moment, maker) for moment in enrichment.moments]
        record.moments = {moment: by for moment, by in record.moments.items() if by != maker}
        record.moments |= {each.moment.id: maker for each in new}
        record.done = {**{name: done for name, done in record.done.items() if name != maker}}
        record.done[maker] = Done(maker, enrichment.model, enrichment.error, tuple(sorted(fields)))
        record.patched = {**record.patched, maker: tuple(patched)}
        self._provide([*(each.moment for each in new), *(each.moment for each in held.values())])
        expected = {key: version for key, (_, version) in versions.items()}
        self._do([*self._moments(record, new), *self._moments(record, list(held.values()), expected)])
        self._do([self._manifest(record)])
        gone = [moment for moment in own if moment not in record.moments]
        self._do([Action(at, moment, None) for moment in gone for at in (index.name, index.previews)])

    def _revise(self, revision: Revision) -> None:
        record = self._records([revision.asset]).get(revision.asset)
        if record is None:
            return
        versions = self._index.versioned([m for m in record.moments if m in revision.vectors or m in revision.labels])
        held = [changes.revised(docs.to_held(key, doc), revision) for key, (doc, _) in versions.items()]
        record.done = {**record.done, REVISION: Done(REVISION, revision.model)}
        self._provide(each.moment for each in held)
        self._do(self._moments(record, held, {key: version for key, (_, version) in versions.items()}))
        self._do([self._manifest(record)])

    def _restore(self, holding: Holding) -> None:
        records = self._records([holding.asset.id])
        old = records.get(holding.asset.id)
        record = Record(holding.asset, old.added if old else self._now(), list(holding.sources))
        record.version = old.version if old else None
        record.done = {done.enricher: done for done in holding.done}
        for done in holding.done:
            record.patched[done.enricher] = tuple(_said_of(holding.moments, done))
        self._write_whole([(record, holding.moments, holding.attachments)], records)
        for source in _without_any(old.sources if old else [], holding.sources):
            self._do([Action(self._index.name, source_key(source.collection, source.location), None)])
        self._settle([(holding.asset.id, source) for source in holding.sources])

    def _locate(self, asset: str, source: Source, instead_of: str | None) -> None:
        record = self._records([asset]).get(asset)
        if record is None:
            raise NotFound(f"no asset {asset}", "crossmedia status lists what is indexed")
        self._settle([(asset, source)])
        if instead_of is None or instead_of == source.location:
            self._add_source(record, source)
            return
        before, after = PurePath(instead_of).name, PurePath(source.path).name
        if record.asset.title == before:
            record.asset = replace(record.asset, title=after)
        kept = [s for s in record.sources if (s.collection, s.location) != (source.collection, instead_of)]
        record.sources = [*_without(kept, source), source]
        self._rewrite(record, lambda held: docs.retitled(held, before, after))
        self._do([Action(self._index.name, source_key(source.collection, instead_of), None)])

    def _add_source(self, record: Record, source: Source) -> None:
        if source in record.sources:
            return
        where = {(s.collection, s.path) for s in record.sources}
        record.sources = [*_without(record.sources, source), source]
        if where == {(s.collection, s.path) for s in record.sources}:
            self._do([self._manifest(record)])  # nothing that moments are filtered by
        else:
            self._rewrite(record, lambda held: held)

    def _settle(self, placed: Sequence[tuple[str, Source]]) -> None:
        """These assets lie at these places; one that lay there is forgotten if it lies nowhere else."""
        index = self._index
        keys = [source_key(source.collection, source.location) for _, source in placed]
        there = index.versioned(keys)
        actions: list[Action] = []
        left: list[tuple[str, Source]] = []
        for key, (asset, source) in zip(keys, placed, strict=True):
            doc = docs.source_doc(source, asset, source.collection)
            old, version = there.get(key, (None, None))
            if doc != old:
                actions.append(Action(index.name, key, doc, version or "absent"))
            if old is not None and old["asset"] != asset:
                left.append((old["asset"], source))
        self._do(actions)
        for before, source in left:
            self._leave(before, source.collection, source.location)

    def _leave(self, asset: str, collection: str, location: str) -> bool:
        """The asset lies there no more; returns whether it was the last place, and the asset is gone."""
        record = self._records([asset]).get(asset)
        if record is None:
            return False
        record.sources = [s for s in record.sources if (s.collection, s.location) != (collection, location)]
        if not record.sources:
            self._erase(record)
            return True
        self._rewrite(record, lambda held: held)
        return False

    def _forget(self, location: str, collection: str) -> str | None:
        """The asset that went with the place, if it did."""
        key = source_key(collection, location)
        there = self._index.get([key]).get(key)
        if there is None:
            return None
        last = self._leave(there["asset"], collection, location)
        self._do([Action(self._index.name, key, None)])
        return str(there["asset"]) if last else None

    def _erase(self, record: Record) -> None:
        index, asset = self._index, record.asset.id
        here = [*record.moments, *(source_key(s.collection, s.location) for s in record.sources)]
        previews = [*record.moments, *(f"{asset}/{name}" for name in record.attachments)]
        self._do(
            [*(Action(index.name, key, None) for key in here), *(Action(index.previews, key, None) for key in previews)]
        )
        self._do([Action(index.name, asset_key(asset), None)])

    def _rewrite(self, record: Record, change: Callable[[Held], Held]) -> None:
        """All moments of an asset, since something that they share has changed."""
        versions = self._index.versioned(list(record.moments))
        held = [change(docs.to_held(key, doc)) for key, (doc, _) in versions.items()]
        self._do(self._moments(record, held, {key: version for key, (_, version) in versions.items()}))
        self._do([self._manifest(record)])

    def _relabel(self, moments: Sequence[tuple[str, str]], kind: str, value: str, to: str) -> int:
        records = self._records(list(dict.fromkeys(asset for _, asset in moments)))
        versions = self._index.versioned([key for key, asset in moments if asset in records])
        actions: list[Action] = []
        counts: dict[str, int] = {}
        for key, (doc, version) in versions.items():
            held, counts[key] = changes.relabelled(docs.to_held(key, doc), kind, value, to)
            if counts[key]:
                actions += self._moments(records[doc["asset"]], [held], {key: version})
        refused = {action.id for action in write(self._index.connection, actions)}
        self._index.wrote()
        return sum(count for key, count in counts.items() if key not in refused)

    def _moments(
        self, record: Record, moments: Sequence[Held], expected: Mapping[str, Version] | None = None
    ) -> Iterable[Action]:
        numbers = docs.renumbered(record)
        for held in moments:
            key = held.moment.id
            doc = docs.moment_doc(held, record, numbers.get(key, len(numbers)))
            yield Action(self._index.name, key, doc, (expected or {}).get(key))
            if held.moment.thumbnail is not None:
                yield self._preview(record, key, held.moment.thumbnail)

    def _preview(self, record: Record, key: str, data: bytes) -> Action:
        doc: Doc = {"asset": record.asset.id, "data": base64.b64encode(data).decode("ascii")}
        return Action(self._index.previews, key, doc)

    def _manifest(self, record: Record) -> Action:
        doc = docs.record_doc(record, time.time_ns() // 1000)
        return Action(self._index.name, asset_key(record.asset.id), doc, record.version or "absent")

    def _records(self, assets: Sequence[str]) -> dict[str, Record]:
        found = self._index.versioned([asset_key(asset) for asset in assets])
        return {doc["asset"]: docs.to_record(doc, version) for doc, version in found.values()}

    def _provide(self, moments: Iterable[Moment]) -> None:
        """Fields for these vectors. Raises ValueError for what is none."""
        fields: dict[str, int] = {}
        for moment in moments:
            for space, vector in moment.vectors.items():
                if getattr(vector, "ndim", 0) != 1:
                    raise ValueError(f"{moment.id}: no vector of the space {space!r}")
                if space != UNALIGNED:
                    fields[docs.vector_field(space, modality(space, moment.kind), len(vector))] = len(vector)
        self._index.provide(fields)

    def _take_back(self, records: Sequence[Record]) -> None:
        """What was written of assets that did not become whole, as far as the server lets us."""
        index = self._index
        try:
            write(
                index.connection,
                [
                    Action(at, moment, None)
                    for r in records
                    for moment in r.moments
                    for at in (index.name, index.previews)
                ],
            )
        except StoreUnusable:
            return  # the caller hears why writing failed; the same write made again replaces what is left

    def _do(self, actions: Iterable[Action]) -> None:
        some = list(actions)
        if not some:
            return
        self._index.wrote()
        if write(self._index.connection, some):
            raise Conflict

    def _again(self, change: Callable[[], ResultT]) -> ResultT:
        """Make a change on what is there, again if that changed meanwhile."""
        for _ in range(TRIES):
            try:
                return change()
            except Conflict:
                continue
        raise StoreUnusable("others change the same assets all the time", "try again when less is written")

    def _now(self) -> int:
        """Microseconds, later than any that was given before."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last


def _distinct(moments: Sequence[Moment]) -> None:
    seen: set[str] = set()
    for moment in moments:
        if moment.id in seen:
            raise ValueError(f"duplicate moment {moment.id}")
        seen.add(moment.id)


def _apart(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """The first of those that share an asset or a place, and the others."""
    some: list[Document] = []
    rest: list[Document] = []
    seen: set[tuple[str, str]] = set()
    for document in documents:
        keys = {("asset", document.asset.id), (document.source.collection, document.source.location)}
        (rest if rest or keys & seen else some).append(document)
        seen |= keys
    return some, rest


def _without(sources: Sequence[Source], other: Source) -> list[Source]:
    return [s for s in sources if (s.collection, s.location) != (other.collection, other.location)]


def _without_any(sources: Sequence[Source], others: Sequence[Source]) -> list[Source]:
    kept = {(s.collection, s.location) for s in others}
    return [s for s in sources if (s.collection, s.location) not in kept]


def _said_of(moments: Sequence[Held], done: Done) -> Iterable[str]:
    """The moments of other passes that an enricher has said something of."""
    for held in moments:
        if held.maker != done.enricher and (
            done.enricher in (*held.vectors.values(), *held.labels) or set(done.fields) & held.moment.fields.keys()
        ):
            yield held.moment.id
