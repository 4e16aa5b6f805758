"""What is added to assets that are there: by enrichers, by a reindex, by people who name somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from crossmedia.retrieval import changes
from crossmedia.retrieval.documents import REVISION, Enrichment, Revision
from crossmedia.retrieval.elastic import docs
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.docs import Record
from crossmedia.retrieval.elastic.tokens import label_prefix
from crossmedia.retrieval.elastic.whole import distinct
from crossmedia.retrieval.elastic.writer import Writer
from crossmedia.retrieval.stored_asset import Done, StoredMoment, made_by


def enrich(writer: Writer, enrichments: Sequence[Enrichment]) -> None:
    """In as few requests as there can be, however many they are; each asset's are whole or not there."""
    for enrichment in enrichments:
        distinct(enrichment.moments)
    writer.again(lambda: _enrich(writer, enrichments))


def revise(writer: Writer, revisions: Sequence[Revision]) -> None:
    for revision in revisions:
        for vectors in revision.vectors.values():
            changes.floats(vectors)  # what is none has to show before anything is written
    for revision in revisions:
        writer.again(partial(_revise, writer, revision))


def relabel(writer: Writer, kind: str, value: str, to: str) -> int:
    """Until a search finds no more: others may be writing."""
    changed = 0
    query = {"bool": {"filter": [{"term": {"type": "moment"}}, {"prefix": {"labels": label_prefix(kind, value)}}]}}
    while True:
        before = changed
        for page in writer.index.pages(query, [{"added": "asc"}, {"number": "asc"}], ["asset"]):
            changed += _relabel(writer, [(hit["_id"], hit["_source"]["asset"]) for hit in page], kind, value, to)
        if changed == before or value.casefold() == to.casefold():
            return changed


def _enrich(writer: Writer, enrichments: Sequence[Enrichment]) -> None:
    index = writer.index
    records = writer.records(list(dict.fromkeys(enrichment.asset for enrichment in enrichments)))
    own = {asset: list(record.moments) for asset, record in records.items()}
    touched = {patch.moment for enrichment in enrichments for patch in enrichment.patches}
    for enrichment in enrichments:
        if enrichment.asset in records:
            touched |= set(records[enrichment.asset].patched.get(enrichment.enricher, ()))
    versions = index.versioned([moment for moments in own.values() for moment in moments if moment in touched])
    held = {key: docs.to_held(key, doc) for key, (doc, _) in versions.items()}
    changed: dict[str, None] = {}
    for enrichment in enrichments:
        if enrichment.asset in records:
            changed |= dict.fromkeys(_added(records[enrichment.asset], held, enrichment))
    whole = {asset: [held[key] for key in record.moments if key in changed] for asset, record in records.items()}
    expected = {key: version for key, (_, version) in versions.items() if key in held and key not in _new(enrichments)}
    writer.provide(each.moment for moments in whole.values() for each in moments)
    writer.do([a for asset, record in records.items() for a in writer.moments(record, whole[asset], expected)])
    writer.do([writer.manifest(record) for record in records.values()])
    gone = [moment for asset, record in records.items() for moment in own[asset] if moment not in record.moments]
    writer.do([Action(at, moment, None) for moment in gone for at in (index.target, index.previews)])


def _added(record: Record, held: dict[str, StoredMoment], enrichment: Enrichment) -> list[str]:
    """Put an enricher's result in place of what it said before, in an asset's record and in moments by id; returns
    the moments that are others now."""
    maker = enrichment.enricher
    said = record.done.get(maker)
    for moment in [moment for moment, by in record.moments.items() if by == maker]:
        del record.moments[moment]
        held.pop(moment, None)
    targets = {*record.patched.get(maker, ()), *(patch.moment for patch in enrichment.patches)}
    changed = [moment for moment in record.moments if moment in targets and moment in held]
    for key in changed:
        held[key] = changes.retracted(held[key], maker, said.fields if said else ())
    patched: dict[str, None] = {}
    fields: set[str] = set()
    for patch in enrichment.patches:
        if patch.moment in record.moments and patch.moment in held:
            held[patch.moment] = changes.patched(held[patch.moment], patch, maker, enrichment.replaces)
            patched[patch.moment] = None
            fields |= set(patch.fields)
    for new in enrichment.moments:
        held[new.id] = made_by(new, maker)
        record.moments[new.id] = maker
    record.done[maker] = Done(maker, enrichment.model, enrichment.error, tuple(sorted(fields)))
    record.patched[maker] = tuple(patched)
    return [*changed, *(moment.id for moment in enrichment.moments)]


def _new(enrichments: Sequence[Enrichment]) -> set[str]:
    """Moments that come whole, whatever was there before."""
    return {moment.id for enrichment in enrichments for moment in enrichment.moments}


def _revise(writer: Writer, revision: Revision) -> None:
    record = writer.records([revision.asset]).get(revision.asset)
    if record is None:
        return
    record.done = {maker: done for maker, done in record.done.items() if maker not in revision.undone}
    record.done[REVISION] = Done(REVISION, revision.model)
    writer.rewrite(record, lambda held: changes.revised(held, revision), {*revision.vectors, *revision.labels})


def _relabel(writer: Writer, moments: Sequence[tuple[str, str]], kind: str, value: str, to: str) -> int:
    records = writer.records(list(dict.fromkeys(asset for _, asset in moments)))
    versions = writer.index.versioned([key for key, asset in moments if asset in records])
    actions: list[Action] = []
    counts: dict[str, int] = {}
    for key, (doc, version) in versions.items():
        held, counts[key] = changes.relabelled(docs.to_held(key, doc), kind, value, to)
        if counts[key]:
            # Of the moment's own flags: its asset's may be about to change.
            record = replace(records[doc["asset"]], blocked=tuple(doc.get("blocked", ())))
            actions += writer.moments(record, [held], {key: version})
    refused = {action.id for action in write(writer.index.connection, actions)}
    writer.index.wrote()
    return sum(count for key, count in counts.items() if key not in refused)
