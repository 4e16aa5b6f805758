"""What processes hold in memory: their proportional share of pages, of a whole run or of one tree."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

MARK = "CROSSMEDIA_ATTACK_RUN"
"""A variable by which the processes of a run are known, also those whose parents were killed."""


def held(process: int) -> int:
    """Bytes of one process, pages that it shares divided by those who share them; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


LARGEST = 6
"""Processes that are named, of those that held most memory."""
OTHERS = ("java", "redis-server")
"""Programs of others that tests start, Elasticsearch and Redis."""


def of_run(mark: str) -> list[int]:
    """The processes whose environment carries this mark, without programs of others."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            carries = wanted in (folder / "environ").read_bytes().split(b"\0")
            if carries and (folder / "comm").read_text().strip() not in OTHERS:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


TEST = b"PYTEST_CURRENT_TEST="


def described(process: int) -> str:
    """Whose child it is: the test that started it, or else its command."""
    folder = Path(f"/proc/{process}")
    try:
        words = (folder / "environ").read_bytes().split(b"\0")
        test = next((word.removeprefix(TEST) for word in words if word.startswith(TEST)), b"")
        return (test or (folder / "cmdline").read_bytes().replace(b"\0", b" ")).decode(errors="replace")[:120]
    except OSError:
        return "gone"


class Peak(threading.Thread):
    """Looks twice a second at what the processes of a run hold together; a context manager.

    `bytes` is the most, `largest` what held most of it: bytes, and whose they were.
    """

    def __init__(self, mark: str) -> None:
        super().__init__(daemon=True)
        self._mark = mark
        self._stop_event = threading.Event()
        self.bytes = 0
        self.largest: list[tuple[int, str]] = []

    def run(self) -> None:
        while not self._stop_event.wait(0.5):
            # Tests are processes of the run and not of what they attack, but they hold services of their own.
            sizes = {process: held(process) for process in of_run(self._mark) if process != os.getpid()}
            if sum(sizes.values()) > self.bytes:
                self.bytes = sum(sizes.values())
                most = sorted(sizes, key=lambda process: -sizes[process])[:LARGEST]
                self.largest = [(sizes[process], described(process)) for process in most]

    def __enter__(self) -> Peak:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_event.set()
        self.join()
