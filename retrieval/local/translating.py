"""A SQLite connection that says what its failures mean, also while rows are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

UNREADABLE: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What is raised of a damaged file: SQLite's message about a schema may hold bytes of it, which are no text then."""


class TranslatingConnection(sqlite3.Connection):
    """`translate` makes of SQLite's error the one that is raised in its place."""

    translate: Callable[[sqlite3.DatabaseError | UnicodeDecodeError], Exception] | None = None

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or TranslatingCursor)

    def execute(self, *args: Any) -> Any:
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        return self.cursor().executemany(*args)


def _translating(name: str) -> Callable[..., Any]:
    method = getattr(sqlite3.Cursor, name)

    def call(cursor: sqlite3.Cursor, *args: Any) -> Any:
        try:
            return method(cursor, *args)
        except UNREADABLE as error:
            translate = cursor.connection.translate  # type: ignore[attr-defined]
            meaning = error if translate is None else translate(error)
            if meaning is error:
                raise
            try:
                raise meaning from error
            finally:
                # The exception knows this frame: it would keep the cursor, and so the file open, after `close`.
                del meaning, cursor

    return call


class TranslatingCursor(sqlite3.Cursor):
    """Made by `TranslatingConnection`."""

    execute = _translating("execute")
    executemany = _translating("executemany")
    fetchone = _translating("fetchone")
    fetchmany = _translating("fetchmany")
    fetchall = _translating("fetchall")
    __next__ = _translating("__next__")
