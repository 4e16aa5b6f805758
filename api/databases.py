"""The SQLite files of a data directory, and their schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crossmedia.retrieval.local.use_lock import alone

KEYS: Final = "keys.sqlite"
DATABASES: Final = {
    "store.sqlite": "crossmedia.retrieval.local",
    "jobs.sqlite": "crossmedia.indexer",
    "uploads.sqlite": "crossmedia.api",
    "decisions.sqlite": "crossmedia.retrieval.policy",
    "banks.sqlite": "crossmedia.retrieval.banks",
    KEYS: "crossmedia.api.keys",
}
"""By file name the package that holds the schema."""
FOLDERS: Final = ("uploads", "heads", "vocabularies")
"""What else of a data directory cannot be made again."""
DERIVED: Final = ("vectors",)
"""What is made again from the store."""


@contextmanager
def data_folder_alone(data: Path) -> Iterator[None]:
    """Nobody else uses the data directory inside; raises InUse."""
    data.mkdir(parents=True, exist_ok=True)
    with alone([data / name for name in DATABASES]):
        yield
