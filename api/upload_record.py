"""What is recorded of uploads: which were deleted on request, and where they lie; a SQLite file beside them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from crossmedia.retrieval.local.deferred import DeferredDatabase

FILE: Final = "uploads.sqlite"


class UploadRecord:
    """A deletion is written here before anything goes. Looking where nothing was ever written makes no file."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreUnusable at the first use where the file cannot be opened."""
        self._database = DeferredDatabase(folder / FILE, "crossmedia.api")

    def begin_deletion(self, names: Mapping[str, Sequence[str]], jobs: Mapping[str, Collection[str]]) -> None:
        """The uploads of these assets are to go; by asset the names of their files, and the jobs that were sent with
        them and have not ended."""
        now = time.time()
        rows = [
            (asset, json.dumps(list(files), ensure_ascii=False), now, json.dumps(sorted(jobs.get(asset, ()))))
            for asset, files in names.items()
        ]
        with self._database.write() as connection:
            connection.executemany("INSERT INTO deleted_upload (asset, names, at, jobs) VALUES (?, ?, ?, ?)", rows)

    def unfinished_deletions(self) -> dict[str, set[str]]:
        """Assets whose uploads were to go when the process died, with the jobs that they were sent with."""
        found: dict[str, set[str]] = {}
        if self._database.exists:
            with self._database.read() as connection:
                rows = connection.execute("SELECT asset, jobs FROM deleted_upload WHERE NOT finished").fetchall()
            for row in rows:
                found.setdefault(row["asset"], set()).update(json.loads(row["jobs"]))
        return found

    def deleted_under(self, job: str) -> set[str]:
        """Assets that this job was sent with and that somebody deleted before it ended."""
        if not self._database.exists:
            return set()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT asset FROM deleted_upload WHERE EXISTS (SELECT 1 FROM json_each(jobs) WHERE value = ?)", (job,)
            ).fetchall()
        return {row["asset"] for row in rows}

    def finish_deletion(self, assets: Sequence[str]) -> None:
        """The uploads of these assets are gone."""
        self._change("UPDATE deleted_upload SET finished = 1 WHERE asset = ? AND NOT finished", assets)

    def withdraw_deletion(self, assets: Sequence[str]) -> None:
        """These assets were not deleted after all."""
        self._change("DELETE FROM deleted_upload WHERE asset = ? AND NOT finished", assets)

    def place(self) -> str | None:
        """The folder of uploads that the store was last told of."""
        if not self._database.exists:
            return None
        with self._database.read() as connection:
            row = connection.execute("SELECT folder FROM place").fetchone()
        return row["folder"] if row else None

    def set_place(self, folder: Path) -> None:
        """The store knows that the uploads lie there."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM place")
            connection.execute("INSERT INTO place VALUES (?)", (str(folder),))

    def close(self) -> None:
        self._database.close()

    def _change(self, statement: str, assets: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.executemany(statement, [(asset,) for asset in assets])
