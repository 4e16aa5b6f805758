"""The assets that a journal of decisions blocks: a table that filters look into."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from crossmedia.retrieval.blocking import Journal
from crossmedia.retrieval.documents import asset_of
from crossmedia.retrieval.local.reads import batches, marks
from crossmedia.retrieval.query import Filters


class Match(Protocol):
    @property
    def moment(self) -> str: ...


MatchT = TypeVar("MatchT", bound=Match)


def followed(connection: sqlite3.Connection, journal: str) -> int:
    """The entry of a journal up to which it was followed."""
    row = connection.execute("SELECT entry FROM followed WHERE journal = ?", (journal,)).fetchone()
    return int(row[0]) if row else 0


def follow(connection: sqlite3.Connection, journal: Journal) -> None:
    before = followed(connection, journal.id)
    if journal.last() < before:
        # It is an older copy of the journal that was followed: what it does not tell was never decided.
        connection.execute("DELETE FROM blocked WHERE journal = ?", (journal.id,))
        before = 0
    last, decided = journal.since(before)
    connection.executemany(
        "DELETE FROM blocked WHERE journal = ? AND asset = ?",
        [(journal.id, asset) for asset, blocks in decided.items() if not blocks],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO blocked VALUES (?, ?)",
        [(journal.id, asset) for asset, blocks in decided.items() if blocks],
    )
    connection.execute("INSERT OR REPLACE INTO followed VALUES (?, ?)", (journal.id, last))


def unblocked(
    connection: sqlite3.Connection, filters: Filters, k: int, search: Callable[[Filters], list[MatchT]]
) -> list[MatchT]:
    """The k best matches that meet the filters.

    Few searches meet what is blocked. So they are made without looking at the journal first: where nothing among the
    best is blocked, those are the best that are not.
    """
    if filters.journal is None:
        return search(filters)
    best = search(replace(filters, journal=None))
    hidden = _among(connection, filters.journal, {asset_of(match.moment) for match in best})
    if hidden and len(best) >= k:
        return search(filters)
    return [match for match in best if asset_of(match.moment) not in hidden] if hidden else best


def _among(connection: sqlite3.Connection, journal: str, assets: Iterable[str]) -> set[str]:
    """Those of the assets that the journal blocks."""
    hidden: set[str] = set()
    for some in batches(list(assets)):
        query = f"SELECT asset FROM blocked WHERE journal = ? AND asset IN ({marks(some)})"
        hidden.update(row[0] for row in connection.execute(query, (journal, *some)))
    return hidden
