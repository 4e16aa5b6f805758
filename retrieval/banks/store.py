"""Banks of hashes in a SQLite file of their own: what is known must outlive a collection, and is there before one
is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Row
from typing import Final, Literal, TypeAlias, get_args

from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.retrieval.banks.hashes import BadHash, Hash, HashKind
from crossmedia.retrieval.local.deferred import DeferredDatabase
from crossmedia.retrieval.store import NotFound

FILE: Final = "banks.sqlite"
Action: TypeAlias = Literal["allow", "review", "block"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PAGE: Final = 500
TAGS: Final = 1_000
"""Characters of an entry's tags at most."""


class BankTaken(CrossmediaError):
    """There is a bank of that name."""

    code = "bank_taken"
    status = 409


class BadBank(CrossmediaError):
    """A bank's name or action is none, or an entry's tags are none."""

    code = "bad_bank"
    status = 422


@dataclass(frozen=True)
class Bank:
    """`action`: what its owner wants done with what matches; a word that is passed on. `hashes`: how many of each kind
    it has."""

    id: int
    name: str
    action: Action
    enabled: bool
    created: float
    hashes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class HashEntry:
    """A hash in a bank. `tags`: words of whoever banked it, separated by blanks."""

    hash: Hash
    tags: str = ""


@dataclass(frozen=True)
class Banked:
    """An entry where it is kept."""

    id: int
    bank: int
    entry: HashEntry


class BankStore:
    """Every write is one transaction, seen by other processes when it returns. Looking into banks that never were makes
    no file."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreUnusable at the first use where the file cannot be opened."""
        self._database = DeferredDatabase(folder / FILE, "crossmedia.retrieval.banks")

    def create(self, name: str, action: str = "review") -> Bank:
        """Raises BadBank, BankTaken."""
        if not _NAME.fullmatch(name):
            raise BadBank(f"{name[:80]!r} is not a valid bank name", "use 1 to 64 letters, digits, '.', '_' and '-'")
        if action not in ACTIONS:
            raise BadBank(f"{action[:80]!r} is no action", f"there are: {', '.join(ACTIONS)}")
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM bank WHERE name = ?", (name,)).fetchone():
                raise BankTaken(f"a bank {name} already exists", "add to it, or choose another name", Remedy.LIST_BANKS)
            row = connection.execute(
                "INSERT INTO bank (name, action, created) VALUES (?, ?, ?) RETURNING *", (name, action, time.time())
            ).fetchone()
        return _bank(row)

    def banks(self) -> list[Bank]:
        """All, by name, with how many hashes each has."""
        connection = self._database.connection_if_exists()
        if connection is None:
            return []
        counts: dict[int, dict[str, int]] = {}
        for bank, kind, count in connection.execute("SELECT bank, kind, count(*) FROM hash GROUP BY 1, 2 ORDER BY 2"):
            counts.setdefault(bank, {})[kind] = count
        return [_bank(row, counts.get(row["id"], {})) for row in connection.execute("SELECT * FROM bank ORDER BY name")]

    def bank(self, name: str) -> Bank:
        """Without counts; raises NotFound."""
        connection = self._database.connection_if_exists()
        row = connection.execute("SELECT * FROM bank WHERE name = ?", (name,)).fetchone() if connection else None
        if row is None:
            raise NotFound(f"no bank {name}", "check the name, or create it", Remedy.LIST_BANKS)
        return _bank(row)

    def enabled(self) -> dict[int, Bank]:
        """The banks that are compared with, by id, without counts."""
        connection = self._database.connection_if_exists()
        rows = connection.execute("SELECT * FROM bank WHERE enabled") if connection else []
        return {row["id"]: _bank(row) for row in rows}

    def switch(self, name: str, enabled: bool) -> Bank:
        """Take a bank out of all comparisons, or in again; its hashes stay. Raises NotFound."""
        self.bank(name)
        with self._database.write() as connection:
            connection.execute("UPDATE bank SET enabled = ? WHERE name = ?", (enabled, name))
        return self.bank(name)

    def add(self, bank: str, entries: Iterable[HashEntry]) -> int:
        """Put entries into a bank, all or none; returns how many were new. Raises NotFound, BadBank, BadHash."""
        number, now = self.bank(bank).id, time.time()

        def rows() -> Iterator[tuple[int, str, bytes, int | None, str, float]]:
            for entry in entries:
                if not entry.hash.comparable:
                    raise BadHash(
                        f"a pdq of quality {entry.hash.quality} is never compared", "bank a picture with more in it"
                    )
                if len(entry.tags) > TAGS or not entry.tags.isprintable():
                    raise BadBank("tags that cannot be kept", f"use at most {TAGS:,} printable characters")
                yield number, entry.hash.kind, entry.hash.packed, entry.hash.quality, entry.tags, now

        with self._database.write() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO hash (bank, kind, value, quality, tags, added) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO "
                "NOTHING",
                rows(),
            )
            return connection.total_changes - before

    def entries(self, bank: str, last: int = 0) -> Iterator[HashEntry]:
        """Those of a bank with ids after `last` in the order they were added, read as they are asked for; raises
        NotFound."""
        number = self.bank(bank).id
        while page := self._page("bank = ? AND id > ?", (number, last)):
            yield from (banked.entry for banked in page)
            last = page[-1].id

    def last(self) -> int:
        """The highest id that a hash has had; 0 where there never was one."""
        connection = self._database.connection_if_exists()
        row = (
            connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'hash'").fetchone() if connection else None
        )
        return row[0] if row else 0

    def since(self, kind: HashKind, last: int, until: int) -> tuple[list[int], list[bytes]]:
        """Ids and packed hashes of a kind, those with ids after `last` up to `until`, in order."""
        connection = self._database.connection_if_exists()
        if connection is None:
            return [], []
        # In the order they lie: by the index on values each would be read from another place.
        query = "SELECT id, value FROM hash NOT INDEXED WHERE id > ? AND id <= ? AND kind = ? ORDER BY id"
        cursor = connection.cursor()
        cursor.row_factory = None  # a million plain tuples cost half of as many rows with names
        rows = cursor.execute(query, (last, until, kind)).fetchall()
        return [row[0] for row in rows], [row[1] for row in rows]

    def equal(self, hashed: Hash) -> list[int]:
        """Ids of what is exactly this."""
        connection = self._database.connection_if_exists()
        query = "SELECT id FROM hash WHERE kind = ? AND value = ? ORDER BY id"
        rows = connection.execute(query, (hashed.kind, hashed.packed)) if connection else []
        return [row[0] for row in rows]

    def load(self, ids: Sequence[int]) -> dict[int, Banked]:
        """By id; unknown ones are left out."""
        found: dict[int, Banked] = {}
        for first in range(0, len(ids), _PAGE):
            some = ids[first : first + _PAGE]
            for banked in self._page(f"id IN ({','.join('?' * len(some))})", some):
                found[banked.id] = banked
        return found

    def close(self) -> None:
        self._database.close()

    def _page(self, condition: str, values: Sequence[int]) -> list[Banked]:
        connection = self._database.connection_if_exists()
        if connection is None:
            return []
        return [
            Banked(
                row["id"],
                row["bank"],
                HashEntry(Hash.of_packed(row["kind"], row["value"], row["quality"]), row["tags"]),
            )
            for row in connection.execute(f"SELECT * FROM hash WHERE {condition} ORDER BY id LIMIT {_PAGE}", values)
        ]


def _bank(row: Row, hashes: Mapping[str, int] | None = None) -> Bank:
    return Bank(row["id"], row["name"], row["action"], bool(row["enabled"]), row["created"], hashes or {})
