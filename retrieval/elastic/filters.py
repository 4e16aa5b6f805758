"""Filters as conditions of a search among moments."""

from __future__ import annotations

from typing import Any

from retrieval.elastic.docs import APART, HIGHEST, folded, scored
from retrieval.query import Filters, LabelFilter

Condition = dict[str, Any]


def conditions(filters: Filters) -> list[Condition]:
    """All of them have to be met."""
    found: list[Condition] = []
    for name, wanted in (("media", filters.media), ("kind", filters.kinds), ("asset", filters.assets)):
        if wanted:
            found.append({"terms": {name: list(wanted)}})
    if filters.besides:
        found.append({"bool": {"must_not": [{"terms": {"asset": list(filters.besides)}}]}})
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
    found.extend(_label(label) for label in filters.labels)
    if filters.start is not None:
        found.append({"range": {"end": {"gt": filters.start}}})
    if filters.end is not None:
        found.append({"range": {"start": {"lt": filters.end}}})
    return found


def by_asset(filters: Filters) -> bool:
    """Whether an asset's own document tells if it meets them."""
    return not (filters.kinds or filters.labels or filters.start is not None or filters.end is not None)


def label_prefix(kind: str, value: str) -> str:
    return f"{kind}{APART}{folded(value)}{APART}"


def _label(label: LabelFilter) -> Condition:
    # An empty value stands for the best of the kind (`docs.label_tokens`).
    prefix = label_prefix(label.kind, label.value or "")
    return {"range": {"labels": {"gte": prefix + scored(label.min_score), "lte": prefix + HIGHEST}}}


def _glob(field: str, pattern: str) -> Condition:
    return {"wildcard": {field: {"value": pattern}}}


def _literal(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\*?" else c for c in text)


def _wildcard(path: str) -> str:
    """The pattern of a path filter: a prefix unless it holds a wildcard (`query.path_pattern`)."""
    pattern = path.replace("\\", "\\\\")
    return pattern if any(c in path for c in "*?") else pattern + "*"
