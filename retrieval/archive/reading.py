"""An archive while it is read: nothing in it is believed before it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from crossmedia.embeddings.align import TO, Head, applied_heads
from crossmedia.embeddings.encoder import COMMON, Vector, Vectors
from crossmedia.embeddings.heads import head_files
from crossmedia.retrieval.archive.blobs import BlobsReader
from crossmedia.retrieval.archive.heads import check_head
from crossmedia.retrieval.archive.lines import MAX_LINE_BYTES, Named, to_holding
from crossmedia.retrieval.archive.manifest import (
    HEADS,
    HINT,
    ArchiveUnusable,
    check_file,
    check_size,
    first,
    lines_name,
    media_name,
    part_names,
    read_manifest,
    readable,
    rows_name,
)
from crossmedia.retrieval.archive.rows import open_rows
from crossmedia.retrieval.stored_asset import StoredAsset


class Archive:
    """Opening it reads the manifest and looks whether every file is there and as long as it says; see `check` for the
    rest.

    Raises ArchiveUnusable, ArchiveNewer.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with readable(folder):
            self.manifest = read_manifest(folder)
        self.spaces = {space.name: space for space in self.manifest.space_list()}
        in_use = applied_heads(self.spaces[COMMON].revision) if COMMON in self.spaces else ()
        if any(TO in space.revision for space in self.spaces.values()) or in_use != self.manifest.heads:
            raise ArchiveUnusable(f"{folder} does not have the heads that its vectors were made with", HINT)
        for name, file in self.manifest.files.items():
            check_size(folder, name, file)

    def heads(self) -> list[Head]:
        """The heads its vectors were made with, checked."""
        for head in self.manifest.heads:
            for name in head_files(head):
                self._check(f"{HEADS}/{name}")
        with readable(self.folder):
            return [check_head(self.folder / HEADS, head) for head in self.manifest.heads]

    def check(self, number: int) -> None:
        """Raises ArchiveUnusable unless everything of this part is what was written, and could have been written."""
        for name in part_names(number, self.manifest.parts[number]):
            self._check(name)
        for _ in self.stored_assets(number):
            pass

    def stored_assets(self, number: int) -> Iterator[StoredAsset]:
        """The assets of a part, one in memory at a time. Raises ArchiveUnusable where something is wrong."""
        with readable(self.folder):
            yield from self._holdings(number)

    def _holdings(self, number: int) -> Iterator[StoredAsset]:
        part = self.manifest.parts[number]
        path = self.folder / lines_name(number)
        rows = _Rows(
            {
                space: open_rows(self.folder / rows_name(number, space), count, self.spaces[space].dim)
                for space, count in part.vectors.items()
            }
        )
        blobs = BlobsReader(self.folder / media_name(number))
        seen: set[str] = set()
        moments = 0
        try:
            for place, text in self._lines(path):
                try:
                    stored_asset = to_holding(text, rows.take, blobs.take)
                except (ValidationError, ArchiveUnusable) as error:
                    told = first(error) if isinstance(error, ValidationError) else error.message
                    raise ArchiveUnusable(f"line {place} of {path} cannot be used: {told}", HINT) from error
                if stored_asset.asset.id in seen:
                    raise ArchiveUnusable(f"line {place} of {path} has an asset that was there before", HINT)
                seen.add(stored_asset.asset.id)
                moments += len(stored_asset.moments)
                yield stored_asset
            blobs.end()
        finally:
            blobs.close()
        if (len(seen), moments) != (part.assets, part.moments) or not rows.exhausted:
            raise ArchiveUnusable(f"{path} has not as many assets, moments and vectors as the manifest says", HINT)

    def ids(self) -> Iterator[str]:
        """Of the assets of all parts, in their order; nothing else of them is checked."""
        for number in range(len(self.manifest.parts)):
            path = self.folder / lines_name(number)
            for place, text in self._lines(path):
                try:
                    yield Named.model_validate_json(text).asset.id
                except ValidationError as error:
                    raise ArchiveUnusable(f"line {place} of {path} cannot be used: {first(error)}", HINT) from error

    def _check(self, name: str) -> None:
        with readable(self.folder):
            check_file(self.folder, name, self.manifest.files[name])

    def _lines(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers, from 1."""
        with readable(self.folder), path.open("rb") as file:
            place = 0
            while text := file.readline(MAX_LINE_BYTES + 1):
                place += 1
                if not text.endswith(b"\n"):
                    raise ArchiveUnusable(f"line {place} of {path} does not end", HINT)
                yield place, text


class _Rows:
    """Vectors of a part. Each space's rows are taken in their order, each once."""

    def __init__(self, mapped: dict[str, Vectors]) -> None:
        self._mapped = mapped
        self._next = dict.fromkeys(mapped, 0)

    def take(self, space: str, row: int) -> Vector:
        if space not in self._mapped:
            raise ArchiveUnusable(f"there are no vectors of {space} in this part", HINT)
        if row != self._next[space] or row >= len(self._mapped[space]):
            raise ArchiveUnusable(f"row {row} of {space} where {self._next[space]} comes", HINT)
        self._next[space] += 1
        return np.array(self._mapped[space][row], np.float32)

    @property
    def exhausted(self) -> bool:
        return all(self._next[space] == len(rows) for space, rows in self._mapped.items())
