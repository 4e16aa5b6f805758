"""One server for one data folder: two would do each other's jobs, and tidy away each other's uploads."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.store import StoreUnusable

FILE: Final = "serve.lock"


class AlreadyServed(CrossmediaError):
    """Another server runs over this data folder."""

    code = "already_served"
    status = 409


@contextmanager
def sole_server(folder: Path) -> Iterator[None]:
    """Nobody else serves this folder inside. The lock is the operating system's: it goes with the process, however that
    ends.

    Raises AlreadyServed, and StoreUnusable where nothing can be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / FILE).open("a")
    except OSError as error:
        raise StoreUnusable(
            f"{folder} cannot be written to: {error}", "a server needs to; searching does not"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyServed(
                f"another server runs over {folder}",
                "stop it, or name another folder with --data; several servers share a folder with CROSSMEDIA_QUEUE",
            ) from error
        yield
