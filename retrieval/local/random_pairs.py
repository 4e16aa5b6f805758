"""Vectors drawn from the whole store, and what was measured on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from crossmedia.embeddings.encoder import Vectors
from crossmedia.retrieval.local.rows import from_blob
from crossmedia.retrieval.store import RandomPairs


def sample(connection: sqlite3.Connection, field: str, count: int) -> Vectors:
    """At most `count` vectors of a field, evenly over their ids."""
    ids = [row[0] for row in connection.execute("SELECT id FROM vector WHERE field = ? ORDER BY id", [field])]
    chosen = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    one = "SELECT data FROM vector WHERE id = ?"
    found = [from_blob(connection.execute(one, [ids[n]]).fetchone()[0]) for n in chosen]
    return np.stack(found) if found else np.zeros((0, 0), np.float32)


def keep(connection: sqlite3.Connection, measured: Sequence[RandomPairs]) -> None:
    """Instead of what was kept before."""
    connection.execute("DELETE FROM unrelated")
    connection.executemany("INSERT INTO unrelated VALUES (?, ?, ?, ?, ?, ?, ?)", map(astuple, measured))
