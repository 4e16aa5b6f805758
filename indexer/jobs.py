"""The embedded queue, which one process works through: jobs in a SQLite file."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import CRASHED, MAX_ATTEMPTS, Job, JobState, QueueFull
from crossmedia.retrieval.local.deferred import DeferredDatabase
from crossmedia.retrieval.store import NotFound


class Jobs:
    """A `Queue` in a SQLite file of its own: progress is written often and must not hold up the store's writer.

    Counting where there never was a job makes no file."""

    def __init__(self, folder: Path, limit: int = 1000) -> None:
        """Raises StoreUnusable at the first use where the file cannot be opened."""
        self._database = DeferredDatabase(folder / "jobs.sqlite", "crossmedia.indexer")
        self._limit = limit

    def submit(self, kind: str, payload: Mapping[str, Any], *, short: bool = False) -> Job:
        with self._database.write() as connection:
            waiting = connection.execute("SELECT count(*) FROM job WHERE state = 'queued' AND kind = ?", (kind,))
            if waiting.fetchone()[0] >= self._limit:
                raise QueueFull(f"{self._limit} jobs are waiting", f"try again in {QueueFull.retry_after} s")
            return _insert(connection, kind, json.dumps(dict(payload)), short)

    def claim(self, *, short: bool = False) -> Job | None:
        with self._database.write() as connection:
            row = connection.execute(
                """UPDATE job SET state = 'running', attempts = attempts + 1, error = NULL, updated = ? WHERE number =
                (SELECT number FROM job WHERE state = 'queued' AND short >= ?
                ORDER BY report IS NOT NULL, number LIMIT 1) RETURNING *""",
                (time.time(), short),
            ).fetchone()
        return _job(row) if row else None

    def release(self, job: str, report: Mapping[str, Any] | None = None, error: CrossmediaError | None = None) -> None:
        self._update(
            job,
            "state = 'queued', short = 0, attempts = attempts - 1, report = ?, error = ?",
            json.dumps(dict(report)) if report is not None else None,
            json.dumps(error.as_dict()) if error else None,
        )

    def recover(self, held: Collection[str] = ()) -> int:
        """Only the queue's one worker may call it: all that runs, but for what it holds, was running when the process
        died."""
        dead = "state = 'running' AND id NOT IN (SELECT value FROM json_each(?))"
        mine = json.dumps([*held])
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE job SET state = 'failed', error = ? WHERE {dead} AND attempts >= ?",
                (json.dumps(CRASHED), mine, MAX_ATTEMPTS),
            )
            return connection.execute(f"UPDATE job SET state = 'queued', short = 0 WHERE {dead}", (mine,)).rowcount

    def progress(self, job: str, step: str, done: int, total: int) -> None:
        self._update(job, "step = ?, done = ?, total = ?", step, done, total)

    def finish(self, job: str, report: Mapping[str, Any]) -> None:
        self._update(job, "state = 'done', report = ?", json.dumps(dict(report)))

    def fail(self, job: str, error: CrossmediaError, report: Mapping[str, Any] | None = None) -> None:
        self._update(
            job,
            "state = 'failed', error = ?, report = ?",
            json.dumps(error.as_dict()),
            json.dumps(dict(report)) if report else None,
        )

    def get(self, job: str) -> Job:
        row = self._database.connection().execute("SELECT * FROM job WHERE id = ?", (job,)).fetchone()
        if row is None:
            raise NotFound(f"no job {job}", "GET /v1/jobs lists them")
        return _job(row)

    def list(self, state: JobState | None = None, limit: int = 100) -> list[Job]:
        rows = self._database.connection().execute(
            """SELECT id, kind, '{}' AS payload, state, created, updated, attempts, step, done, total, NULL AS report,
            error, short FROM job WHERE ? IS NULL OR state = ? ORDER BY number DESC LIMIT ?""",
            (state, state, limit),
        )
        return [_job(row) for row in rows]

    def unfinished(self) -> Sequence[Job]:
        rows = self._database.connection().execute(
            "SELECT * FROM job WHERE state IN ('queued', 'running') ORDER BY number"
        )
        return [_job(row) for row in rows]

    def fresh(self) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM job WHERE state = 'queued' AND report IS NULL)"
        return bool(self._database.connection().execute(query).fetchone()[0])

    def counts(self) -> dict[str, int]:
        if not self._database.exists:
            return {}
        rows = self._database.connection().execute("SELECT state, count(*) FROM job GROUP BY state")
        return {row[0]: row[1] for row in rows}

    def close(self) -> None:
        self._database.close()

    def _update(self, job: str, assignments: str, *values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(f"UPDATE job SET {assignments}, updated = ? WHERE id = ?", (*values, time.time(), job))


def _insert(connection: Connection, kind: str, payload: str, short: bool) -> Job:
    now = time.time()
    row = connection.execute(
        """INSERT INTO job (id, kind, payload, state, created, updated, short) VALUES (?, ?, ?, 'queued', ?, ?, ?)
        RETURNING *""",
        (uuid.uuid4().hex, kind, payload, now, now, short),
    ).fetchone()
    return _job(row)


def _job(row: Row) -> Job:
    return Job(
        row["id"],
        row["kind"],
        json.loads(row["payload"]),
        row["state"],
        row["created"],
        row["updated"],
        row["attempts"],
        row["step"],
        row["done"],
        row["total"],
        json.loads(row["report"]) if row["report"] else None,
        json.loads(row["error"]) if row["error"] else None,
        short=bool(row["short"]),
    )
