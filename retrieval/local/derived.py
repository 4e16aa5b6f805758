"""Keeps the FAISS indexes in step with the database: catches up, rebuilds, saves, verifies."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np

from crossmedia.embeddings.encoder import UNALIGNED, Vector, Vectors
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.epochs import is_past, newest
from crossmedia.retrieval.local.index_files import files, load, remove, save
from crossmedia.retrieval.local.vectors import Generation, Ids, VectorIndex

CHUNK = 20_000
MARKS = 500
TRAIN_SAMPLE = 100_000
WITHIN = {True: 0.0, False: 0.2}
"""How far a vector of an exact index, or of one with 8-bit codes, may lie from the stored one of length 1: rounding
moves it by 0.01, and another one's lies farther away than 0.2 unless it is nearly the same."""
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
        self._saving = threading.Lock()
        """Held while indexes are trained and written to files."""

    def current(self, field: str) -> VectorIndex | None:
        """The field's index, caught up with the database; None while the field holds no vector."""
        # The lock comes first: snapshots taken under it are as old as their order, and an index only goes forward.
        with self._lock, self._database.read() as connection:
            last = newest(connection)
            index = self._indexes.get(field)
            changed = index is None or (last.vector, last.gone) != (index.generation.vector, index.generation.gone)
            dim = _dim(connection, field) if changed else None
            if index is None or (dim is not None and dim != index.dim):
                # None yet, or its vectors were made anew by a model of another dimension.
                if dim is None:
                    return None
                index = load(self._folder, field, dim, lambda saved: is_past(connection, saved))
                self._saved[field] = index.generation
                self._indexes[field] = index
            if last.vector > index.generation.vector or last.gone > index.generation.gone:
                _catch_up(connection, field, index, last)
            return index

    def optimise(self) -> None:
        """Train what has outgrown its index, and save what is ahead of its file. Where another thread is at it, that
        is enough: what it misses is done the next time."""
        if not self._saving.acquire(blocking=False):
            return
        try:
            self._optimise()
        finally:
            self._saving.release()

    def _optimise(self) -> None:
        for field in self.fields():
            index = self.current(field)
            if index is None:
                continue
            if index.wants_training():
                with self._database.read() as connection:
                    last = newest(connection)
                    fresh = index.train(_sample(connection, index), len(index))
                    _catch_up(connection, field, fresh, last)
                with self._lock:
                    self._indexes[field] = index = fresh
                    self._saved[field] = Generation()
            behind = self._saved.get(field, Generation())
            lag = index.generation.vector - behind.vector + index.generation.gone - behind.gone
            if lag >= max(SAVE_AFTER, SAVE_SHARE * len(index)):
                save(index, self._folder, field)
                self._saved[field] = index.generation

    def rewrite(self) -> None:
        """No file of an index holds a vector that is gone."""
        rows = self._database.connection().execute("SELECT DISTINCT field FROM gone")
        for field in [row[0] for row in rows]:
            with self._saving, self._lock:
                index = self.current(field)
                if index is None:
                    remove(self._folder, field)
                elif files(self._folder, field):
                    save(index, self._folder, field)
                    self._saved[field] = index.generation

    def fields(self) -> list[str]:
        """Those that are searched."""
        rows = self._database.connection().execute("SELECT DISTINCT field FROM vector ORDER BY field")
        return [row[0] for row in rows if not row[0].startswith(f"{UNALIGNED}/")]

    def differences(self, compared: int | None = None) -> list[str]:
        """Fields whose index does not hold exactly the database's vectors: all ids, and the numbers of `compared`
        vectors of each field drawn at random (all if None)."""
        wrong = []
        for field in self.fields():
            with self._lock, self._database.read() as connection:
                index = self.current(field)
                query = "SELECT id FROM vector WHERE field = ? ORDER BY id"
                truth = np.array([row[0] for row in connection.execute(query, (field,))], dtype=np.int64)
                held = index.ids() if index is not None else np.empty(0, dtype=np.int64)
                if not np.array_equal(truth, held):
                    missing, extra = np.setdiff1d(truth, held), np.setdiff1d(held, truth)
                    wrong.append(f"index {field}: {len(missing)} vectors missing, {len(extra)} that are gone")
                if index is not None and (others := _others(connection, index, compared)):
                    wrong.append(f"index {field}: {others} vectors are not those of the store")
        return wrong


def _others(connection: sqlite3.Connection, index: VectorIndex, compared: int | None) -> int:
    """How many of an index's vectors differ from those stored under their ids."""
    count = 0
    for ids, rows in index.rows(compared):
        for start in range(0, len(ids), MARKS):
            held = dict(zip(ids[start : start + MARKS].tolist(), rows[start : start + MARKS], strict=True))
            marks = ", ".join("?" * len(held))
            for number, data in connection.execute(f"SELECT id, data FROM vector WHERE id IN ({marks})", [*held]):
                stored = np.frombuffer(data, dtype=np.float32)
                if len(stored) != index.dim or not np.linalg.norm(stored - held[number]) <= WITHIN[index.exact]:
                    count += 1
    return count


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


def _dim(connection: sqlite3.Connection, field: str) -> int | None:
    row = connection.execute("SELECT length(data) / 4 FROM vector WHERE field = ? LIMIT 1", (field,)).fetchone()
    return int(row[0]) if row else None


def _catch_up(connection: sqlite3.Connection, field: str, index: VectorIndex, last: Generation) -> None:
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
        (field, seen.vector, last.vector, 4 * index.dim),
    )
    if 2 * len(gone) > len(index):
        index.outdate()
    while chunk := rows.fetchmany(CHUNK):
        ids = np.array([r[0] for r in chunk], dtype=np.int64)
        index.follow(ids, _matrix([r[1] for r in chunk], index.dim), np.empty(0, dtype=np.int64), seen)
    index.follow(
        np.empty(0, dtype=np.int64), np.empty((0, index.dim), dtype=np.float32), np.array(gone, dtype=np.int64), last
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
