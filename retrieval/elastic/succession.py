"""Vectors made anew without a pause: a copy of the index is changed while the index is searched, then takes its place.

What is written to the index meanwhile is copied again in the end, with writing held up for the moment in which both are
compared and the alias is moved. The index that was replaced stays, closed to writers, for as long as somebody may still
have something on its way to it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crossmedia.embeddings.chunks import chunks
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.docs import Doc, asset_key, completed, listing, to_record
from crossmedia.retrieval.elastic.index import Index, among
from crossmedia.retrieval.store import StoreUnusable

KEEP_SECONDS: Final = 600
ORDER: Final = [{"_doc": "asc"}]
AT_ONCE: Final = 500
"""Documents read and written at a time: their vectors are in memory."""


def _next_name(index: Index) -> str:
    """The index that comes after the one behind the alias."""
    current = index.behind()
    numbered = re.fullmatch(r"(.*)-(\d{6})", current)
    if numbered is None:
        raise StoreUnusable(
            f"{current} is not named as Crossmedia names its indexes", "export it and import it into another"
        )
    return f"{numbered[1]}-{int(numbered[2]) + 1:06d}"


def fill(current: Index, successor: Index) -> None:
    """Bring everything over, the spaces last: a copy without them is not whole, and is gone on with."""
    for some in _batches(current.every({"bool": {"must_not": [{"term": {"type": "spaces"}}]}}, ORDER, True)):
        _copy(current, successor, some)
    for some in _batches(current.every(among(type="spaces"), ORDER, True)):
        _copy(current, successor, some)
    successor.refresh()


def succeed(current: Index, successor: Index) -> list[str]:
    """Put the successor in place, or bring it what came meanwhile: these assets have to be made anew in it then."""
    while True:
        changed, gone = _late(current, successor)
        if not changed and not gone:
            _hold_up(current, True)
            changed, gone = _late(current, successor)
            if not changed and not gone:
                _take_place(current, successor)
                return []
            _hold_up(current, False)
        _catch_up(current, successor, changed, gone)
        if changed:
            return changed


def go_on(current: Index) -> str:
    """The name of the successor. An earlier attempt may have died while it held writers up."""
    current.aim("")
    _hold_up(current, False)
    return _next_name(current)


def _late(current: Index, successor: Index) -> tuple[list[str], list[str]]:
    """Assets that are not in the successor as they are here, and those that are here no more."""
    here = _assets(current, "changed")
    there = _assets(successor, "held.copied")
    return [asset for asset, changed in here.items() if there.get(asset) != changed], [
        a for a in there if a not in here
    ]


def _catch_up(current: Index, successor: Index, assets: Sequence[str], gone: Sequence[str]) -> None:
    """Put these in the successor as they are here, and take away those that are gone."""
    for some in chunks([*assets, *gone], AT_ONCE):
        stale = successor.every(among(asset=some), ORDER, ["type"])
        removed = [Action(successor.target, hit["_id"], None) for hit in stale]
        write(successor.connection, removed)
        successor.wrote()
    for some in chunks(assets, AT_ONCE):
        for hits in _batches(current.every(among(asset=some), ORDER, True)):
            _copy(current, successor, hits)
    successor.refresh()


def _hold_up(index: Index, held: bool) -> None:
    """Let nobody write, or let them again."""
    index.connection.ask(index.client.indices.put_settings, index=index.target, settings={"index.blocks.write": held})


def _take_place(current: Index, successor: Index) -> None:
    """Move the alias, in one step; the index that it leaves remembers when."""
    successor.refresh()
    old, new = current.behind(), successor.behind()
    actions: list[Mapping[str, Any]] = [
        {"remove": {"index": old, "alias": current.name}},
        {"remove": {"index": old, "alias": current.target}},
        {"add": {"index": new, "alias": current.name}},
    ]
    meta = {**current.meta(), "retired": time.time()}
    current.connection.ask(current.client.indices.put_mapping, index=old, meta=meta)
    current.connection.ask(current.client.indices.update_aliases, actions=actions)
    current.aim(new)


def tidy(index: Index) -> None:
    """Remove indexes that were replaced some time ago."""
    for name, about in index.connection.ask(index.client.indices.get, index=f"{index.name}-0*").items():
        retired = about["mappings"].get("_meta", {}).get("retired")
        if not about["aliases"] and retired is not None and time.time() - retired > KEEP_SECONDS:
            index.connection.ask(index.client.indices.delete, index=name, ignore_unavailable=True)


def _copy(current: Index, successor: Index, hits: Sequence[Mapping[str, Any]]) -> None:
    fields: dict[str, int] = {}
    actions: list[Action] = []
    unlisted = {hit["_source"]["asset"] for hit in hits if _is_unlisted(hit["_source"])}
    records = current.get([asset_key(asset) for asset in sorted(unlisted)])
    listed = {doc["asset"]: listing(to_record(doc, None)) for doc in records.values()}
    _, ours = successor.analyser()
    for hit in hits:
        doc: Doc = completed(hit["_source"], ours)
        if _is_unlisted(doc):
            doc = {**doc, **listed.get(doc["asset"], {})}
        if doc["type"] == "asset":
            doc = {**doc, "held": {**doc["held"], "copied": doc["changed"]}}
        fields |= {name: len(vector) for name, vector in doc.get("vector", {}).items()}
        actions.append(Action(successor.target, hit["_id"], doc))
    successor.provide(fields)
    write(successor.connection, actions)
    successor.wrote()


def _is_unlisted(doc: Doc) -> bool:
    """Whether it was written before assets were listed by name."""
    return doc["type"] in ("asset", "moment") and "name" not in doc


def _assets(index: Index, field: str) -> dict[str, int]:
    found = {}
    for hit in index.every(among(type="asset"), ORDER, ["asset", field]):
        value: Any = hit["_source"]
        for part in field.split("."):
            value = value.get(part) if value else None
        found[hit["_source"]["asset"]] = value
    return found


def _batches(hits: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    for hit in hits:
        some.append(hit)
        if len(some) >= AT_ONCE:
            yield some
            some = []
    if some:
        yield some
