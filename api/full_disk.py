"""A full disk as an error that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import DiskFull

FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Raises DiskFull where writing into the folder fails for lack of room."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(f"{folder} cannot be written: the disk is full") from error
        raise
