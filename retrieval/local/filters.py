"""Filters as SQL conditions over `moment m JOIN asset a`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossmedia.retrieval.query import Filters, path_pattern


def conditions(filters: Filters) -> tuple[str, list[Any]]:
    """A conjunction (or '' where nothing is restricted) and its parameters."""
    clauses: list[str] = []
    values: list[Any] = []

    def among(column: str, wanted: Sequence[str]) -> None:
        if wanted:
            clauses.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)

    among("a.media", filters.media)
    among("m.kind", filters.kinds)
    among("a.hash", filters.assets)
    if filters.excluded_assets:
        clauses.append(f"a.hash NOT IN ({', '.join('?' * len(filters.excluded_assets))})")
        values.extend(filters.excluded_assets)
    if filters.journal is not None:
        clauses.append("NOT EXISTS (SELECT 1 FROM blocked b WHERE b.journal = ? AND b.asset = a.hash)")
        values.append(filters.journal)
    if filters.collection is not None or filters.path is not None:
        inner = ["s.asset = a.id"]
        if filters.collection is not None:
            inner.append("s.collection = ?")
            values.append(filters.collection)
        if filters.path is not None:
            inner.append("s.path GLOB ?")
            values.append(path_pattern(filters.path))
        clauses.append(f"EXISTS (SELECT 1 FROM source s WHERE {' AND '.join(inner)})")
    for comparison, date in ((">=", filters.after), ("<", filters.before)):
        if date is not None:
            clauses.append(f"a.captured {comparison} ?")
            values.append(date)
    for label in filters.labels:
        value = "" if label.value is None else "AND l.value = ?"
        several = "" if label.min_count == 1 else f"GROUP BY l.moment HAVING count(*) >= {int(label.min_count)}"
        borne = "NOT IN" if label.negate else "IN"
        clauses.append(
            f"m.id {borne} (SELECT l.moment FROM label l WHERE l.kind = ? {value} AND l.score >= ? {several})"
        )
        values.extend([label.kind, *([] if label.value is None else [label.value]), label.min_score])
    if filters.start is not None:
        clauses.append('m."end" > ?')
        values.append(filters.start)
    if filters.end is not None:
        clauses.append("m.start < ?")
        values.append(filters.end)
    return " AND ".join(clauses), values
