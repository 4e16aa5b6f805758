"""The journal of decisions: SQLite in a file of its own, to which is only added."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Row
from typing import Any, Final

from crossmedia.retrieval.banks.store import Action
from crossmedia.retrieval.local.deferred import DeferredDatabase
from crossmedia.retrieval.local.reads import batches, marks

FILE: Final = "decisions.sqlite"


@dataclass(frozen=True)
class Decision:
    """What was decided of an asset. `maker`: a person's name, or `policy` and its version; `reasons` as
    `Reason.as_dict`."""

    asset: str
    action: Action
    maker: str
    by_person: bool
    reasons: tuple[Mapping[str, Any], ...] = ()
    note: str = ""
    id: int = 0
    at: float = 0.0


class Decisions:
    """The last decision on an asset is what counts. Looking where nothing was ever decided makes no file."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreUnusable at the first use where the file cannot be opened."""
        self._database = DeferredDatabase(folder / FILE, "crossmedia.retrieval.policy")
        self._id: str | None = None

    def add(self, decisions: Iterable[Decision]) -> None:
        """In one transaction."""
        now = time.time()
        rows = [(d.asset, d.action, d.maker, d.by_person, json.dumps(d.reasons), d.note, now) for d in decisions]
        if rows:
            with self._database.write() as connection:
                connection.executemany(
                    "INSERT INTO decision (asset, action, maker, by_person, reasons, note, at) VALUES (?, ?, ?, ?, ?, "
                    "?, ?)",
                    rows,
                )

    def latest(self, assets: Sequence[str]) -> dict[str, Decision]:
        """By asset; those that nothing was decided of are left out."""
        connection = self._database.connection_if_exists()
        found: dict[str, Decision] = {}
        for some in batches(assets) if connection else ():
            assert connection is not None
            last = f"SELECT max(id) FROM decision WHERE asset IN ({marks(some)}) GROUP BY asset"
            query = f"SELECT * FROM decision WHERE id IN ({last})"
            found |= {row["asset"]: _decision(row) for row in connection.execute(query, some)}
        return found

    def history(self, asset: str) -> list[Decision]:
        """All that was decided of it, oldest first."""
        connection = self._database.connection_if_exists()
        query = "SELECT * FROM decision WHERE asset = ? ORDER BY id"
        return [_decision(row) for row in connection.execute(query, (asset,))] if connection else []

    def standing(self, action: Action, limit: int = -1, before: int | None = None) -> list[Decision]:
        """Decisions of this action that still count, newest first; `before`: only those with a smaller id."""
        connection = self._database.connection_if_exists()
        rows = (
            connection.execute(
                """SELECT * FROM decision d WHERE action = ? AND (? IS NULL OR id < ?)
                AND NOT EXISTS (SELECT 1 FROM decision later WHERE later.asset = d.asset AND later.id > d.id)
                ORDER BY id DESC LIMIT ?""",
                (action, before, before, limit),
            )
            if connection
            else ()
        )
        return [_decision(row) for row in rows]

    @property
    def id(self) -> str:
        """What tells this journal from others; a copy has the same. Asking makes the file."""
        if self._id is None:
            found = self._database.connection().execute("SELECT id FROM identity").fetchone()
            if found is None:  # it was lost with a damaged page, and a repair kept the rest
                with self._database.write() as connection:
                    connection.execute("INSERT INTO identity VALUES (lower(hex(randomblob(8))))")
                return self.id
            self._id = str(found[0])
        return self._id

    def last(self) -> int:
        """The number of the last decision; 0 while there is none."""
        connection = self._database.connection_if_exists()
        return int(connection.execute("SELECT coalesce(max(id), 0) FROM decision").fetchone()[0]) if connection else 0

    def since(self, entry: int) -> tuple[int, Mapping[str, bool]]:
        """The last decision's number, and assets that were decided on after an entry, with whether they are blocked
        now."""
        connection = self._database.connection_if_exists()
        rows = (
            connection.execute(
                """SELECT asset, id, action FROM decision
                WHERE id IN (SELECT max(id) FROM decision WHERE id > ? GROUP BY asset) ORDER BY id""",
                (entry,),
            ).fetchall()
            if connection
            else []
        )
        return (rows[-1]["id"] if rows else entry), {row["asset"]: row["action"] == "block" for row in rows}

    def owe(self, assets: Sequence[str]) -> None:
        """They are about to change and have to be judged afterwards; kept through a crash."""
        with self._database.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO owed (asset) VALUES (?)", [(asset,) for asset in assets])

    def owed(self) -> list[str]:
        connection = self._database.connection_if_exists()
        return [row["asset"] for row in connection.execute("SELECT asset FROM owed")] if connection else []

    def settle(self, assets: Sequence[str]) -> None:
        """They have been judged."""
        with self._database.write() as connection:
            connection.executemany("DELETE FROM owed WHERE asset = ?", [(asset,) for asset in assets])

    def close(self) -> None:
        self._database.close()


def _decision(row: Row) -> Decision:
    return Decision(
        row["asset"],
        row["action"],
        row["maker"],
        bool(row["by_person"]),
        tuple(json.loads(row["reasons"])),
        row["note"],
        row["id"],
        row["at"],
    )
