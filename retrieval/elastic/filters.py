"""Filters as conditions of a search among moments."""

from __future__ import annotations

from typing import Any

from crossmedia.retrieval.elastic.tokens import APART, HIGHEST, label_prefix, nth, scored
from crossmedia.retrieval.query import Filters, LabelFilter

Condition = dict[str, Any]


def conditions(filters: Filters) -> list[Condition]:
    """All of them have to be met."""
    found: list[Condition] = []
    for name, wanted in (("media", filters.media), ("kind", filters.kinds), ("asset", filters.assets)):
        if wanted:
            found.append({"terms": {name: list(wanted)}})
    if filters.excluded_assets:
        found.append({"bool": {"must_not": [{"terms": {"asset": list(filters.excluded_assets)}}]}})
    if filters.journal is not None:
        found.append({"bool": {"must_not": [{"term": {"blocked": filters.journal}}]}})
    if filters.path is not None and filters.collection is not None:
        # One source has to meet both.
        found.append(_glob("places", _literal(filters.collection + APART) + _wildcard(filters.path)))
    elif filters.path is not None:
        found.append(_glob("paths", _wildcard(filters.path)))
    elif filters.collection is not None:
        found.append({"term": {"collections": filters.collection}})
    captured = {bound: date for bound, date in (("gte", filters.after), ("lt", filters.before)) if date is not None}
    if captured:
        found.append({"range": {"captured": captured}})
    found.extend(label(wanted) for wanted in filters.labels)
    if filters.start is not None:
        found.append({"range": {"end": {"gt": filters.start}}})
    if filters.end is not None:
        found.append({"range": {"start": {"lt": filters.end}}})
    return found


def by_asset(filters: Filters) -> bool:
    """Whether an asset's own document tells if it meets them."""
    return not (filters.kinds or filters.labels or filters.start is not None or filters.end is not None)


def label(wanted: LabelFilter) -> Condition:
    # An empty value stands for the best of the kind (`tokens.label_tokens`).
    prefix = label_prefix(wanted.kind, wanted.value or "") + nth(wanted.min_count)
    met: Condition = {"range": {"labels": {"gte": prefix + scored(wanted.min_score), "lte": prefix + HIGHEST}}}
    return {"bool": {"must_not": [met]}} if wanted.negate else met


def _glob(field: str, pattern: str) -> Condition:
    return {"wildcard": {field: {"value": pattern}}}


def _literal(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\*?" else c for c in text)


def _wildcard(path: str) -> str:
    """The pattern of a path filter: a prefix unless it holds a wildcard (`query.path_pattern`)."""
    pattern = path.replace("\\", "\\\\")
    return pattern if any(c in path for c in "*?") else pattern + "*"
