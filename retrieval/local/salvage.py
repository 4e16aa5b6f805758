"""What can still be read of a damaged SQLite file, into a new one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from crossmedia.embeddings.chunks import chunks
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.local import stored_assets, totals
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.store import LocalStore
from crossmedia.retrieval.local.translating import UNREADABLE
from crossmedia.retrieval.stored_asset import StoredAsset

PAGE = 200
BATCH = 50
SMALL_TABLES = ("setting", "space", "unrelated")
"""Tables of a store that are about no asset. What blocks assets follows from the journal of decisions."""


@dataclass
class Salvage:
    """What came of a store: assets that are whole in the new one, and `sources` of those that are not, by their files'
    hashes (or by nothing where even that cannot be read). `notes`: what else is known to be missing."""

    assets: int = 0
    lost: dict[str, list[Source]] = field(default_factory=dict)
    unnamed: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, earlier: Salvage) -> None:
        """What an earlier one left unread is unread still."""
        self.lost = {**earlier.lost, **self.lost}
        self.unnamed += earlier.unnamed


def salvage_store(old: Path, new: LocalStore) -> Salvage:
    """Copy each asset that can be read whole, through the indexes that lead to all of its rows; what belongs to one of
    which anything cannot be read is left out."""
    result = Salvage()
    with _readable_file(old, new) as path, _opened(path) as connection:
        with new.writing() as written:
            for table in SMALL_TABLES:
                _copy_table(connection, written, table)
        hashes, numbers = _hashes(connection)
        dims = {name: space.dim for name, space in new.spaces().items()}
        lost: list[str] = []
        for some in chunks(hashes, BATCH):
            for part in _readable(connection, some, dims, lost):
                new.restore(part)
                result.assets += len(part)
        result.lost = {asset: [] for asset in lost}
        seen: set[tuple[str, str]] = set()
        for number, source in (*_sources(connection), *_located(connection)):
            asset = numbers.get(number)
            if (source.collection, source.location) in seen:
                continue
            seen.add((source.collection, source.location))
            if asset is None:
                result.unnamed.append(source)
            elif asset in result.lost:
                result.lost[asset].append(source)
        counted = _counted(connection)
    now = new.statistics()
    missing = counted - sum(now.assets.values()) - len(result.lost) if counted is not None else 0
    if counted is None:
        result.notes.append("how many files there were cannot be read: index their folders again to be sure")
    elif missing > 0:
        result.notes.append(f"of {missing} files not even the name can be read: index their folders again")
    return result


def salvage_tables(old: Path, new: Database) -> dict[str, int]:
    """Copy every row that can be read; returns how many there are now, by table."""
    with _opened(old) as connection, new.write() as written:
        written.execute("PRAGMA defer_foreign_keys=ON")
        names = [
            row[0]
            for row in written.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        ]
        for name in names:
            _copy_table(connection, written, name)
        # A row whose owner is lost says nothing.
        for row in written.execute("PRAGMA foreign_key_check").fetchall():
            written.execute(f'DELETE FROM "{row[0]}" WHERE rowid = ?', (row[1],))
        return {name: int(written.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}


@contextmanager
def _readable_file(old: Path, new: LocalStore) -> Iterator[Path]:
    """The old file; where the pages are damaged that say where tables begin, a copy with those of the new one: in a
    store that was made by this version all begin at the same places. Where they do not, what is read there is no
    asset."""
    if _has_schema(old):
        yield old
        return
    copy = new.folder / "schema.sqlite"
    shutil.copy(old, copy)
    new.checkpoint()
    template = new.folder / "store.sqlite"
    with template.open("rb") as read, copy.open("r+b") as written, closing(sqlite3.connect(template)) as connection:
        [size], [pages] = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count"))
        roots = {row[0] for row in connection.execute("SELECT rootpage FROM sqlite_master")}
        # A new store has no free pages, and one page of each table and index: the others are the schema's.
        for number in sorted({*range(1, pages + 1)} - roots):
            read.seek((number - 1) * size)
            page = bytearray(read.read(size))
            if number == 1:
                page[28:32] = (copy.stat().st_size // size).to_bytes(4, "big")  # pages there are
                page[32:40] = bytes(8)  # none of them is free (https://www.sqlite.org/fileformat.html)
            written.seek((number - 1) * size)
            written.write(page)
    try:
        yield copy
    finally:
        for path in new.folder.glob(f"{copy.name}*"):
            path.unlink()


def _has_schema(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        try:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        except UNREADABLE:
            return False


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        # What a cell holds may be no text any more.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        yield connection


def _readable(
    connection: sqlite3.Connection, assets: Sequence[str], dims: dict[str, int], lost: list[str]
) -> Iterator[list[StoredAsset]]:
    """Those of the assets that can be read, together or one by one; the others are added to `lost`."""
    whole = _read(connection, assets, dims)
    if whole is not None and len(whole) == len(assets):
        yield whole
        return
    for asset in assets:
        single = _read(connection, [asset], dims)
        if single:
            yield single
        else:
            lost.append(asset)


def _read(connection: sqlite3.Connection, assets: Sequence[str], dims: dict[str, int]) -> list[StoredAsset] | None:
    """None where a page, or a value in it, is not what was written."""
    try:
        read = stored_assets.read(connection, assets)
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, IndexError, OverflowError):
        return None
    whole = all(
        dims.get(space) == len(vector) and bool(np.isfinite(vector).all())
        for asset in read
        for held in asset.moments
        for space, vector in held.moment.vectors.items()
    )
    return read if whole and all(asset.moments and asset.sources for asset in read) else None


def _hashes(connection: sqlite3.Connection) -> tuple[list[str], dict[int, str]]:
    """Ids of assets in their order as far as table and index tell them, and by row number."""
    numbers = {row["id"]: row["hash"] for row in _rows(connection, "asset", ["id", "hash"], "id")}
    ordered = dict.fromkeys(numbers[number] for number in sorted(numbers))
    for row in _scan(connection, "SELECT hash, id FROM asset INDEXED BY sqlite_autoindex_asset_1 ORDER BY hash"):
        ordered.setdefault(row["hash"])
        numbers.setdefault(row["id"], row["hash"])
    return [asset for asset in ordered if len(asset) == 64], numbers


def _sources(connection: sqlite3.Connection) -> Iterator[tuple[int, Source]]:
    """Row numbers of assets and where they lie; from both ends of the table, so that some come twice."""
    columns = "asset, location, path, collection, size, mtime_ns"
    for order in ("ASC", "DESC"):
        query = f"SELECT {columns} FROM source ORDER BY collection {order}, location {order}"
        for row in _scan(connection, query):
            if isinstance(row["size"], int) and isinstance(row["mtime_ns"], int):
                yield (
                    row["asset"],
                    Source(row["location"], row["path"], row["collection"], row["size"], row["mtime_ns"]),
                )


def _located(connection: sqlite3.Connection) -> Iterator[tuple[int, Source]]:
    """Places by the index that leads from assets to them: it knows no more than where files lie."""
    for row in _scan(connection, "SELECT asset, collection, location FROM source INDEXED BY source_asset"):
        yield row["asset"], Source(row["location"], row["location"], row["collection"], 0, 0)


def _counted(connection: sqlite3.Connection) -> int | None:
    """How many assets the store had by its own count."""
    try:
        return sum(totals.statistics(connection).assets.values())
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return None


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    """Every row that can be read, in place of those of the new table."""
    described = new.execute(f'PRAGMA table_info("{table}")').fetchall()
    there = {row[1] for row in _scan(old, f'PRAGMA table_info("{table}")')}
    columns = [row["name"] for row in described if row["name"] in there]
    if not columns:
        return
    new.execute(f'DELETE FROM "{table}"')
    keys = [row["name"] for row in sorted(described, key=lambda row: row["pk"]) if row["pk"]]
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    rows = (
        _rows(old, table, columns, "rowid")
        if _has_rowid(new, table)
        else (
            row
            for order in ("ASC", "DESC")
            for row in _scan(
                old, f'SELECT {names} FROM "{table}" ORDER BY {", ".join(f"{key} {order}" for key in keys)}'
            )
        )
    )
    for row in rows:
        # A row that breaks a rule of its table was not written so.
        new.execute(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})', [row[name] for name in columns])


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT wr FROM pragma_table_list WHERE name = ? AND schema = 'main'"
    return not connection.execute(query, (table,)).fetchone()[0]


def _rows(connection: sqlite3.Connection, table: str, columns: Sequence[str], key: str) -> Iterator[sqlite3.Row]:
    """Rows by ascending number; damaged pages are leapt over in growing leaps, and then approached from behind."""
    names = ", ".join(f'"{name}"' for name in columns)
    select = f'SELECT {key} AS "number", {names} FROM "{table}"'
    last, leap = -(1 << 62), 0
    top = next((row["number"] for row in _scan(connection, f"{select} ORDER BY {key} DESC LIMIT 1")), None)
    # Where the last page is damaged, what AUTOINCREMENT remembers bounds the numbers.
    if top is None:
        top = next((row[0] for row in _scan(connection, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'")), 0)
    while last < top:
        reached, whole = last, True
        try:
            for row in connection.execute(f"{select} WHERE {key} > ? ORDER BY {key} LIMIT {PAGE}", (last + leap,)):
                if leap:
                    before = f"{select} WHERE {key} > ? AND {key} < ? ORDER BY {key} DESC"
                    yield from _scan(connection, before, (last, row["number"]))
                    leap = 0
                reached = row["number"]
                yield row
        except UNREADABLE:
            whole = False
        if reached > last:
            last, leap = reached, 0
        elif whole:
            return
        else:
            last, leap = max(last, 0), max(1, 2 * leap)
            if last + leap > top:
                yield from _scan(connection, f"{select} WHERE {key} > ? ORDER BY {key} DESC", (last,))
                return


def _scan(connection: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> Iterator[sqlite3.Row]:
    """Rows until one cannot be read."""
    try:
        yield from connection.execute(query, values)
    except UNREADABLE:
        return
