"""Listings of assets in an order, a page at a time.

Where assets' own documents tell what meets the filters, pages are read from those, each after the last one
(`search_after`). Otherwise they are read from moments, of which each asset shows its first; what comes before a page is
then left out by a condition, since the server goes on after a hit only where nothing is collapsed. First come the
assets that have what the order asks for, then those that have not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossmedia.retrieval.documents import PARTS, kind_of
from crossmedia.retrieval.elastic.docs import Doc
from crossmedia.retrieval.elastic.filters import by_asset, conditions
from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.order import By, Order, Position
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import Listed

FIELDS: Final[Mapping[By, tuple[str, str]]] = {
    "date": ("captured", "keyword"),
    "name": ("name", "keyword"),
    "length": ("seconds", "double"),
    "size": ("size", "long"),
}
"""The field that each order sorts by, and its type, for an index that does not have it yet."""
AT_ONCE: Final = 1_000
"""Hits of one request."""


def browse(index: Index, filters: Filters, order: Order, limit: int, after: Position | None) -> list[Listed]:
    index.refresh()
    read = _of_assets if by_asset(filters) else _of_moments
    listed: list[Listed] = []
    if after is None or after.value is not None:
        listed = read(index, filters, order, limit, after, valued=True)
        after = None
    if len(listed) < limit:
        listed += read(index, filters, order, limit - len(listed), after, valued=False)
    return listed


def _of_assets(
    index: Index, filters: Filters, order: Order, limit: int, after: Position | None, valued: bool
) -> list[Listed]:
    listed: list[Listed] = []
    last = None if after is None else [after.value, after.asset] if valued else [after.asset]
    while len(listed) < limit:
        size = min(limit - len(listed), AT_ONCE)
        options = {"search_after": last} if last else {}
        answer = index.search(
            size=size,
            query={"bool": {"filter": [{"term": {"type": "asset"}}, *conditions(filters), _has(order, valued)]}},
            sort=_sort(order, valued),
            source=["asset", "held.moments"],
            track_total_hits=False,
            **options,
        )
        hits = answer["hits"]["hits"]
        for hit in hits:
            if first := _first(hit["_source"]):
                listed.append(Listed(first, hit["sort"][0] if valued else None))
        if len(hits) < size:
            break
        last = hits[-1]["sort"]
    return listed


def _first(doc: Doc) -> str | None:
    """The first moment of an asset that lies in no other."""
    moments = (f"{doc['asset']}-{suffix}" for suffix, _ in doc["held"]["moments"])
    return next((moment for moment in moments if kind_of(moment) not in PARTS), None)


def _of_moments(
    index: Index, filters: Filters, order: Order, limit: int, after: Position | None, valued: bool
) -> list[Listed]:
    parts = [] if filters.kinds else [{"terms": {"kind": sorted(PARTS)}}]
    listed: list[Listed] = []
    while len(listed) < limit:
        size = min(limit - len(listed), AT_ONCE)
        beyond = [] if after is None else [_beyond(after, order, valued)]
        clauses = [{"term": {"type": "moment"}}, *conditions(filters), _has(order, valued), *beyond]
        answer = index.search(
            size=size,
            query={"bool": {"filter": clauses, "must_not": parts}},
            sort=[*_sort(order, valued), {"number": "asc"}],
            collapse={"field": "asset"},
            source=False,
            track_total_hits=False,
        )
        hits = answer["hits"]["hits"]
        listed += [Listed(hit["_id"], hit["sort"][0] if valued else None) for hit in hits]
        if len(hits) < size:
            break
        after = listed[-1].position
    return listed


def _has(order: Order, valued: bool) -> Doc:
    known: Doc = {"exists": {"field": FIELDS[order.by][0]}}
    return known if valued else {"bool": {"must_not": [known]}}


def _sort(order: Order, valued: bool) -> list[Doc]:
    way = "desc" if order.descending else "asc"
    field, kind = FIELDS[order.by]
    return [*([{field: {"order": way, "unmapped_type": kind}}] if valued else []), {"asset": way}]


def _beyond(after: Position, order: Order, valued: bool) -> Doc:
    bound = "lt" if order.descending else "gt"
    field = FIELDS[order.by][0]
    later = {"range": {"asset": {bound: after.asset}}}
    if not valued:
        return later
    same = {"bool": {"filter": [{"term": {field: after.value}}, later]}}
    return {"bool": {"should": [{"range": {field: {bound: after.value}}}, same], "minimum_should_match": 1}}
