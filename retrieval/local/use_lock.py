"""Who uses a SQLite file: told by a lock beside it, so that whoever comes first after a crash looks whether it is
whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from crossmedia.retrieval.store import StoreUnusable


class InUse(StoreUnusable):
    """Another process has a database open that has to be had alone."""

    code = "store_in_use"
    status = 409


def suspect(path: Path) -> None:
    """Damage of a file was met: whoever is alone with it next looks through it."""
    _mark(path).touch()


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


class UseLock:
    """A process's use of a file, shared with others. `NAME.lock` is locked while it lasts; `NAME.suspect` is there
    after damage was met, until the file was looked through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = _mark(path)
        self._descriptor = os.open(_lock(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._alone = True
        except BlockingIOError:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
            self._alone = False

    def wants_check(self) -> bool:
        """Whether nobody else uses it, and the last to do so did not end as they should or met damage: SQLite removes
        the log of changes when the last connection closes."""
        log = self._path.with_name(f"{self._path.name}-wal")
        return self._alone and (self.is_suspect() or (log.exists() and log.stat().st_size > 0))

    def share(self) -> None:
        """Let others in."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_suspect(self) -> bool:
        return self._mark.exists()

    def suspect(self) -> None:
        """Damage was met."""
        suspect(self._path)

    def clear(self) -> None:
        """It was looked through, and is whole."""
        self._mark.unlink(missing_ok=True)

    def end(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@contextmanager
def alone(paths: Sequence[Path]) -> Iterator[None]:
    """Nobody else opens these SQLite files inside; raises InUse where somebody has one open."""
    with ExitStack() as stack:
        for path in paths:
            descriptor = os.open(_lock(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUse(f"another process uses {path}", "stop the service and other commands first") from error
        yield


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
