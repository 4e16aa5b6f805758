"""Labels on the server: what a query names, and how often each stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crossmedia.retrieval.documents import Kind
from crossmedia.retrieval.elastic.docs import Doc
from crossmedia.retrieval.elastic.filters import conditions, label
from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.elastic.reads import BY_ARRIVAL
from crossmedia.retrieval.elastic.tokens import APART, folded
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery, best_named, by_value
from crossmedia.retrieval.query import FacetCount, LabelFilter

VALUES: Final = 10_000
"""Values of labels that are counted at once, the most frequent first."""
STEPS: Final = (0.5, 0.7, 0.8, 0.9)
"""Scores that labels are told apart by on the server; those it gives are ranked by their own."""
SURER: Final = 0.01
"""What such a step is worth beside a further label."""
SPARE: Final = 2


def query(named: LabelQuery) -> Doc:
    """The search for what bears most of the values, those of sure labels first."""
    wanted = []
    for value, count in named.values.items():
        for kind in named.kinds:
            wanted += [(label(LabelFilter(kind, value, min_count=n + 1)), 1.0) for n in range(count)]
            wanted += [(label(LabelFilter(kind, value, min_score=step)), SURER) for step in STEPS]
    should = [{"constant_score": {"filter": clause, "boost": boost}} for clause, boost in wanted]
    return {
        "query": {"bool": {"should": should, "minimum_should_match": 1, "filter": conditions(named.filters)}},
        "size": SPARE * named.k,
        "_source": ["held.labels"],
        "track_total_hits": False,
    }


def matches(hits: Sequence[Mapping[str, Any]], named: LabelQuery) -> list[LabelMatch]:
    found: dict[str, dict[tuple[str, str], list[float]]] = {}
    for hit in hits:
        for kind, value, score, *_ in hit["_source"]["held"]["labels"]:
            if kind in named.kinds and folded(value) in named.values:
                found.setdefault(hit["_id"], {}).setdefault((kind, folded(value)), []).append(score)
    return best_named({moment: by_value(scores) for moment, scores in found.items()}, named.values, named.k)


def count_facets(index: Index, kinds: Sequence[str], among: Sequence[str] | None) -> list[FacetCount]:
    """What `Store.count_facets` promises; of more than `VALUES` values of a kind (of all, where none is named) the most
    frequent."""
    clauses: list[Doc] = [{"term": {"type": "moment"}}]
    if among is not None:
        clauses.append({"ids": {"values": list(among)}})
    counted: Doc = {"field": "tags", "size": VALUES}
    each = {"assets": {"cardinality": {"field": "asset"}}}
    asked = {
        str(n): {"terms": {**counted, "include": re.sub(r"(\W)", r"\\\1", kind) + APART + ".*"}, "aggs": each}
        for n, kind in enumerate(kinds)
    } or {"all": {"terms": counted, "aggs": each}}
    answer = index.totals({"bool": {"filter": clauses}}, asked)
    found = [
        FacetCount(kind, value, bucket["doc_count"], bucket["assets"]["value"])
        for name in asked
        for bucket in answer[name]["buckets"]
        for kind, value in [bucket["key"].split(APART, 1)]
    ]
    return sorted(found, key=lambda one: (one.kind, -one.moments, one.value))


def labelled(index: Index, kind: str, on: Kind | None) -> list[Labelled]:
    """Exact, which is why every moment with such a label is looked at."""
    clauses: list[Doc] = [{"term": {"type": "moment"}}, {"prefix": {"labels": kind + APART}}]
    if on is not None:
        clauses.append({"term": {"kind": on}})
    source = ["asset", "start", "end", "held.labels"]
    sums: dict[str, _Sum] = {}
    for hit in index.every({"bool": {"filter": clauses}}, [*BY_ARRIVAL, {"number": "asc"}], source):
        doc = hit["_source"]
        for one in doc["held"]["labels"]:
            if one[0] == kind:
                sums.setdefault(folded(one[1]), _Sum(one[1])).add(hit["_id"], doc, one)
    found = [one.labelled() for one in sums.values()]
    return sorted(found, key=lambda one: (-one.seconds, -one.moments, one.value))


class _Sum:
    def __init__(self, value: str) -> None:
        self.value = value
        self.moments: set[str] = set()
        self.assets: set[str] = set()
        self.seconds = 0.0
        self.best: tuple[float, str] | None = None

    def add(self, moment: str, doc: Doc, label: Sequence[Any]) -> None:
        start = doc["start"] if label[5] is None else label[5]
        end = doc["end"] if label[6] is None else label[6]
        lasts = None if start is None or end is None else end - start
        self.moments.add(moment)
        self.assets.add(doc["asset"])
        self.seconds += lasts or 0.0
        weight = label[2] if lasts is None else lasts
        if self.best is None or weight > self.best[0]:
            self.best = weight, moment

    def labelled(self) -> Labelled:
        assert self.best is not None
        return Labelled(self.value, len(self.moments), len(self.assets), self.seconds, self.best[1])
