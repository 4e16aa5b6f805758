"""Who changed what: a line of JSON for each request that does more than read, and for each change of keys."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from crossmedia.api.settings import Settings

FILE: Final = "audit.jsonl"


class Audit:
    """A file in the data folder to which is only added, by any number of processes.

    Before a line that would make it larger than `limit` bytes it becomes `audit.jsonl.1`, that one `audit.jsonl.2`, and
    so on; the oldest beyond `kept` files goes.
    """

    def __init__(self, folder: Path, limit: int, kept: int) -> None:
        self._path = folder / FILE
        self._limit = limit
        self._kept = kept

    @classmethod
    def of(cls, settings: Settings) -> Audit:
        return cls(settings.data, settings.audit_bytes, settings.audit_files)

    def note(self, key: str, action: str, **details: Any) -> None:
        """One line: when, whose `key`, and what."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = (json.dumps({"at": at, "key": key, "action": action, **details}) + "\n").encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with self._locked() as (file, size):
                if not size or size + len(line) <= self._limit:
                    _append(file, line, size)
                    return
                self._rotate()

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, int]]:
        """The file and its size; no other process or thread writes or renames inside.

        The lock is on the file and not on its name. So whoever has waited for it looks whether the name is still that
        file's.
        """
        while True:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                status = os.fstat(file)
                if self._names(status):
                    yield file, status.st_size
                    return
            finally:
                os.close(file)

    def _names(self, status: os.stat_result) -> bool:
        try:
            return os.path.samestat(self._path.stat(), status)
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        """Each file takes the next number up to the first that is free: one that a crash left free costs no file."""
        names = [self._path, *(self._path.with_name(f"{FILE}.{number}") for number in range(1, self._kept + 1))]
        free = next((number for number, name in enumerate(names) if not name.exists()), self._kept)
        for number in range(free, 0, -1):
            names[number - 1].replace(names[number])


def _append(file: int, line: bytes, size: int) -> None:
    """The whole line, or nothing of it where the disk is full."""
    try:
        while line:
            line = line[os.write(file, line) :]
    except OSError:
        os.ftruncate(file, size)
        raise
