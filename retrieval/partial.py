"""Names of what is being written beside the place where it is to be, and what writers that died have left of it."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path


def partial_name(name: str) -> str:
    """What a file or folder that is to be called so is called while this process writes it."""
    return f".{name}.{os.getpid()}.partial"


def abandoned(folder: Path, beginning: str) -> Iterator[Path]:
    """What killed processes left in a folder of things whose names begin so."""
    for left in folder.glob(f".{glob.escape(beginning)}.*.partial"):
        try:
            os.kill(int(left.name.split(".")[-2]), 0)
        except ProcessLookupError:
            yield left
        except (ValueError, OverflowError, PermissionError):
            continue  # not ours, or still at it
