"""A SQLite file that is opened, and where it is missing made, only when something needs it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from crossmedia.retrieval.local.database import Database


class DeferredDatabase:
    """A `Database` that opens at its first use. Asking with `connection_if_exists` makes no file. Thread-safe.

    `schema`: the package of its migrations. Every use raises StoreUnusable where the file cannot be opened.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self._schema = schema
        self._opened: Database | None = None
        self._opening = threading.Lock()

    @property
    def exists(self) -> bool:
        return self._opened is not None or self.path.exists()

    def connection(self) -> sqlite3.Connection:
        return self._open().connection()

    def connection_if_exists(self) -> sqlite3.Connection | None:
        """None where there is no file."""
        return self.connection() if self.exists else None

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._open().read()

    def write(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._open().write()

    def close(self) -> None:
        """A later use opens it again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _open(self) -> Database:
        with self._opening:
            if self._opened is None:
                self._opened = Database(self.path, self._schema)
            return self._opened
