"""Whether what nobody foresaw comes from a damaged file, of which SQLite may hand out rows as if they were whole."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from crossmedia.api.databases import DATABASES
from crossmedia.retrieval.local.database import Damaged, damaged
from crossmedia.retrieval.local.use_lock import suspect
from crossmedia.retrieval.local.verify import first_damage

AGAIN_SECONDS: Final = 600.0
"""So long after a look that found nothing there is no other: it reads whole files."""

_looked: dict[Path, float] = {}
_looking = threading.Lock()


def find_damage(data: Path) -> Damaged | None:
    """To be asked after an unforeseen error: the first of the databases whose rows break what their tables promise, or
    whose pages are damaged. It is noted, so that the next start looks through it, and nothing is written before."""
    with _looking:
        if time.monotonic() < _looked.get(data, 0.0):
            return None
        for name in DATABASES:
            if (data / name).exists() and (wrong := _first_damage(data / name)):
                suspect(data / name)
                return damaged(data / name, wrong)
        _looked[data] = time.monotonic() + AGAIN_SECONDS
        return None


def _first_damage(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return first_damage(connection, "quick_check")
    except sqlite3.OperationalError:
        return ""
