"""Bound what decoders may hold in memory: by the kind of file, and never more than a share of the machine's."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 2 << 30
"""Bytes for the largest pictures and films that are accepted."""
MAX_TEXT_BYTES: Final = 1 << 30
"""Bytes for a text or a PDF. What needs more is a drawing that draws itself."""
MIN_BYTES: Final = 384 << 20
"""Bytes without which a decoder reads hardly any film: its threads and buffers alone take half of that."""
SHARE: Final = 0.5
"""Of the machine's memory, for all decoders together; models, indexes and the system's cache have the rest."""
BESIDE: Final = 5
"""Processes that decode beside those of an ingest: two for examples, one each for short jobs, for the hashes of films
and for provenance."""
_GROUPS: Final = Path("/sys/fs/cgroup")

_allowed: int | None = None
"""Bytes that this process may hold at most, if it is one that decodes."""


def machine_memory(groups: Path = _GROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes of memory of this machine, or of the control groups (a container, a service) that this process is in."""
    bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _limit_files(groups, membership):
        try:
            written = file.read_text().strip()
        except OSError:
            continue
        if written.isdigit():  # not "max"
            bounds.append(int(written))
    return min(bounds)


def _limit_files(groups: Path, membership: Path) -> Iterator[Path]:
    """Where limits may be written, of version 2 and 1, from the innermost group outwards. Inside of a container its own
    group is the root."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    for line in [*lines, "0::/", "0:memory:/"]:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        place = root / path.strip("/")
        while place.is_relative_to(root):
            yield place / name
            place = place.parent


def share(processes: int) -> int:
    """Bytes that one of so many decoding processes may hold."""
    return max(MIN_BYTES, min(MAX_BYTES, int(machine_memory() * SHARE) // processes))


def confine(most: int) -> None:
    """This process decodes, and may hold so many bytes. What libraries and files take that are mapped, and can be read
    again, does not count."""
    global _allowed
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    _allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (_allowed, hard))


@contextmanager
def at_most(most: int) -> Iterator[None]:
    """Inside, a process that is confined may hold no more than this either; others are left as they are."""
    if _allowed is None or _allowed <= most:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
