"""What is wrong inside a local store's database, a line each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from crossmedia.retrieval.local.database import Damaged
from crossmedia.retrieval.local.translating import UNREADABLE
from crossmedia.retrieval.store import StoreUnusable


def wrong(connection: sqlite3.Connection) -> list[str]:
    """Damaged pages, references to nothing, assets that lie nowhere, words that differ from the moments."""
    found = [r[0] for r in connection.execute("PRAGMA integrity_check") if r[0] != "ok"]
    found += [f"{r[0]} row {r[1]} refers to nothing" for r in connection.execute("PRAGMA foreign_key_check")]
    orphans = connection.execute(
        "SELECT count(*) FROM asset a WHERE NOT EXISTS (SELECT 1 FROM source s WHERE s.asset = a.id)"
    )
    if count := orphans.fetchone()[0]:
        found.append(f"{count} assets lie nowhere")
    try:
        connection.execute("INSERT INTO moment_words (moment_words, rank) VALUES ('integrity-check', 1)")
    except (sqlite3.DatabaseError, Damaged) as error:
        found.append(f"the word index differs from the moments: {error}")
    return found


def first_damage(connection: sqlite3.Connection, check: Literal["quick_check", "integrity_check"]) -> str:
    """The first thing that SQLite's own check finds wrong, empty where nothing is. The connection reads texts that are
    none from then on. Raises sqlite3.OperationalError where the file cannot be opened."""
    connection.text_factory = lambda text: text.decode(errors="replace")
    try:
        result = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.OperationalError:
        raise
    except UNREADABLE as error:
        return str(error)
    return "" if result == "ok" else result


def is_damaged(path: Path) -> bool:
    """Whether a SQLite file has damaged pages, or indexes that differ from their tables; a file that is absent or empty
    has none. Raises StoreUnusable where it cannot be opened for another reason."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(first_damage(connection, "integrity_check"))
    except sqlite3.OperationalError as error:
        raise StoreUnusable(f"{path} cannot be opened: {error}", "check its permissions") from error
