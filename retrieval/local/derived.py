"""Keeps the FAISS indexes in step with the database: catches up, rebuilds, saves, verifies."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np

from crossmedia.embeddings.encoder import UNALIGNED, Vector, Vectors
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.vectors import Generation, Ids, VectorIndex, files, remove

CHUNK = 20_000
MARKS = 500
TRAIN_SAMPLE = 100_000
SAVE_AFTER, SAVE_SHARE = 500, 0.05
"""How far a file may lag behind its index, in vectors and deletions or as a share of all: catching up on so many costs
a fraction of a second, and a large file is not written again for a few."""


class Derived:
    """The indexes by field (space/modality). Another process's writes are seen at the next search."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._indexes: dict[str, VectorIndex] = {}
        self._saved: dict[str, Generation] = {}
        self._lock = threading.RLock()

    def current(self, field: str) -> VectorIndex | None:
        """The field's index, caught up with the database; None while the field holds no vector."""
        # The lock comes first: snapshots taken under it are as old as their order, and an index only goes forward.
        with self._lock, self._database.read() as connection:
            newest = _newest(connection)
            index = self._indexes.get(field)
            changed = index is None or newest != index.generation
            dim = _dim(connection, field) if changed else None
            if index is None or (dim is not None and dim != index.dim):
                # None yet, or its vectors were made anew by a model of another dimension.
                if dim is None:
                    return None
                index = VectorIndex.open(self._folder, field, dim, newest)
                self._saved[field] = index.generation
                self._indexes[field] = index
            if newest.vector > index.generation.vector or newest.gone > index.generation.gone:
                _catch_up(connection, field, index, newest)
            return index

    def optimise(self) -> None:
        """Train what has outgrown its index, and save what is ahead of its file."""
        for field in self.fields():
            index = self.current(field)
            if index is None:
                continue
            if index.wants_training():
                with self._database.read() as connection:
                    newest = _newest(connection)
                    fresh = index.train(_sample(connection, index), len(index))
                    _catch_up(connection, field, fresh, newest)
                with self._lock:
                    self._indexes[field] = index = fresh
                    self._saved[field] = Generation()
            behind = self._saved.get(field, Generation())
            lag = index.generation.vector - behind.vector + index.generation.gone - behind.gone
            if lag >= max(SAVE_AFTER, SAVE_SHARE * len(index)):
                index.save(self._folder, field)
                self._saved[field] = index.generation

    def rewrite(self) -> None:
        """No file of an index holds a vector that is gone."""
        rows = self._database.connection().execute("SELECT DISTINCT field FROM gone")
        for field in [row[0] for row in rows]:
            with self._lock:
                index = self.current(field)
                if index is None:
                    remove(self._folder, field)
                elif files(self._folder, field):
                    index.save(self._folder, field)
                    self._saved[field] = index.generation

    def fields(self) -> list[str]:
        """Those that are searched."""
        rows = self._database.connection().execute("SELECT DISTINCT field FROM vector ORDER BY field")
        return [row[0] for row in rows if not row[0].startswith(f"{UNALIGNED}/")]

    def differences(self) -> list[str]:
        """Fields whose index does not hold exactly the database's vectors."""
        wrong = []
        for field in self.fields():
            index = self.current(field)
            truth = np.array(
                [
                    r[0]
                    for r in self._database.connection().execute(
                        "SELECT id FROM vector WHERE field = ? ORDER BY id", (field,)
                    )
                ],
                dtype=np.int64,
            )
            held = index.ids() if index is not None else np.empty(0, dtype=np.int64)
            if not np.array_equal(truth, held):
                missing, extra = np.setdiff1d(truth, held), np.setdiff1d(held, truth)
                wrong.append(f"index {field}: {len(missing)} vectors missing, {len(extra)} that are gone")
        return wrong


def rescored(connection: sqlite3.Connection, ids: Ids, query: Vector) -> list[tuple[int, int, float]]:
    """(vector id, moment id, inner product) of these vectors by the stored floats, best first; ties by id."""
    found: list[tuple[int, int, bytes]] = []
    for start in range(0, len(ids), MARKS):
        some = ids[start : start + MARKS].tolist()
        marks = ", ".join("?" * len(some))
        found += connection.execute(f"SELECT id, moment, data FROM vector WHERE id IN ({marks})", some).fetchall()
    if not found:
        return []
    scores = _matrix([row[2] for row in found], len(query)) @ query
    order = np.lexsort((np.array([row[0] for row in found]), -scores))
    return [(found[i][0], found[i][1], float(scores[i])) for i in order]


def _newest(connection: sqlite3.Connection) -> Generation:
    """The last ids given out, in any field: what AUTOINCREMENT remembers, also of rows that are gone."""
    last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN ('vector', 'gone')").fetchall())
    return Generation(last.get("vector", 0), last.get("gone", 0))


def _dim(connection: sqlite3.Connection, field: str) -> int | None:
    row = connection.execute("SELECT length(data) / 4 FROM vector WHERE field = ? LIMIT 1", (field,)).fetchone()
    return int(row[0]) if row else None


def _catch_up(connection: sqlite3.Connection, field: str, index: VectorIndex, newest: Generation) -> None:
    seen = index.generation
    gone = [
        r[0]
        for r in connection.execute(
            "SELECT vector FROM gone WHERE field = ? AND id > ? AND vector <= ?", (field, seen.gone, seen.vector)
        )
    ]
    rows = connection.execute(
        # Half-way through a change of models there are vectors of other lengths.
        "SELECT id, data FROM vector WHERE field = ? AND id > ? AND id <= ? AND length(data) = ? ORDER BY id",
        (field, seen.vector, newest.vector, 4 * index.dim),
    )
    if 2 * len(gone) > len(index):
        index.outdate()
    while chunk := rows.fetchmany(CHUNK):
        ids = np.array([r[0] for r in chunk], dtype=np.int64)
        index.follow(ids, _matrix([r[1] for r in chunk], index.dim), np.empty(0, dtype=np.int64), seen)
    index.follow(
        np.empty(0, dtype=np.int64), np.empty((0, index.dim), dtype=np.float32), np.array(gone, dtype=np.int64), newest
    )


def _sample(connection: sqlite3.Connection, index: VectorIndex) -> Vectors:
    """At most TRAIN_SAMPLE of the index's vectors, drawn at random: ids of fields written together alternate."""
    ids = index.ids()
    chosen = np.random.default_rng(7).choice(ids, min(TRAIN_SAMPLE, len(ids)), replace=False)
    blobs: list[bytes] = []
    for start in range(0, len(chosen), MARKS):
        some = np.sort(chosen[start : start + MARKS]).tolist()
        marks = ", ".join("?" * len(some))
        blobs += [r[0] for r in connection.execute(f"SELECT data FROM vector WHERE id IN ({marks})", some)]
    return _matrix(blobs, index.dim)


def _matrix(blobs: list[bytes], dim: int) -> Vectors:
    return np.frombuffer(b"".join(blobs), dtype=np.float32).reshape(len(blobs), dim)
