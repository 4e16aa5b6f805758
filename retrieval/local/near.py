"""Nearest neighbours under a filter: FAISS proposes, the stored floats decide."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.local import reads
from crossmedia.retrieval.local.derived import Derived, rescored
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.local.vectors import Ids
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import VectorMatch

EXHAUSTIVE_UP_TO = 3_000
"""So few moments meeting a filter are scored one by one: exact, and cheaper than a filtered index search."""
FILTER_AHEAD = 8
"""How many times k unfiltered candidates are tried before the filter's whole set is computed."""


def search_vectors(
    connection: sqlite3.Connection, derived: Derived, field: str, query: Vector, k: int, filters: Filters
) -> list[VectorMatch]:
    """What `Store.search_vectors` promises. `field`: space/modality."""
    index = derived.current(field)
    if index is None:
        return []
    where, values = conditions(filters)
    if where:
        # The best of all that pass the filter are the best that pass it, if they are enough.
        some = index.search(query, FILTER_AHEAD * k).tolist()
        passing = _passing(connection, f"v.id IN ({reads.marks(some)}) AND {where}", [*some, *values])
        if len(passing) < k:
            passing = _passing(connection, f"v.field = ? AND {where}", [field, *values])
            if len(passing) > EXHAUSTIVE_UP_TO:
                passing = index.search(query, k, passing)
    else:
        passing = index.search(query, k)
    best = rescored(connection, passing, query)[:k]
    keys = reads.keys(connection, [moment for _, moment, _ in best])
    return [VectorMatch(keys[moment], similarity) for _, moment, similarity in best if moment in keys]


def _passing(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> Ids:
    rows = connection.execute(
        f"SELECT v.id FROM vector v JOIN moment m ON m.id = v.moment JOIN asset a ON a.id = m.asset WHERE {where}",
        values,
    )
    return np.fromiter((row[0] for row in rows), dtype=np.int64)
