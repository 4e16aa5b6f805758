"""Labels as nested documents and as keywords (`retrieval.elastic.tokens.label_tokens`), under the same filter in the
same run.

python -m crossmedia.eval.bench.labels http://HOST:9200 [MOMENTS]
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from elasticsearch import Elasticsearch, OrjsonSerializer, helpers

from crossmedia.embeddings.encoder import normalise
from crossmedia.eval.bench.common import BenchRow, measure_seconds, percentiles, show
from crossmedia.retrieval.documents import Label
from crossmedia.retrieval.elastic.filters import conditions
from crossmedia.retrieval.elastic.tokens import label_tokens
from crossmedia.retrieval.query import Filters, LabelFilter

DIM: Final = 384
VALUES: Final = tuple(f"thing{n}" for n in range(80))
OF_EACH: Final = 5
QUERIES: Final = 60
FETCHED: Final = 135
"""As a search for ten hits fetches."""

Made = tuple[dict[str, Any], Callable[[list[Label]], Any], Callable[[LabelFilter], dict[str, Any]]]


def main(url: str, count: int) -> None:
    rng = np.random.default_rng(3)
    rows = normalise(rng.standard_normal((count, DIM), dtype=np.float32))
    labels = [
        [Label("object", str(value), float(score), "m") for value, score in zip(v, s, strict=True)]
        for v, s in zip(rng.choice(VALUES, (count, OF_EACH)), rng.random((count, OF_EACH)), strict=True)
    ]
    nested_fields = {"kind": {"type": "keyword"}, "value": {"type": "keyword"}, "score": {"type": "double"}}
    ways: dict[str, Made] = {
        "nested": ({"type": "nested", "properties": nested_fields}, _rows, _to_nested),
        "keywords": ({"type": "keyword"}, label_tokens, lambda label: conditions(Filters(labels=(label,)))[0]),
    }
    with Elasticsearch(url, serializer=OrjsonSerializer(), request_timeout=120) as client:
        indexes = {name: f"labels-{uuid.uuid4().hex[:8]}" for name in ways}
        try:
            rates = {name: _fill(client, indexes[name], way, rows, labels) for name, way in ways.items()}
            times = _ask(client, indexes, ways)
        finally:
            for index in indexes.values():
                client.indices.delete(index=index, ignore_unavailable=True)
    table = [
        BenchRow(what, f"{per['keywords']:.1f} ms", f"nested {per['nested']:.1f} ms", per["keywords"] / per["nested"])
        for what, per in times.items()
    ]
    filling = BenchRow(
        "filling",
        f"{rates['keywords']:,.0f}/s",
        f"nested {rates['nested']:,.0f}/s",
        rates["keywords"] / rates["nested"],
    )
    show(f"{OF_EACH} labels on each of {count:,} moments: keywords beside nested documents", [*table, filling])


def _fill(client: Elasticsearch, index: str, way: Made, rows: np.ndarray[Any, Any], labels: list[list[Label]]) -> float:
    """Moments a second; in one segment afterwards, so that both are searched alike."""
    mapping, written, _ = way
    vector = {"type": "dense_vector", "dims": DIM, "similarity": "dot_product", "index_options": {"type": "int8_hnsw"}}
    client.indices.create(
        index=index, settings={"number_of_replicas": 0}, mappings={"properties": {"vector": vector, "labels": mapping}}
    )
    actions = (
        {"_index": index, "vector": row, "labels": written(some)} for row, some in zip(rows, labels, strict=True)
    )
    with measure_seconds() as filling:
        helpers.bulk(client, actions)
    client.indices.forcemerge(index=index, max_num_segments=1)
    client.indices.refresh(index=index)
    return len(rows) / filling[0]


def _ask(client: Elasticsearch, indexes: dict[str, str], ways: dict[str, Made]) -> dict[str, dict[str, float]]:
    """The median of each search on both, asked in turns: what else the machine does slows both."""
    rng = np.random.default_rng(4)
    times: dict[str, dict[str, list[float]]] = {}
    for number in range(QUERIES):
        query = normalise(rng.standard_normal(DIM).astype(np.float32))
        knn = {"field": "vector", "query_vector": query, "k": FETCHED, "num_candidates": 2 * FETCHED}
        for name, (_, _, asked) in ways.items():
            label = asked(LabelFilter("object", VALUES[number % len(VALUES)], 0.5))
            bodies: dict[str, dict[str, Any]] = {
                "kNN under a label": {"knn": {**knn, "filter": [label]}},
                "kNN without one": {"knn": knn},
                "the label alone": {"query": {"bool": {"filter": [label]}}},
            }
            for what, body in bodies.items():
                with measure_seconds() as took:
                    client.search(index=indexes[name], size=FETCHED, source=False, request_cache=False, **body)
                times.setdefault(what, {}).setdefault(name, []).append(took[0])
    return {what: {name: percentiles(each)[0] for name, each in per.items()} for what, per in times.items()}


def _rows(labels: list[Label]) -> list[dict[str, Any]]:
    return [{"kind": label.kind, "value": label.value, "score": label.score} for label in labels]


def _to_nested(label: LabelFilter) -> dict[str, Any]:
    clauses = [
        {"term": {"labels.kind": label.kind}},
        {"term": {"labels.value": label.value}},
        {"range": {"labels.score": {"gte": label.min_score}}},
    ]
    return {"nested": {"path": "labels", "query": {"bool": {"filter": clauses}}}}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
