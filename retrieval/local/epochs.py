"""The history of a store: which process has written up to where, so that a restored copy is told from what it was."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossmedia.retrieval.local.browsing import arrange_new
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.vectors import Generation


class StoreDatabase(Database):
    """The store's SQLite file. Its first write begins an epoch (`008_epoch.sql`)."""

    def __init__(self, path: Path) -> None:
        self._begun = False
        super().__init__(path, "crossmedia.retrieval.local")

    def _complete(self, connection: sqlite3.Connection) -> None:
        arrange_new(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with super().write() as connection:
            begun = self._begun
            if not begun:
                _begin(connection)
            yield connection
        self._begun = True


def newest(connection: sqlite3.Connection) -> Generation:
    """The present epoch, and the last ids given out in any field: what AUTOINCREMENT remembers, also of rows that are
    gone."""
    last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN ('vector', 'gone')").fetchall())
    identity = connection.execute("SELECT identity FROM epoch ORDER BY number DESC LIMIT 1").fetchone()[0]
    return Generation(last.get("vector", 0), last.get("gone", 0), identity)


def is_past(connection: sqlite3.Connection, generation: Generation) -> bool:
    """Whether this store was once as that generation says: it has the epoch, and reached so far before the next one
    began."""
    row = connection.execute("SELECT number FROM epoch WHERE identity = ?", (generation.epoch,)).fetchone()
    if row is None:
        return False
    after = connection.execute(
        "SELECT vector, gone FROM epoch WHERE number > ? ORDER BY number LIMIT 1", (row["number"],)
    ).fetchone()
    end = Generation(after["vector"], after["gone"]) if after else newest(connection)
    return generation.vector <= end.vector and generation.gone <= end.gone


def _begin(connection: sqlite3.Connection) -> None:
    last = newest(connection)
    connection.execute(
        "INSERT INTO epoch (identity, vector, gone) VALUES (?, ?, ?)", (secrets.token_hex(8), last.vector, last.gone)
    )
