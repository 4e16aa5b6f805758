"""Saved FAISS indexes: named by what they were derived from and by their checksum, and believed only as such."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import faiss

from crossmedia.embeddings.errors import DiskFull
from crossmedia.retrieval.local.vectors import Generation, VectorIndex
from crossmedia.retrieval.partial import abandoned, partial_name

log = logging.getLogger("crossmedia.vectors")
DIGITS = 32
"""Of the SHA-256 of a file, in its name."""


@dataclass(frozen=True)
class _Saved:
    """A file `FIELD.VECTOR.GONE.TRAINED_ON.EPOCH.CHECKSUM.faiss`."""

    path: Path
    generation: Generation
    trained_on: int
    checksum: str


def save(index: VectorIndex, folder: Path, field: str) -> None:
    """Write an index in place of the field's other files; the rename is what makes it count. Other processes may do so
    at the same time, other threads not."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in abandoned(folder, _stem(field)):
        left.unlink(missing_ok=True)
    with index.held() as (content, generation, trained_on):
        derived = f"{_stem(field)}.{generation.vector}.{generation.gone}.{trained_on}.{generation.epoch}"
        partial = folder / partial_name(derived)
        try:
            faiss.write_index(content, str(partial))
        except RuntimeError as error:
            partial.unlink(missing_ok=True)
            raise DiskFull(f"an index cannot be written to {folder}: {error}") from error
    path = folder / f"{derived}.{_checksum(partial)}.faiss"
    partial.replace(path)
    for old in folder.glob(f"{_stem(field)}.*.faiss"):
        if old != path:
            old.unlink(missing_ok=True)


def load(folder: Path, field: str, dim: int, fits: Callable[[Generation], bool]) -> VectorIndex:
    """The saved index that has seen most of those that fit the store and are as they were written; else an empty one,
    which catches up with everything."""
    for saved in sorted(_saved(folder, field), key=lambda s: (s.generation.vector, s.generation.gone), reverse=True):
        if not fits(saved.generation):
            # It may also be that of another process, which has seen more than this snapshot.
            log.info("%s is not of this store as it is, and is not used", saved.path)
            continue
        try:
            if _checksum(saved.path) == saved.checksum:
                loaded = faiss.read_index(str(saved.path))
                if loaded.d == dim:
                    return VectorIndex.holding(loaded, saved.generation, saved.trained_on)
            else:
                log.warning("%s is damaged; it is made anew", saved.path)
        except (OSError, RuntimeError) as error:
            # Gone meanwhile, or not to be read by this process: that is no reason to remove it.
            log.warning("%s cannot be read, and its index is made anew: %s", saved.path, error)
            continue
        with suppress(OSError):  # in a folder that may only be read it stays, and is passed over each time
            saved.path.unlink(missing_ok=True)
    return VectorIndex(dim)


def files(folder: Path, field: str) -> list[Path]:
    """Every file of a field's index, whole or not."""
    return [*folder.glob(f"{_stem(field)}.*.faiss"), *folder.glob(f".{_stem(field)}.*.partial")]


def remove(folder: Path, field: str) -> None:
    for path in files(folder, field):
        path.unlink(missing_ok=True)


def _saved(folder: Path, field: str) -> Iterator[_Saved]:
    """Files of a field by their names; those of other names, such as earlier versions gave, are none."""
    for path in folder.glob(f"{_stem(field)}.*.faiss"):
        parts = path.name.split(".")
        if len(parts) == 7 and all(part.isdigit() for part in parts[1:4]):
            vector, gone, trained_on = map(int, parts[1:4])
            yield _Saved(path, Generation(vector, gone, parts[4]), trained_on, parts[5])


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def _stem(field: str) -> str:
    return field.replace("/", "-")
