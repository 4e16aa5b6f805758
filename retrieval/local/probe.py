"""Whether a local store can be read and written now: by doing both."""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
from pathlib import Path

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.health import Health
from crossmedia.retrieval.local.database import Database

PROBE_BYTES = 64 << 10


def probe(folder: Path, database: Database) -> Health:
    """`red` where the store's file is not in its place, cannot be read, or its folder takes no more bytes."""
    try:
        database.require_in_place()
        with database.read() as connection:
            connection.execute("SELECT id FROM asset ORDER BY id DESC LIMIT 1").fetchone()
        _write_and_read(folder)
    except CrossmediaError as error:
        return Health("red", error.message, error.hint)
    except sqlite3.Error as error:
        return Health("red", f"{database.path} cannot be read: {error}", "it may be damaged")
    except OSError as error:
        hint = "free some disk space, or check the permissions of the folder"
        return Health("red", f"{folder} cannot be written: {error.strerror}", hint)
    return Health("green", f"{folder} is open")


def _write_and_read(folder: Path) -> None:
    """Raises OSError where bytes do not come back. No name is left, whatever happens."""
    written = secrets.token_bytes(PROBE_BYTES)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        if file.read() != written:
            raise OSError(0, "what is read is not what was written")
