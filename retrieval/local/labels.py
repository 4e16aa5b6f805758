"""Labels in SQL: what a query names, and how often each stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from crossmedia.retrieval.documents import Kind
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery, best_named, by_value
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.local.reads import batches, keys, marks
from crossmedia.retrieval.query import FacetCount, Filters

MAX_LABEL_ROWS: Final = 2_000
"""Labels of one kind and value that are looked at, best scores first; those on moments that bear something rarer are,
too."""

Scores = dict[int, dict[tuple[str, str], list[float]]]


def search_labels(connection: sqlite3.Connection, named: LabelQuery, filters: Filters) -> list[LabelMatch]:
    """What `Store.search_labels` promises. A label of a common value with a low score counts only beside a rarer
    one. `filters` stand for those of the query."""
    where, parameters = conditions(filters)
    # The joins run only where something is filtered.
    join = "JOIN moment m ON m.id = l.moment JOIN asset a ON a.id = m.asset" if where else ""
    passing = f"AND {where}" if where else ""
    found: Scores = {}
    common: list[tuple[str, str]] = []
    rare: set[int] = set()
    for kind in named.kinds:
        for value in named.values:
            rows = connection.execute(
                f"""SELECT l.moment, l.score FROM label l {join} WHERE l.kind = ? AND l.value = ? {passing}
                ORDER BY l.score DESC LIMIT {MAX_LABEL_ROWS}""",
                (kind, value, *parameters),
            ).fetchall()
            _add(found, kind, value, rows)
            if len(rows) == MAX_LABEL_ROWS:
                common.append((kind, value))
            else:
                rare.update(moment for moment, _ in rows)
    if common and rare:
        _complete(connection, found, common, rare)
    best = best_named({str(moment): by_value(scores) for moment, scores in found.items()}, named.values, named.k)
    names = keys(connection, [int(match.moment) for match in best])
    return [LabelMatch(names[int(match.moment)], match.scores) for match in best if int(match.moment) in names]


def _complete(
    connection: sqlite3.Connection, found: Scores, common: Sequence[tuple[str, str]], rare: Iterable[int]
) -> None:
    """Add the common values that moments with rarer ones bear."""
    for some in batches(sorted(rare)):
        for kind, value in common:
            rows = connection.execute(
                f"SELECT moment, score FROM label WHERE moment IN ({marks(some)}) AND kind = ? AND value = ?",
                (*some, kind, value),
            ).fetchall()
            for moment, _ in rows:
                found[moment].pop((kind, value), None)
            _add(found, kind, value, rows)


def _add(found: Scores, kind: str, value: str, rows: Iterable[tuple[int, float]]) -> None:
    for moment, score in rows:
        found.setdefault(moment, {}).setdefault((kind, value), []).append(score)


def count_facets(connection: sqlite3.Connection, kinds: Sequence[str], among: Sequence[str] | None) -> list[FacetCount]:
    """What `Store.count_facets` promises, exactly."""
    clauses = [f"l.kind IN ({marks(kinds)})"] if kinds else []
    if among is not None:
        # One parameter however many they are: a statement takes only so many.
        clauses.append("m.key IN (SELECT value FROM json_each(?))")
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    rows = connection.execute(
        f"""SELECT l.kind, l.value, count(DISTINCT m.id), count(DISTINCT m.asset)
        FROM label l JOIN moment m ON m.id = l.moment {where} GROUP BY l.kind, l.value ORDER BY 1, 3 DESC, 2""",
        [*kinds, *([] if among is None else [json.dumps(list(among))])],
    )
    return [FacetCount(*row) for row in rows]


def labelled(connection: sqlite3.Connection, kind: str, on: Kind | None) -> list[Labelled]:
    """What `Store.labelled` promises."""
    # Beside max(), SQLite takes the other columns from the row that holds the maximum.
    lasts = 'coalesce(l."end", m."end") - coalesce(l.start, m.start)'
    rows = connection.execute(
        f"""SELECT l.value, count(DISTINCT m.id), count(DISTINCT m.asset), coalesce(sum({lasts}), 0), m.key,
        max(coalesce({lasts}, l.score))
        FROM label l JOIN moment m ON m.id = l.moment WHERE l.kind = ? AND (? IS NULL OR m.kind = ?)
        GROUP BY l.value ORDER BY 4 DESC, 2 DESC, 1""",
        (kind, on, on),
    )
    return [Labelled(*row[:5]) for row in rows]
