"""What is read beside searches: listings, counts, samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np

from crossmedia.embeddings.encoder import Modality, Vectors
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.documents import Asset, Source
from crossmedia.retrieval.elastic.docs import Doc, to_asset, unpack
from crossmedia.retrieval.elastic.filters import by_asset, conditions
from crossmedia.retrieval.elastic.index import PAGE, Index, among
from crossmedia.retrieval.elastic.tokens import APART
from crossmedia.retrieval.health import Statistics
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import Located

WINDOW: Final = 10_000
"""Hits that the server sorts at once."""
BY_ARRIVAL: Final = [{"added": "asc"}, {"asset": "asc"}]
VALUES: Final = 10_000
SEED: Final = 7


def asset_ids(index: Index) -> Iterator[str]:
    """By arrival; a snapshot of a page is held no longer than the page is read."""
    after: list[Any] | None = None
    while True:
        index.refresh()
        options: Doc = {"search_after": after} if after else {}
        answer = index.search(
            size=PAGE,
            query=among(type="asset"),
            sort=BY_ARRIVAL,
            source=False,
            **options,
        )
        hits = answer["hits"]["hits"]
        yield from (hit["sort"][1] for hit in hits)
        if len(hits) < PAGE:
            return
        after = hits[-1]["sort"]


def pending(index: Index, enricher: str, model: str, media: Sequence[Medium]) -> list[str]:
    query = {
        "bool": {
            "filter": [{"term": {"type": "asset"}}, {"terms": {"media": list(media)}}],
            "must_not": [{"term": {"seen": f"{enricher}{APART}{model}"}}],
        }
    }
    return [hit["_source"]["asset"] for hit in index.every(query, BY_ARRIVAL, ["asset"])]


def located(index: Index, collection: str | None, below: Sequence[str]) -> list[Located]:
    clauses: list[Doc] = [{"term": {"type": "source"}}]
    if collection is not None:
        clauses.append({"term": {"collections": collection}})
    if below:
        named = [{"term": {"location": folder}} for folder in below]
        inside = [{"prefix": {"location": folder.rstrip("/") + "/"}} for folder in below]
        clauses.append({"bool": {"should": [*named, *inside], "minimum_should_match": 1}})
    hits = index.every({"bool": {"filter": clauses}}, [{"paths": "asc"}], ["asset", "held.source"])
    return [to_located(hit["_source"]) for hit in hits]


def to_located(doc: Doc) -> Located:
    return Located(doc["asset"], Source(*doc["held"]["source"]))


def assets(index: Index, filters: Filters, limit: int, offset: int) -> list[Asset]:
    """In the order in which they came."""
    if by_asset(filters):
        query = {"bool": {"filter": [{"term": {"type": "asset"}}, *conditions(filters)]}}
        found = [
            hit["_source"]
            for hit in _slice(index, query, limit, offset, ["asset", "media", "size", "captured", "held"])
        ]
        return [to_asset(doc) for doc in found]
    query = {"bool": {"filter": [{"term": {"type": "moment"}}, *conditions(filters)]}}
    ids: dict[str, None] = {}
    for hit in index.every(query, BY_ARRIVAL, ["asset"]):
        ids[hit["_source"]["asset"]] = None
        if len(ids) >= offset + limit:
            break
    docs = index.get([f"asset:{asset}" for asset in list(ids)[offset : offset + limit]])
    return [to_asset(doc) for doc in docs.values()]


def meeting(index: Index, moments: Sequence[str], filters: Filters) -> set[str]:
    index.refresh()
    found: set[str] = set()
    for first in range(0, len(moments), WINDOW):
        some = list(moments[first : first + WINDOW])
        clauses = [{"ids": {"values": some}}, *conditions(filters)]
        answer = index.search(size=len(some), query={"bool": {"filter": clauses}}, source=False)
        found.update(hit["_id"] for hit in answer["hits"]["hits"])
    return found


def find(index: Index, prefix: str) -> list[str]:
    index.refresh()
    query = {"bool": {"filter": [{"term": {"type": "asset"}}, {"prefix": {"asset": prefix}}]}}
    answer = index.search(size=10, query=query, sort=[{"asset": "asc"}], source=["asset"])
    return [hit["_source"]["asset"] for hit in answer["hits"]["hits"]]


def sample(index: Index, space: str, modality: Modality, count: int) -> Vectors:
    """Evenly over the order of arrival; of more vectors than the server sorts at once, drawn at random."""
    query = among(type="moment", spaces=f"{space}/{modality}")
    total = index.totals(query, {})["total"]
    order = [*BY_ARRIVAL, {"number": "asc"}]
    packed = f"held.packed.{space}"
    if total <= WINDOW:
        answer = index.search(size=WINDOW, query=query, sort=order, source=False)
        ids = [hit["_id"] for hit in answer["hits"]["hits"]]
        chosen = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
        docs = list(index.get([ids[n] for n in chosen], only=[packed]).values())
    else:
        drawn = {
            "function_score": {
                "query": query,
                "random_score": {"seed": SEED, "field": "_seq_no"},
                "boost_mode": "replace",
            }
        }
        answer = index.search(size=min(count, WINDOW), query=drawn, source=[packed])
        docs = [hit["_source"] for hit in answer["hits"]["hits"]]
    rows = [unpack(doc["held"]["packed"][space]) for doc in docs]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def counted(index: Index) -> dict[tuple[str, Modality], int]:
    found = index.totals(among(type="moment"), {"spaces": {"terms": {"field": "spaces", "size": VALUES}}})
    return {
        cast(tuple[str, Modality], tuple(bucket["key"].split("/"))): bucket["doc_count"]
        for bucket in found["spaces"]["buckets"]
    }


def statistics(index: Index) -> Statistics:
    """Counts without hits, which each shard keeps until something is written: asked again they cost next to nothing."""

    def terms(field: str) -> Doc:
        return {"terms": {"field": field, "size": VALUES}}

    of_assets = index.totals(
        among(type="asset"),
        {"media": terms("media"), "outcomes": terms("outcomes"), "bytes": {"sum": {"field": "size"}}},
    )
    of_moments = index.totals(among(type="moment"), {"kinds": terms("kind"), "spaces": terms("spaces")})
    enrichments: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for outcome, count in _buckets(of_assets, "outcomes"):
        enricher, how = outcome.split(APART)
        enrichments[enricher][how] = count
    return Statistics(
        assets=dict(sorted(_buckets(of_assets, "media"))),
        moments=dict(sorted(_buckets(of_moments, "kinds"))),
        vectors=dict(sorted(_buckets(of_moments, "spaces"))),
        sources=index.totals(among(type="source"), {})["total"],
        bytes=round(of_assets["bytes"]["value"]),
        enrichments=dict(enrichments),
    )


def size(index: Index) -> int:
    """Bytes on disk, previews included, without copies."""
    names = [index.name, index.previews]
    answer = index.connection.ask(index.client.indices.stats, index=names, metric=["store"])
    return int(answer["_all"]["primaries"]["store"]["size_in_bytes"])


def wrong(index: Index) -> list[str]:
    """Counts that have to agree: each manifest's with what is there."""
    of_assets = index.totals(among(type="asset"), {"count": {"sum": {"field": "count"}}})
    moments = index.totals(among(type="moment"), {})["total"]
    sources = index.totals(
        among(type="source"), {"assets": {"cardinality": {"field": "asset", "precision_threshold": 40_000}}}
    )
    found = []
    if (told := round(of_assets["count"]["value"])) != moments:
        found.append(f"{moments} moments are there, the assets tell of {told}: index the same folders again")
    few = of_assets["total"] <= 30_000  # beyond, the server's count of distinct values is an estimate
    if few and sources["assets"]["value"] != of_assets["total"]:
        found.append(f"{of_assets['total']} assets are there, sources tell of {sources['assets']['value']}")
    return found


def _buckets(found: Mapping[str, Any], name: str) -> list[tuple[str, int]]:
    return [(bucket["key"], bucket["doc_count"]) for bucket in found[name]["buckets"]]


def _slice(index: Index, query: Doc, limit: int, offset: int, source: Sequence[str]) -> Iterator[dict[str, Any]]:
    """`limit` hits after the first `offset`, by arrival."""
    if offset + limit <= WINDOW:
        index.refresh()
        answer = index.search(
            size=limit,
            from_=offset,
            query=query,
            sort=BY_ARRIVAL,
            source=list(source),
        )
        yield from answer["hits"]["hits"]
        return
    for number, hit in enumerate(index.every(query, BY_ARRIVAL, list(source))):
        if number >= offset + limit:
            return
        if number >= offset:
            yield hit
