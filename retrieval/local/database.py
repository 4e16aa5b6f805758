"""SQLite as the store needs it: one connection a thread, WAL, migrations, transactions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from crossmedia.embeddings.errors import DiskFull, Remedy
from crossmedia.retrieval import analysis
from crossmedia.retrieval.local.translating import TranslatingConnection
from crossmedia.retrieval.local.use_lock import UseLock
from crossmedia.retrieval.store import StoreBusy, StoreUnusable

BUSY_SECONDS = 60.0
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
"""What SQLite says when another has locked the file for longer than that."""
ROOM = 1 << 20
"""Free bytes below which SQLite's failure to write is taken for a full disk."""


class Damaged(StoreUnusable):
    """A SQLite file's pages are not what was written."""

    code = "store_damaged"


def is_full(error: Exception, folder: Path) -> bool:
    """Whether SQLite failed for lack of room; where it maps its files, that is an error of reading or writing."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and shutil.disk_usage(folder).free < ROOM)


def damaged(path: Path, why: str) -> Damaged:
    """The error for a file of which this is wrong."""
    return Damaged(
        f"{path} is damaged: {why}",
        "crossmedia repair keeps what can be read; crossmedia restore FOLDER puts a backup in its place",
    )


class Replaced(StoreUnusable):
    """A SQLite file was removed or replaced while it was open: what is written would be lost."""

    code = "store_replaced"


class _Held:
    """A thread's connection, closed when the thread ends and its locals go."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """A SQLite file in WAL mode. Readers never wait; a writer waits up to a minute for another process's writer.

    `schema` is the package whose `NNN_*.sql` files are the migrations. Raises Damaged, DiskFull, StoreBusy and
    StoreUnusable, also while rows are read; a file that was found damaged is not written to any more.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self._schema = schema
        self._local = threading.local()
        self._all: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._writer = threading.RLock()
        self._use: UseLock | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _only_read(path):
                self._use = UseLock(path)
                if self._use.wants_check():
                    self._check()
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnusable(
                f"the store {path} cannot be opened: {error}",
                "check the path and its permissions, or use another data directory",
                Remedy.OTHER_DATA,
            ) from error
        except BaseException:
            self.close()
            raise
        if self._use is not None:
            self._use.share()
        self._file = _file(path)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            found = sqlite3.connect(
                _uri(self.path),
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                factory=TranslatingConnection,
            )
            found.row_factory = sqlite3.Row
            found.translate = self._meaning
            register(found)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "recursive_triggers=ON",
                "cache_size=-16384",
                "mmap_size=1073741824",
                "temp_store=MEMORY",
                "trusted_schema=ON",  # triggers call what `register` adds
            ):
                found.execute(f"PRAGMA {pragma}")
            self._local.held = held = _Held(found)
            with self._lock:
                self._all.add(held)
        return held.connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that commits when the block ends and leaves nothing when it fails."""
        with self._writer:
            if self._use is not None and self._use.is_suspect():
                raise damaged(self.path, "it was found damaged before")
            self.require_in_place()
            connection = self.connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    _roll_back(connection)
                    raise
                connection.execute("COMMIT")
            except (DiskFull, StoreUnusable):
                _roll_back(connection)
                raise
            except sqlite3.OperationalError as error:
                _roll_back(connection)
                raise StoreUnusable(
                    f"writing to {self.path} failed: {error}",
                    "check the disk and the permissions of the folder, then try again",
                ) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A snapshot: everything read inside belongs to one moment of the store."""
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            _roll_back(connection)

    def require_in_place(self) -> None:
        """Raises Replaced where the file is not the one that was opened."""
        if _file(self.path) != self._file:
            raise Replaced(
                f"{self.path} was removed or replaced while it was open",
                "put the data directory back, then start the service again",
            )

    def close(self) -> None:
        with self._lock:
            for held in self._all:
                held.connection.close()
            self._all.clear()
        self._local = threading.local()
        if self._use is not None:
            self._use.end()

    def _check(self) -> None:
        """Raises Damaged. Reads the whole file: only after the last process that used it did not end as it should."""
        wrong = [row[0] for row in self.connection().execute("PRAGMA quick_check(1)") if row[0] != "ok"]
        if wrong:
            raise self._meaning(sqlite3.DatabaseError(wrong[0]), certain=True)
        assert self._use is not None
        self._use.clear()

    def _meaning(self, error: sqlite3.DatabaseError | UnicodeDecodeError, certain: bool = False) -> Exception:
        """What a failure of SQLite means to a person; itself where that is for the caller to say."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        certain = certain or isinstance(error, UnicodeDecodeError)
        if certain or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "decode to UTF-8" in str(error):
            if self._use is not None:
                self._use.suspect()
            return damaged(self.path, str(error))
        if code in BUSY:
            return StoreBusy(
                f"{self.path} is locked by another process: {error}",
                "try again in a moment; if it stays so, stop the other process",
            )
        if is_full(error, self.path.parent):
            return DiskFull(f"{self.path} cannot be written: the disk is full")
        return error

    def _migrate(self) -> None:
        scripts = migrations(self._schema)
        connection = self.connection()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(scripts):
            raise StoreUnusable(
                f"the store {self.path} was written by a newer version (schema {version})", "upgrade crossmedia"
            )
        if version == len(scripts):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, script in enumerate(scripts[version:], start=version + 1):
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
            self._complete(connection)
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise

    def _complete(self, connection: sqlite3.Connection) -> None:
        """What the scripts cannot do themselves, in their transaction."""


def register(connection: sqlite3.Connection) -> None:
    """The functions that scripts and triggers call."""
    connection.create_function("prepared", 1, _prepared, deterministic=True)
    connection.create_function("needs_preparing", -1, _needs_preparing, deterministic=True)


def _prepared(text: str | None) -> str | None:
    prepared = analysis.prepared(text) if text else None
    return None if prepared is None else analysis.encoded(prepared)


def _needs_preparing(*texts: str | None) -> bool:
    return not all(text is None or analysis.is_plain(text) for text in texts)


def _file(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that failed, if SQLite has not done so."""
    with suppress(sqlite3.Error, StoreUnusable, DiskFull):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _only_read(path: Path) -> bool:
    """Whether there is a file that this process may not write, or whose folder it may not."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _uri(path: Path) -> str:
    """How SQLite has to open the file. Reading, it writes files beside it; where it cannot, it must not try.

    Where a writer has left such files they are read too. Where there are none, nothing is under way: a file in a folder
    that only others can write to counts as unchanging while it is open.
    """
    uri = path.resolve().as_uri()
    if not _only_read(path):
        return uri
    return f"{uri}?mode=ro" if path.with_name(f"{path.name}-wal").exists() else f"{uri}?mode=ro&immutable=1"


def migrations(package: str) -> list[str]:
    """The scripts `NNN_*.sql` of a package by their numbers; raises ValueError unless those are 1, 2, 3, …

    A file's number is what `user_version` says of a store that has been through it: it never changes, and a new script
    comes after all others.
    """
    files = sorted((p for p in resources.files(package).iterdir() if p.name.endswith(".sql")), key=lambda p: p.name)
    numbers = [p.name.partition("_")[0] for p in files]
    if numbers != [f"{n:03}" for n in range(1, len(files) + 1)]:
        raise ValueError(f"the migrations of {package} are numbered {', '.join(numbers)}")
    return [p.read_text(encoding="utf-8") for p in files]


def _statements(script: str) -> Iterator[str]:
    """Whole statements of a script; `executescript` would commit the transaction around it."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
