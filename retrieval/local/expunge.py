"""What was removed leaves the files as well: SQLite only marks pages free, and an index's file lags behind."""

from __future__ import annotations

import sqlite3

from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.derived import Derived
from crossmedia.retrieval.store import StoreBusy, StoreUnusable


def everything(database: Database, derived: Derived) -> None:
    """Copies what there is into a file of its own, which takes the place of the old one, and empties the log. Raises
    StoreUnusable while others read or write for more than a minute, and DiskFull; what was removed is removed then all
    the same."""
    derived.rewrite()
    connection = database.connection()
    try:
        # The copy would otherwise be made in memory.
        connection.execute("PRAGMA temp_store=FILE")
        try:
            # Words stay in the word index until what they are in is merged.
            connection.execute("INSERT INTO moment_words (moment_words) VALUES ('optimize')")
            connection.execute("VACUUM")
        finally:
            connection.execute("PRAGMA temp_store=MEMORY")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except (sqlite3.OperationalError, StoreBusy) as error:
        raise StoreUnusable(f"{database.path} still holds what was removed: {error}", _HINT) from error
    if busy:
        raise StoreUnusable(f"{database.path} still holds what was removed: somebody reads it", _HINT)


_HINT = "run the command again when nobody else uses the store and there is room for a copy of it"
