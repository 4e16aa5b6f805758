"""Where assets lie: at each place one of them, each at one place at least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath

from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.elastic import docs
from crossmedia.retrieval.elastic.bulk import Action
from crossmedia.retrieval.elastic.docs import Record, source_key
from crossmedia.retrieval.elastic.writer import Writer
from crossmedia.retrieval.store import NotFound


def locate(writer: Writer, asset: str, source: Source, instead_of: str | None) -> None:
    writer.again(lambda: _locate(writer, asset, source, instead_of))


def forget(writer: Writer, locations: Sequence[str], collection: str) -> list[str]:
    gone = [writer.again(partial(_forget, writer, location, collection)) for location in locations]
    return [asset for asset in gone if asset is not None]


def _locate(writer: Writer, asset: str, source: Source, instead_of: str | None) -> None:
    record = writer.records([asset]).get(asset)
    if record is None:
        raise NotFound(f"no asset {asset}", "crossmedia status lists what is indexed")
    settle(writer, [(asset, source)])
    if instead_of is None or instead_of == source.location:
        add_source(writer, record, source)
        return
    before, after = PurePath(instead_of).name, PurePath(source.path).name
    if record.asset.title == before:
        record.asset = replace(record.asset, title=after)
    kept = [s for s in record.sources if (s.collection, s.location) != (source.collection, instead_of)]
    record.sources = [*without(kept, source), source]
    writer.rewrite(record, lambda held: docs.retitled(held, before, after))
    writer.do([Action(writer.index.target, source_key(source.collection, instead_of), None)])


def add_source(writer: Writer, record: Record, source: Source) -> None:
    if source in record.sources:
        return
    where = {(s.collection, s.path) for s in record.sources}
    record.sources = [*without(record.sources, source), source]
    if where == {(s.collection, s.path) for s in record.sources}:
        writer.do([writer.manifest(record)])  # nothing that moments are filtered by
    else:
        writer.rewrite(record)


def settle(writer: Writer, placed: Sequence[tuple[str, Source]]) -> None:
    """These assets lie at these places; one that lay there is forgotten if it lies nowhere else."""
    index = writer.index
    keys = [source_key(source.collection, source.location) for _, source in placed]
    there = index.versioned(keys)
    actions: list[Action] = []
    left: list[tuple[str, Source]] = []
    for key, (asset, source) in zip(keys, placed, strict=True):
        doc = docs.source_doc(source, asset, source.collection)
        old, version = there.get(key, (None, None))
        if doc != old:
            actions.append(Action(index.target, key, doc, version or "absent"))
        if old is not None and old["asset"] != asset:
            left.append((old["asset"], source))
    writer.do(actions)
    for before, source in left:
        _leave(writer, before, source.collection, source.location)


def _leave(writer: Writer, asset: str, collection: str, location: str) -> bool:
    """The asset lies there no more; returns whether it was the last place, and the asset is gone."""
    record = writer.records([asset]).get(asset)
    if record is None:
        return False
    record.sources = [s for s in record.sources if (s.collection, s.location) != (collection, location)]
    if not record.sources:
        writer.erase(record)
        return True
    writer.rewrite(record)
    return False


def _forget(writer: Writer, location: str, collection: str) -> str | None:
    """The asset that went with the place, if it did."""
    key = source_key(collection, location)
    there = writer.index.get([key]).get(key)
    if there is None:
        return None
    last = _leave(writer, there["asset"], collection, location)
    writer.do([Action(writer.index.target, key, None)])
    return str(there["asset"]) if last else None


def without(sources: Sequence[Source], other: Source) -> list[Source]:
    return [s for s in sources if (s.collection, s.location) != (other.collection, other.location)]


def others(sources: Sequence[Source], others: Sequence[Source]) -> list[Source]:
    kept = {(s.collection, s.location) for s in others}
    return [s for s in sources if (s.collection, s.location) not in kept]
