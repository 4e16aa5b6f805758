"""What a data directory still holds of a collection whose store is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from crossmedia.api.uploads import Uploads
from crossmedia.retrieval.local.translating import UNREADABLE
from crossmedia.retrieval.store import StoreUnusable

STORE: Final = "store.sqlite"


class StoreMissing(StoreUnusable):
    """The store's file is gone or empty, and what lies beside it shows that there was a collection."""

    code = "store_missing"


def require_store(data: Path) -> None:
    """Raises StoreMissing where the store is missing or empty beside uploads, finished jobs, vectors or its own log:
    a new collection there would hide that the old one is lost."""
    path = data / STORE
    if path.exists() and path.stat().st_size > 0:
        return
    if remains := _remains(data):
        raise StoreMissing(
            f"{path} is {'empty' if path.exists() else 'missing'}, and there are {' and '.join(remains)} of its "
            "collection",
            "put the file back or restore a backup (crossmedia restore); "
            "crossmedia repair makes a new store and reads the uploads again",
        )


def _remains(data: Path) -> list[str]:
    log = data / f"{STORE}-wal"
    there = {
        "uploads": bool(Uploads(data / "uploads", 0).list_files()),
        "vectors": any((data / "vectors").glob("*.faiss")),
        "finished jobs": _has_finished_jobs(data / "jobs.sqlite"),
        "a log of changes": log.exists() and log.stat().st_size > 0,
    }
    return [what for what, present in there.items() if present]


def _has_finished_jobs(path: Path) -> bool:
    """Whether jobs were done: those write into a store. A file that cannot be read is taken for one with jobs."""
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM job WHERE state = 'done')").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        # Without a table it was only just made.
        return "no such table" not in str(error)
    except UNREADABLE:
        return True
