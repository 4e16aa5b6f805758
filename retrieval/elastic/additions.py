"""What is added to assets that are there: by enrichers, by a reindex, by people who name somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from crossmedia.retrieval.documents import REVISION, Enrichment, Revision
from crossmedia.retrieval.elastic import changes, docs
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.tokens import label_prefix
from crossmedia.retrieval.elastic.whole import distinct
from crossmedia.retrieval.elastic.writer import Writer
from crossmedia.retrieval.holding import Done, made_by


def enrich(writer: Writer, enrichment: Enrichment) -> None:
    distinct(enrichment.moments)
    writer.again(lambda: _enrich(writer, enrichment))


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


def _enrich(writer: Writer, enrichment: Enrichment) -> None:
    record = writer.records([enrichment.asset]).get(enrichment.asset)
    if record is None:
        return
    maker, index = enrichment.enricher, writer.index
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
    new = [made_by(moment, maker) for moment in enrichment.moments]
    record.moments = {moment: by for moment, by in record.moments.items() if by != maker}
    record.moments |= {each.moment.id: maker for each in new}
    record.done[maker] = Done(maker, enrichment.model, enrichment.error, tuple(sorted(fields)))
    record.patched[maker] = tuple(patched)
    writer.provide([*(each.moment for each in new), *(each.moment for each in held.values())])
    expected = {key: version for key, (_, version) in versions.items()}
    writer.do([*writer.moments(record, new), *writer.moments(record, list(held.values()), expected)])
    writer.do([writer.manifest(record)])
    gone = [moment for moment in own if moment not in record.moments]
    writer.do([Action(at, moment, None) for moment in gone for at in (index.target, index.previews)])


def _revise(writer: Writer, revision: Revision) -> None:
    record = writer.records([revision.asset]).get(revision.asset)
    if record is None:
        return
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
