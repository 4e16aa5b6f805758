"""A full disk as an error that says what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossmedia.embeddings.errors import FULL_DISK, DiskFull


@contextmanager
def translate_full_disk(folder: Path) -> Iterator[None]:
    """Raises DiskFull where writing into the folder fails for lack of room."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise DiskFull(f"{folder} cannot be written: the disk is full") from error
        raise


def require_room(folder: Path, reserve: int, size: int = 0) -> None:
    """Raises DiskFull where writing so many bytes would leave less than the reserve free."""
    free = shutil.disk_usage(folder).free
    if free - size < reserve:
        raise DiskFull(
            f"{folder} has {free:,} bytes free, and {reserve + size:,} are needed",
            "free some disk space, or set CROSSMEDIA_RESERVE_BYTES lower",
        )
