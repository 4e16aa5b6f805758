"""What the local store reads, each function inside a snapshot of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import Space, Vector
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.documents import Asset, Label, Moment, Source
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.local.rows import from_blob, to_asset, to_label, to_moment, to_source
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import Located
from crossmedia.retrieval.temporal_merging import Span

BATCH: Final = 500
"""Values bound in one statement at most."""


def spaces(connection: sqlite3.Connection) -> dict[str, Space]:
    return {row["name"]: Space(*row) for row in connection.execute("SELECT * FROM space ORDER BY name")}


def placed(connection: sqlite3.Connection, assets: Sequence[str]) -> dict[str, tuple[Asset, list[Source]]]:
    found: dict[str, tuple[Asset, list[Source]]] = {}
    for some in batches(assets):
        among = marks(some)
        for row in connection.execute(f"SELECT * FROM asset WHERE hash IN ({among})", some):
            found[row["hash"]] = (to_asset(row), [])
        for row in connection.execute(
            f"""SELECT s.*, a.hash FROM source s JOIN asset a ON a.id = s.asset WHERE a.hash IN ({among})
            ORDER BY s.collection, s.path""",
            some,
        ):
            found[row["hash"]][1].append(to_source(row))
    return found


def located(connection: sqlite3.Connection, collection: str | None, below: Sequence[str]) -> list[Located]:
    clauses, values = ["(? IS NULL OR s.collection = ?)"], [collection, collection]
    if below:
        clauses.append("(" + " OR ".join(["s.location = ? OR (s.location >= ? AND s.location < ?)"] * len(below)) + ")")
        for folder in below:
            inside = folder.rstrip("/")
            values += [folder, f"{inside}/", f"{inside}0"]  # 0 is the character after /
    rows = connection.execute(
        f"SELECT s.*, a.hash FROM source s JOIN asset a ON a.id = s.asset WHERE {' AND '.join(clauses)} ORDER BY "
        "s.path",
        values,
    )
    return [Located(row["hash"], to_source(row)) for row in rows]


def at(connection: sqlite3.Connection, locations: Sequence[str], collection: str) -> dict[str, Located]:
    found: dict[str, Located] = {}
    for some in batches(locations):
        for row in connection.execute(
            f"""SELECT s.*, a.hash FROM source s JOIN asset a ON a.id = s.asset
            WHERE s.collection = ? AND s.location IN ({marks(some)})""",
            [collection, *some],
        ):
            found[row["location"]] = Located(row["hash"], to_source(row))
    return found


def moments(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> dict[str, Moment]:
    """By key, in their order. `where`: a condition on `moment m JOIN asset a`."""
    rows = connection.execute(
        f"SELECT m.*, a.hash FROM moment m JOIN asset a ON a.id = m.asset WHERE {where} ORDER BY m.id", values
    ).fetchall()
    labels: dict[int, list[Label]] = {}
    for some in batches([row["id"] for row in rows]):
        for label in connection.execute(
            f"SELECT * FROM label WHERE moment IN ({marks(some)}) ORDER BY score DESC, rowid", some
        ):
            labels.setdefault(label["moment"], []).append(to_label(label))
    return {row["key"]: to_moment(row, labels.get(row["id"], ())) for row in rows}


def spans(connection: sqlite3.Connection, moments: Sequence[str]) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for some in batches(moments):
        for key, asset, kind, start, end in connection.execute(
            f"""SELECT m.key, a.hash, m.kind, m.start, m."end" FROM moment m JOIN asset a ON a.id = m.asset
            WHERE m.key IN ({marks(some)}) AND m.start IS NOT NULL AND m."end" IS NOT NULL""",
            some,
        ):
            found[key] = Span(asset, kind, start, end)
    return found


def vectors(connection: sqlite3.Connection, space: str, moments: Sequence[str]) -> dict[str, Vector]:
    found: dict[str, Vector] = {}
    for some in batches(moments):
        rows = connection.execute(
            f"""SELECT m.key, v.data FROM vector v JOIN moment m ON m.id = v.moment
            WHERE v.field GLOB ? AND m.key IN ({marks(some)})""",
            [f"{space}/*", *some],
        )
        found |= {row[0]: from_blob(row[1]) for row in rows}
    return found


def pending(connection: sqlite3.Connection, enricher: str, model: str, media: Sequence[Medium]) -> list[str]:
    rows = connection.execute(
        f"""SELECT a.hash FROM asset a WHERE a.media IN ({marks(media)}) AND NOT EXISTS (SELECT 1 FROM enrichment e
        WHERE e.asset = a.id AND e.enricher = ? AND e.model = ?) ORDER BY a.id""",
        [*media, enricher, model],
    )
    return [row[0] for row in rows]


def meeting(connection: sqlite3.Connection, moments: Sequence[str], filters: Filters) -> set[str]:
    where, values = conditions(filters)
    found: set[str] = set()
    for some in batches(moments):
        rows = connection.execute(
            f"""SELECT m.key FROM moment m JOIN asset a ON a.id = m.asset
            WHERE m.key IN ({marks(some)}) {"AND " + where if where else ""}""",
            [*some, *values],
        )
        found.update(row[0] for row in rows)
    return found


def keys(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Keys of moments by their row numbers."""
    found: dict[int, str] = {}
    for some in batches(ids):
        found |= dict(connection.execute(f"SELECT id, key FROM moment WHERE id IN ({marks(some)})", some).fetchall())
    return found


def batches(items: Sequence[Any]) -> Iterable[list[Any]]:
    """Parts small enough to be bound in one statement."""
    return map(list, chunks(items, BATCH))


def marks(items: Sequence[Any]) -> str:
    """A question mark for each."""
    return ", ".join("?" * len(items))
