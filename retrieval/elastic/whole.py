"""Assets as a whole: coming, copied from elsewhere, going."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from crossmedia.retrieval.documents import Document, Moment
from crossmedia.retrieval.elastic import blocked, docs
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.docs import PACKED, Doc, Record, attachment_key, source_key
from crossmedia.retrieval.elastic.places import add_source, others, settle, without
from crossmedia.retrieval.elastic.writer import Writer
from crossmedia.retrieval.store import StoreUnusable
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment, made_by


def put(writer: Writer, documents: Sequence[Document], replace_them: bool) -> None:
    for document in documents:
        distinct(document.moments)
    left = list(documents)
    while left:
        # One asset and one place at a time each; a batch of the pipeline is all of one round.
        some, left = _apart(left)
        writer.again(partial(_put, writer, some, replace_them))


def restore(writer: Writer, stored_asset: StoredAsset) -> None:
    distinct([held.moment for held in stored_asset.moments])
    writer.again(lambda: _restore(writer, stored_asset))


def delete(writer: Writer, assets: Sequence[str]) -> list[str]:
    records = writer.records(assets)
    for asset in assets:
        if asset in records:
            writer.erase(records[asset])
    return [asset for asset in assets if asset in records]


def stored_assets(writer: Writer, assets: Sequence[str]) -> list[StoredAsset]:
    """Everything of them, read in as few requests as there can be."""
    known = writer.records(assets)
    records = [known[asset] for asset in assets if asset in known]
    moments = writer.index.versioned([moment for record in records for moment in record.moments])
    plain = {key: doc for key, (doc, _) in moments.items()}
    previews = [key for record in records for key in (*record.moments, *_attached(record).values())]
    shown = writer.index.shown(previews)
    return [_holding(record, plain, shown) for record in records]


def contents(writer: Writer, assets: Sequence[str]) -> list[StoredAsset]:
    """Without vectors, thumbnails and attachments."""
    records = writer.records(list(dict.fromkeys(assets))).values()
    moments = writer.index.versioned([moment for record in records for moment in record.moments], without=PACKED)
    plain = {key: docs.without_vectors(doc) for key, (doc, _) in moments.items()}
    return [replace(_holding(record, plain, {}), attachments={}) for record in records]


def _holding(record: Record, moments: Mapping[str, Doc], shown: Mapping[str, bytes]) -> StoredAsset:
    held = [docs.to_held(key, moments[key]) for key in record.moments if key in moments]
    return StoredAsset(
        record.asset,
        tuple(sorted(record.sources, key=lambda s: (s.collection, s.path))),
        tuple(replace(each, moment=replace(each.moment, thumbnail=shown.get(each.moment.id))) for each in held),
        {name: shown[key] for name, key in _attached(record).items() if key in shown},
        tuple(record.done.values()),
    )


def _attached(record: Record) -> dict[str, str]:
    """The ids of an asset's attachments, by name."""
    return {name: attachment_key(record.asset.id, name) for name in record.attachments}


def _put(writer: Writer, documents: Sequence[Document], replace_them: bool) -> None:
    records = writer.records([document.asset.id for document in documents])
    fresh = [d for d in documents if replace_them or d.asset.id not in records]
    whole: list[tuple[Record, list[StoredMoment], Mapping[str, bytes]]] = []
    for document in fresh:
        old = records.get(document.asset.id)
        record = Record(document.asset, old.added if old else writer.now(), [document.source])
        if old is not None:
            record.version, record.copied = old.version, old.copied
            record.sources = [*without(old.sources, document.source), document.source]
        whole.append((record, [made_by(moment, None) for moment in document.moments], document.attachments))
    _write_whole(writer, whole, records)
    settle(writer, [(document.asset.id, document.source) for document in documents])
    if not replace_them:
        for document in documents:
            if document.asset.id in records:
                add_source(writer, records[document.asset.id], document.source)


def _write_whole(
    writer: Writer,
    whole: Sequence[tuple[Record, Sequence[StoredMoment], Mapping[str, bytes]]],
    before: Mapping[str, Record],
) -> None:
    """Moments and previews first, then the assets' own documents, then what was there and is no more."""
    index = writer.index
    actions: list[Action] = []
    manifests: list[Action] = []
    gone: list[Action] = []
    hidden = blocked.journals(writer, [record.asset.id for record, _, _ in whole])
    for record, moments, attachments in whole:
        record.blocked = hidden[record.asset.id]
        record.moments = {held.moment.id: held.maker for held in moments}
        record.attachments = tuple(attachments)
        record.cover = next((held.moment.id for held in moments if held.moment.thumbnail is not None), None)
        actions += writer.moments(record, moments)
        actions += [
            writer.preview(record, attachment_key(record.asset.id, name), data) for name, data in attachments.items()
        ]
        old = before.get(record.asset.id)
        manifests.append(writer.manifest(record))
        if old is not None:
            kept = {held.moment.id for held in moments if held.moment.thumbnail is not None}
            gone += [Action(index.target, moment, None) for moment in old.moments if moment not in record.moments]
            gone += [Action(index.previews, moment, None) for moment in old.moments if moment not in kept]
            gone += [
                Action(index.previews, attachment_key(record.asset.id, name), None)
                for name in old.attachments
                if name not in attachments
            ]
    writer.provide(held.moment for _, moments, _ in whole for held in moments)
    try:
        writer.do(actions)
    except StoreUnusable:
        _take_back(writer, [record for record, _, _ in whole if record.asset.id not in before])
        raise
    writer.do(manifests)
    writer.do(gone)
    blocked.mark(writer, list(hidden))  # somebody may have decided meanwhile


def _restore(writer: Writer, stored_asset: StoredAsset) -> None:
    records = writer.records([stored_asset.asset.id])
    old = records.get(stored_asset.asset.id)
    record = Record(stored_asset.asset, old.added if old else writer.now(), list(stored_asset.sources))
    record.version = old.version if old else None
    record.done = {done.enricher: done for done in stored_asset.done}
    for done in stored_asset.done:
        record.patched[done.enricher] = tuple(_said_of(stored_asset.moments, done))
    _write_whole(writer, [(record, stored_asset.moments, stored_asset.attachments)], records)
    for source in others(old.sources if old else [], stored_asset.sources):
        writer.do([Action(writer.index.target, source_key(source.collection, source.location), None)])
    settle(writer, [(stored_asset.asset.id, source) for source in stored_asset.sources])


def _take_back(writer: Writer, records: Sequence[Record]) -> None:
    """What was written of assets that did not become whole, as far as the server lets us."""
    index = writer.index
    try:
        write(
            index.connection,
            [
                Action(at, moment, None)
                for r in records
                for moment in r.moments
                for at in (index.target, index.previews)
            ],
        )
    except StoreUnusable:
        return  # the caller hears why writing failed; the same write made again replaces what is left


def distinct(moments: Sequence[Moment]) -> None:
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


def _said_of(moments: Sequence[StoredMoment], done: Done) -> Iterable[str]:
    """The moments of other passes that an enricher has said something of."""
    for held in moments:
        if held.maker != done.enricher and (
            done.enricher in (*held.vectors.values(), *held.labels) or set(done.fields) & held.moment.fields.keys()
        ):
            yield held.moment.id
