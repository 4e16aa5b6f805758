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
from crossmedia.retrieval.wording import Finder, QueryWords

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
    terms = wanted.terms
    if not terms:
        return []
    information = frequencies.information(connection, terms)
    needed = words.needed_terms(wanted, information, SAFE_COVERAGE)
    expressions = words.match_expressions(terms, needed, without)
    if least >= SAFE_COVERAGE and len(expressions) == TIERS:
        expressions.pop()  # texts without a needed word cannot cover that much
    rows: dict[int, sqlite3.Row] = {}
    for expression in expressions:
        for row in _matching(connection, expression, k, filters):
            rows.setdefault(row[0], row)
        if len(rows) >= k:
            break
    finder = wording.Finder(terms)
    return [_match(row, wanted, information, finder) for row in list(rows.values())[:k]]


def _match(row: sqlite3.Row, wanted: QueryWords, information: dict[str, float], finder: Finder) -> TextMatch:
    highlighted, covered = finder.mark([text or "" for text in list(row)[3:]])
    terms = wording.marked_words(" ".join(highlighted))
    best = wording.best_field(highlighted)
    coverage = wanted.coverage(covered, information)
    return TextMatch(row[2], -float(row[1]), coverage, FIELDS[best], wording.snippet(highlighted[best]), tuple(terms))


def _matching(connection: sqlite3.Connection, expression: str, k: int, filters: Filters) -> list[sqlite3.Row]:
    """(rowid, rank, moment, texts) of the k best by BM25 among the newest MOST_RANKED that match."""
    where, values = conditions(filters)
    # The joins run only over what matched; without filters they are left out altogether.
    join = "JOIN moment m ON m.id = moment_words.rowid JOIN asset a ON a.id = m.asset" if where else ""
    matching = f"FROM moment_words {join} WHERE moment_words MATCH ? {'AND ' + where if where else ''}"
    beyond = connection.execute(
        f"SELECT moment_words.rowid {matching} ORDER BY moment_words.rowid DESC LIMIT 1 OFFSET {MAX_RANKED}",
        [expression, *values],
    ).fetchone()
    # The texts themselves are those of the moments: the index may hold them otherwise (`010_any_script.sql`).
    return connection.execute(
        f"""SELECT number, score, moment.key, {", ".join(f"moment.{field}" for field in FIELDS)}
        FROM (SELECT moment_words.rowid AS number, rank AS score {matching} AND moment_words.rowid > ?
        ORDER BY rank, moment_words.rowid LIMIT ?) JOIN moment ON moment.id = number ORDER BY score, number""",
        [expression, *values, beyond[0] if beyond else 0, k],
    ).fetchall()
