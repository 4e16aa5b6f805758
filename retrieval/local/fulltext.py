"""BM25 over FTS5, bounded: what cannot pass the cut-off is not read, what cannot be told apart is not ranked."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from crossmedia.retrieval import wording
from crossmedia.retrieval.documents import FIELDS
from crossmedia.retrieval.local import words
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import TextMatch

MAX_RANKED = 1_000
"""Where more moments hold the words than this, the newest are ranked: among so many, BM25 tells little apart."""
TIERS = 3
SAFE_COVERAGE = 0.7
"""Texts that cover less of a query's information lie below the default cut-off (`retrieval.relevance.of_words`)."""


def search(
    connection: sqlite3.Connection,
    frequencies: words.Frequencies,
    text: str,
    k: int,
    filters: Filters,
    without: Sequence[str],
    least: float,
) -> list[TextMatch]:
    """The k best, best first; only what could cover `least` of the query is looked for."""
    wanted = wording.content_words(text)
    if not wanted:
        return []
    information = frequencies.information(connection, wanted)
    needed = words.needed_words(wanted, information, SAFE_COVERAGE)
    expressions = words.match_expressions(wanted, needed, without)
    if least >= SAFE_COVERAGE and len(expressions) == TIERS:
        expressions.pop()  # texts without a needed word cannot cover that much
    rows: dict[int, sqlite3.Row] = {}
    for expression in expressions:
        for row in _matching(connection, expression, k, filters):
            rows.setdefault(row[0], row)
        if len(rows) >= k:
            break
    return [_match(row, information) for row in list(rows.values())[:k]]


def _match(row: sqlite3.Row, information: dict[str, float]) -> TextMatch:
    highlighted = list(row)[3:]
    terms = wording.marked_words(" ".join(column or "" for column in highlighted))
    held = {wording.stem(term) for term in terms} & set(information)
    best = wording.best_field(highlighted)
    coverage = min(1.0, sum(information[term] for term in held) / sum(information.values()))
    return TextMatch(row[2], -float(row[1]), coverage, FIELDS[best], wording.snippet(highlighted[best]), tuple(terms))


def _matching(connection: sqlite3.Connection, expression: str, k: int, filters: Filters) -> list[sqlite3.Row]:
    """(rowid, rank, moment, highlighted columns) of the k best by BM25 among the newest MOST_RANKED that match."""
    where, values = conditions(filters)
    # The joins run only over what matched; without filters they are left out altogether.
    join = "JOIN moment m ON m.id = moment_words.rowid JOIN asset a ON a.id = m.asset" if where else ""
    matching = f"FROM moment_words {join} WHERE moment_words MATCH ? {'AND ' + where if where else ''}"
    beyond = connection.execute(
        f"SELECT moment_words.rowid {matching} ORDER BY moment_words.rowid DESC LIMIT 1 OFFSET {MAX_RANKED}",
        [expression, *values],
    ).fetchone()
    columns = ", ".join(
        f"highlight(moment_words, {i}, '{wording.OPEN}', '{wording.CLOSE}')" for i in range(len(FIELDS))
    )
    return connection.execute(
        f"""SELECT moment_words.rowid, rank, (SELECT key FROM moment WHERE id = moment_words.rowid), {columns}
        {matching} AND moment_words.rowid > ?
        ORDER BY rank, moment_words.rowid LIMIT ?""",
        [expression, *values, beyond[0] if beyond else 0, k],
    ).fetchall()
