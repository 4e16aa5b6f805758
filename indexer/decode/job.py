"""What runs inside a decode worker: bounds on its memory and time, and a list of files one after the other."""

from __future__ import annotations

import ctypes
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.decode.types import Decoded, Limits

Read: TypeAlias = Callable[[Path, Limits, Progress], Decoded]
"""`indexer.decode.reader.decode`, or something that takes its place; importable by name."""

_MMAP_THRESHOLD, _LARGE = -3, 1 << 20
"""glibc's number of that setting (malloc.h), and bytes from which an array counts as large."""
PACE = 0.5
"""Seconds a decoder may take for each second of media it has decoded, beyond `Limits.wall_seconds`."""


class Alarm:
    """Kills this process by SIGALRM once a file has used up its time.

    The kernel does the killing, so a decoder stuck in native code dies too. Each second of media decoded buys half a
    second more: a long video may take its time, a stuck one may not.
    """

    def __init__(self, wall_seconds: float) -> None:
        self._end = time.monotonic() + wall_seconds
        self._paid = 0.0
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, wall_seconds)

    def progress(self, seconds: float) -> None:
        """`seconds` of media are decoded."""
        if seconds < self._paid + 1.0:
            return
        self._end += (seconds - self._paid) * PACE
        self._paid = seconds
        signal.setitimer(signal.ITIMER_REAL, max(1e-3, self._end - time.monotonic()))

    @staticmethod
    def off() -> None:
        """No more killing."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def prepare(memory: int, scratch: str) -> None:
    """Once in each new worker: at most `memory` bytes of address space, temporary files in the folder `scratch`; Ctrl-C
    is the parent's business."""
    tempfile.tempdir = scratch
    _give_back()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _give_back() -> None:
    """What large arrays took goes back to the system with them, where the C library would keep it for the next ones."""
    with suppress(OSError, AttributeError):  # another C library has no such setting
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


@contextmanager
def memory_beyond(size: int) -> Iterator[None]:
    """Inside, this process may take so many bytes of address space more than it has; only where it has a limit at all,
    as workers do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        yield
        return
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (min(soft, held + size), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def read_all(read: Read, paths: Sequence[Path], limits: Limits) -> list[Decoded | CrossmediaError]:
    """Each file decoded, or why not, in order."""
    results: list[Decoded | CrossmediaError] = []
    for path in paths:
        alarm = Alarm(limits.wall_seconds)
        try:
            results.append(read(path, limits, alarm.progress))
        except CrossmediaError as error:
            results.append(error)
        finally:
            alarm.off()
    return results
