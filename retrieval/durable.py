"""Making what was written survive a loss of power."""

from __future__ import annotations

import os
from pathlib import Path


def write_through(path: Path) -> None:
    """Force a file's bytes, or a folder's names, out of the system's cache; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
