"""Listings of assets in an order, a page at a time, and what names and lengths they are listed by.

A page is a range of an index, whatever lies before it: first the assets that have what the order asks for, then those
that have not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from crossmedia.retrieval.documents import PARTS, seconds_of
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.local.reads import marks
from crossmedia.retrieval.order import By, Order, Position, name_of
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import Listed

COLUMNS: Final[Mapping[By, str]] = {"date": "captured", "name": "name", "length": "seconds", "size": "size"}
ALWAYS: Final = ("size",)
"""What every asset has."""
AT_ONCE: Final = 1_000


def browse(
    connection: sqlite3.Connection, filters: Filters, order: Order, limit: int, after: Position | None
) -> list[Listed]:
    listed: list[Listed] = []
    if after is None or after.value is not None:
        listed = _page(connection, filters, order, limit, after, valued=True)
        after = None
    if len(listed) < limit and order.by not in ALWAYS:
        listed += _page(connection, filters, order, limit - len(listed), after, valued=False)
    return listed


def _page(
    connection: sqlite3.Connection, filters: Filters, order: Order, limit: int, after: Position | None, valued: bool
) -> list[Listed]:
    """Assets that have a value in this order, or those that have none."""
    column = COLUMNS[order.by]
    way, beyond = ("DESC", "<") if order.descending else ("ASC", ">")
    clauses, bounds = [f"a.{column} IS {'NOT ' if valued else ''}NULL"], []
    if after is not None and valued:
        clauses.append(f"(a.{column}, a.hash) {beyond} (?, ?)")
        bounds = [after.value, after.asset]
    elif after is not None:
        clauses.append(f"a.hash {beyond} ?")
        bounds = [after.asset]
    index = f"INDEXED BY asset_by_{order.by}"
    if filters.assets:  # few, which have an index of their own
        clauses.append(f"a.hash IN ({marks(filters.assets)})")
        bounds += filters.assets
        index = ""
    where, values = conditions(filters)
    parts = [] if filters.kinds else sorted(PARTS)
    meeting = f"FROM moment m WHERE m.asset = a.id AND m.kind NOT IN ({marks(parts)}) {'AND ' + where if where else ''}"
    values = [*parts, *values]
    rows = connection.execute(
        f"""SELECT a.{column} AS value, (SELECT m.key {meeting} ORDER BY m.id LIMIT 1) AS first FROM asset a {index}
        WHERE {" AND ".join(clauses)} AND EXISTS (SELECT 1 {meeting})
        ORDER BY {f"a.{column} {way}, " if valued else ""}a.hash {way} LIMIT ?""",
        [*values, *bounds, *values, limit],
    )
    return [Listed(row["first"], row["value"]) for row in rows]


def arrange(connection: sqlite3.Connection, asset: int) -> None:
    """Work out what an asset is listed by, after it or its sources have changed."""
    rows = connection.execute(f"{_ABOUT} WHERE a.id = ?", (asset,)).fetchall()
    connection.executemany(_ARRANGE, [_arranged(row) for row in rows])


def arrange_new(connection: sqlite3.Connection) -> None:
    """The same for all assets for which nobody has done so."""
    while rows := connection.execute(f"{_ABOUT} WHERE a.name IS NULL LIMIT ?", (AT_ONCE,)).fetchall():
        connection.executemany(_ARRANGE, [_arranged(row) for row in rows])


_ABOUT: Final = """SELECT a.id, a.media, a.metadata,
(SELECT s.path FROM source s WHERE s.asset = a.id ORDER BY s.collection, s.path LIMIT 1) AS path FROM asset a"""
_ARRANGE: Final = "UPDATE asset SET name = ?, seconds = ? WHERE id = ?"


def _arranged(row: sqlite3.Row) -> tuple[str, float | None, int]:
    try:
        metadata: Any = json.loads(row["metadata"])
    except ValueError:
        metadata = {}
    return name_of(row["path"] or ""), seconds_of(row["media"], metadata), row["id"]
