"""Puts prepared files in the place of those of a data directory, so that a crash leaves the old or leads to the new."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crossmedia.retrieval.store import StoreUnusable

PREPARING: Final = ".preparing"
PREPARED: Final = ".prepared-"
REPLACED: Final = "replaced-"
LIST: Final = "exchange.json"
BESIDE: Final = ("-wal", "-shm", ".suspect")
"""Endings of what belongs to a SQLite file and goes with it."""


class ExchangeUnfinished(StoreUnusable):
    """A repair or a restore was interrupted while it put its files in place."""

    code = "exchange_unfinished"


@contextmanager
def preparing(data: Path) -> Iterator[Path]:
    """A new folder inside the data directory to fill; it is gone afterwards unless `exchange` took it."""
    folder = data / PREPARING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def exchange(data: Path, remove: Collection[str] = ()) -> Path:
    """Put what was prepared in its place; `remove`: names in the data directory that have nothing in their place.
    Returns the folder with what was there before."""
    folder = data / PREPARING
    (folder / LIST).write_text(json.dumps({"remove": sorted(remove)}), encoding="utf-8")
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    number = 1
    while (data / f"{REPLACED}{stamp}-{number}").exists():
        number += 1
    os.sync()
    # From here on the new files count: whoever is interrupted finds them and goes on.
    folder.rename(data / f"{PREPARED}{stamp}-{number}")
    [replaced] = finish_exchange(data)
    return replaced


def finish_exchange(data: Path) -> list[Path]:
    """Go on with exchanges that were interrupted; returns the folders with what was there before."""
    done = []
    for prepared in _unfinished(data):
        replaced = data / f"{REPLACED}{prepared.name.removeprefix(PREPARED)}"
        replaced.mkdir(exist_ok=True)
        for name in json.loads((prepared / LIST).read_text(encoding="utf-8"))["remove"]:
            _move_aside(data / name, replaced)
        for path in sorted(prepared.iterdir()):
            if path.name != LIST:
                _move_aside(data / path.name, replaced)
                path.rename(data / path.name)
        shutil.rmtree(prepared)
        done.append(replaced)
    return done


def require_finished(data: Path) -> None:
    """Raises ExchangeUnfinished: until it is finished, old and new files lie side by side."""
    if _unfinished(data):
        raise ExchangeUnfinished(
            f"a repair or a restore of {data} was interrupted", "crossmedia repair finishes it; nothing is lost"
        )


def _unfinished(data: Path) -> list[Path]:
    return sorted(data.glob(f"{PREPARED}*"))


def _move_aside(path: Path, replaced: Path) -> None:
    """The file itself goes last: once it is there, all that belongs to it is."""
    if (replaced / path.name).exists():
        return
    for ending in BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(replaced / beside.name)
    if path.exists():
        path.rename(replaced / path.name)
