"""From a store into a folder, a few assets at a time."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from crossmedia.embeddings.align import TO, applied_heads
from crossmedia.embeddings.encoder import COMMON, Space
from crossmedia.embeddings.errors import Remedy
from crossmedia.embeddings.heads import Heads, head_files
from crossmedia.retrieval.archive.heads import copy_head
from crossmedia.retrieval.archive.manifest import (
    FORMAT,
    HEADS,
    ArchivePart,
    ArchiveUnwritable,
    FileLine,
    FolderTaken,
    Manifest,
    SpaceLine,
    UnrelatedLine,
    described,
    first,
    part_names,
    total,
    write_manifest,
)
from crossmedia.retrieval.archive.writing import PartWriter
from crossmedia.retrieval.durable import write_through
from crossmedia.retrieval.partial import abandoned, partial_name
from crossmedia.retrieval.store import RandomPairs, SpaceMismatch, Store, StoreUnusable

READ_AT_ONCE: Final = 32
"""Assets: a film brings some megabytes."""


@dataclass(frozen=True)
class Exported:
    """What an archive has; `bytes` of all files but the manifest."""

    assets: int
    moments: int
    vectors: int
    parts: int
    heads: tuple[str, ...]
    bytes: int


def export(
    store: Store,
    folder: Path,
    heads: Heads,
    *,
    plan: Callable[[int], None] = lambda total: None,
    tell: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> Exported | None:
    """Write everything a store holds into a new folder, with those of `heads` that its vectors were made with.

    The folder appears when it is complete; None, and no folder, where `stop` was set before that. `plan` hears how many
    assets there are, `tell` how many more are written. Memory does not grow with the collection. What comes meanwhile
    may be in it or not. Raises FolderTaken, SpaceMismatch while (or where meanwhile) vectors are made anew,
    StoreUnusable, and ArchiveUnwritable.
    """
    spaces = store.spaces()
    if any(TO in space.revision for space in spaces.values()):
        raise SpaceMismatch("the collection is being reindexed", "let it finish first", Remedy.REINDEX)
    folder = folder.absolute()
    try:
        with _beside(folder) as partial:
            in_use = applied_heads(spaces[COMMON].revision) if COMMON in spaces else ()
            for head in in_use:
                copy_head(heads, Heads(partial / HEADS), head)
            plan(sum(store.statistics().assets.values()))
            parts: list[ArchivePart] = []
            files: dict[str, FileLine] = {}
            for part in _parts(store, partial, tell, stop):
                files |= {name: described(partial / name) for name in part_names(len(parts), part)}
                parts.append(part)
            if stop is not None and stop.is_set():
                return None
            if store.spaces() != spaces:
                raise SpaceMismatch("the collection's models changed while it was exported", "export it again")
            for head in in_use:
                files |= {f"{HEADS}/{name}": described(partial / HEADS / name) for name in head_files(head)}
            manifest = _manifest(spaces.values(), store.random_pairs(), in_use, tuple(parts), files)
            write_manifest(partial, manifest)
            _publish(partial, folder)
    except OSError as error:
        raise ArchiveUnwritable(
            f"{folder} cannot be written: {error}", "free some space, or name another folder"
        ) from error
    counts = manifest.counts
    return Exported(counts.assets, counts.moments, sum(counts.vectors.values()), len(parts), in_use, manifest.bytes)


def _manifest(
    spaces: Iterable[Space],
    unrelated: Iterable[RandomPairs],
    heads: tuple[str, ...],
    parts: tuple[ArchivePart, ...],
    files: dict[str, FileLine],
) -> Manifest:
    try:
        return Manifest(
            format=FORMAT,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            spaces=tuple(
                SpaceLine(name=s.name, dim=s.dim, model=s.model, revision=s.revision, preprocessing=s.preprocessing)
                for s in spaces
            ),
            unrelated=tuple(UnrelatedLine(**vars(one)) for one in unrelated),
            heads=heads,
            counts=total(parts),
            parts=parts,
            files=files,
        )
    except ValidationError as error:
        raise StoreUnusable(
            f"the collection cannot be exported: {first(error)}", "compute the vectors again", Remedy.REINDEX
        ) from error


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """An empty folder of this process beside the one that is to be; gone at the end unless it has become that."""
    check_free(folder)
    for left in abandoned(folder.parent, folder.name):
        shutil.rmtree(left, ignore_errors=True)
    partial = folder.with_name(partial_name(folder.name))
    partial.mkdir(parents=True)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_free(folder: Path) -> None:
    """Raises FolderTaken unless a folder of this name can be made, or is there and empty."""
    there = folder.is_symlink() or folder.exists()
    if there and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(f"{folder} is not empty", "name a new or empty folder")


def _parts(
    store: Store, folder: Path, tell: Callable[[int], None], stop: threading.Event | None
) -> Iterator[ArchivePart]:
    """Write them one after the other; each is complete when it is given out."""
    spaces = store.spaces()
    number, writer = 0, None
    try:
        ids = store.asset_ids()
        while some := list(islice(ids, READ_AT_ONCE)):
            if stop is not None and stop.is_set():
                return
            for stored_asset in store.stored_assets(some):
                writer = writer or PartWriter(folder, number, spaces)
                writer.add(stored_asset)
                if writer.full:
                    done, writer, number = writer, None, number + 1
                    yield done.close()
            tell(len(some))
        if writer is not None:
            done, writer = writer, None
            yield done.close()
    finally:
        if writer is not None:
            writer.abandon()


def _publish(partial: Path, folder: Path) -> None:
    for path in (partial, folder.parent):
        write_through(path)
    check_free(folder)
    os.replace(partial, folder)  # noqa: PTH105
    write_through(folder.parent)
