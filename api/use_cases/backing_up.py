"""Copies of a data directory: made while it is used, checked, and put back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from crossmedia.api.databases import DATABASES, DERIVED, FOLDERS, KEYS, data_folder_alone
from crossmedia.api.exchange import exchange, finish_exchange, preparing
from crossmedia.api.full_disk import translate_full_disk
from crossmedia.api.runtime import Runtime
from crossmedia.api.uploads import CHUNK
from crossmedia.embeddings.errors import CrossmediaError, DiskFull
from crossmedia.retrieval.local.database import Damaged, is_full
from crossmedia.retrieval.local.translating import UNREADABLE
from crossmedia.retrieval.local.verify import first_damage
from crossmedia.retrieval.store import StoreUnusable

MANIFEST: Final = "backup.json"
BEGUN: Final = "backup.begun"
"""In a folder that is being written; one without it, of the name it would have, is another's."""


class BackupUnwritable(CrossmediaError):
    """The folder of a backup is there already, or cannot be written."""

    code = "backup_unwritable"


class BackupUnreadable(CrossmediaError):
    """A folder is no backup, or no longer what was written."""

    code = "backup_unreadable"


class DataThere(CrossmediaError):
    """A data directory is not empty, and nothing says that it may be replaced."""

    code = "data_there"
    status = 409


class BackedUp(BaseModel):
    """A file of a backup: its length in bytes and its SHA-256."""

    model_config = ConfigDict(extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds, by path. It is written last: a folder without it is no backup."""

    model_config = ConfigDict(extra="forbid")

    format: str = "crossmedia backup"
    version: int = 1
    made: str
    files: dict[str, BackedUp]


class BackingUp:
    """Copies databases as they are at one moment each, uploads and heads; indexes of vectors are made again."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def back_up(self, folder: Path, tell: Callable[[int], None] = lambda size: None) -> dict[str, Any]:
        """Write a backup into a new folder while others read and write; `tell` hears of bytes written. Returns what
        was written. Raises BackupUnwritable, Damaged, DiskFull.

        The databases come before the uploads: an upload that is indexed in the copy is in the copy, unless it was
        deleted meanwhile.
        """
        data = self._runtime.settings.data
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BackupUnwritable(f"{folder} is there already", "name a new folder")
        partial = folder.with_name(f"{folder.name}.partial")
        if partial.exists() and not (partial / BEGUN).exists():
            raise BackupUnwritable(f"{partial} is in the way", "name another folder")
        with translate_full_disk(folder.parent):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            begun = partial / BEGUN
            begun.touch()
            files: dict[str, BackedUp] = {}
            for name in DATABASES:
                if (data / name).exists():
                    _copy_database(data / name, partial / name)
                    files[name] = _measure(partial / name)
                    tell(files[name].size)
            for path in _lasting_files(data):
                relative = path.relative_to(data)
                try:
                    files[relative.as_posix()] = _copy(path, partial / relative)
                except FileNotFoundError:
                    continue  # deleted since it was listed
                tell(files[relative.as_posix()].size)
            manifest = Manifest(made=datetime.now(UTC).isoformat(timespec="seconds"), files=files)
            (partial / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            os.sync()
            begun.unlink()
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
        return {"folder": str(folder), "files": len(files), "bytes": sum(file.size for file in files.values())}


def restore(
    data: Path, folder: Path, *, replace: bool = False, tell: Callable[[int], None] = lambda size: None
) -> dict[str, Any]:
    """Put a backup in the place of what a data directory holds, which moves into a folder beside it; nothing changes
    before all of the backup was read and compared with its checksums. Where there are keys, they stay as they are.

    Returns what was restored. Raises BackupUnreadable, InUse, DiskFull, and DataThere unless `replace` is set.
    """
    manifest = _read_manifest(folder)
    with data_folder_alone(data), translate_full_disk(data):
        finish_exchange(data)
        present = [name for name in (*DATABASES, *FOLDERS, *DERIVED) if (data / name).exists() and name != KEYS]
        if present and not replace:
            raise DataThere(f"{data} holds {', '.join(present)}", "--replace moves that aside; or name another --data")
        with preparing(data) as prepared:
            for name, backed_up in manifest.files.items():
                source = folder / name
                if not source.is_file():
                    raise BackupUnreadable(f"{source} is missing", "use another backup")
                if _copy(source, prepared / name) != backed_up:
                    raise BackupUnreadable(f"{source} is not what was written", "use another backup")
                tell(backed_up.size)
            if (data / KEYS).exists():
                # A key that was removed since stays removed, and requests that need a key go on to need one.
                (prepared / KEYS).unlink(missing_ok=True)
            replaced = exchange(data, [name for name in present if not (prepared / name).exists()])
        if not any(replaced.iterdir()):
            replaced.rmdir()
    return {
        "data": str(data),
        "made": manifest.made,
        "files": len(manifest.files),
        "replaced": str(replaced) if present else None,
    }


def _read_manifest(folder: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BackupUnreadable(f"{folder} is no whole backup", "crossmedia backup FOLDER makes one") from error
    except (OSError, ValueError, ValidationError) as error:
        raise BackupUnreadable(f"{folder / MANIFEST} cannot be read", "use another backup") from error
    if manifest.format != Manifest.model_fields["format"].default or manifest.version != 1:
        raise BackupUnreadable(f"{folder} is of a version that is not known here", "upgrade crossmedia")
    for name in manifest.files:
        parts = Path(name).parts
        lasting = parts[0] in FOLDERS and len(parts) > 1 and ".." not in parts
        if name not in DATABASES and not lasting:
            raise BackupUnreadable(
                f"{folder} names {name!r}, which is no part of a data directory", "use another backup"
            )
    return manifest


def _lasting_files(data: Path) -> Iterator[Path]:
    for name in FOLDERS:
        for path in sorted((data / name).rglob("*")):
            received = not any(part.startswith(".incoming-") for part in path.relative_to(data).parts)
            if path.is_file() and received:
                yield path


def _copy_database(source: Path, target: Path) -> None:
    """A database as it is at one moment, whoever writes to it. Raises Damaged."""
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written)
            wrong = first_damage(written, "quick_check")
            # One file, which needs nothing beside it.
            written.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if is_full(error, target.parent):
            raise DiskFull(f"{target} cannot be written: the disk is full") from error
        raise StoreUnusable(f"{source} cannot be copied: {error}", "try again") from error
    except UNREADABLE as error:
        wrong = str(error)
    if wrong:
        raise Damaged(f"{source} is damaged: {wrong}", "crossmedia repair first; keep the backups that are there")


def _copy(source: Path, target: Path) -> BackedUp:
    """Copy a file and its times; returns what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            written.write(chunk)
    shutil.copystat(source, target)
    return BackedUp(size=size, sha256=digest.hexdigest())


def _measure(path: Path) -> BackedUp:
    with path.open("rb") as file:
        return BackedUp(size=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())
