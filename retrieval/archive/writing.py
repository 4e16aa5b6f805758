"""A part of an archive while it is written: lines, vectors of each space, thumbnails and attachments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from crossmedia.embeddings.encoder import Space, Vector
from crossmedia.embeddings.errors import Remedy
from crossmedia.retrieval.archive.blobs import BlobsWriter
from crossmedia.retrieval.archive.lines import to_line
from crossmedia.retrieval.archive.manifest import ArchivePart, first, lines_name, media_name, rows_name
from crossmedia.retrieval.archive.rows import RowsWriter
from crossmedia.retrieval.store import StoreUnusable
from crossmedia.retrieval.stored_asset import StoredAsset

MAX_PART_ASSETS: Final = 5_000
MAX_PART_BYTES: Final = 256 << 20
"""A part is full with so many; an asset is never divided."""


class PartWriter:
    def __init__(self, folder: Path, number: int, spaces: Mapping[str, Space]) -> None:
        self._folder, self._number, self._spaces = folder, number, spaces
        self._lines = (folder / lines_name(number)).open("xb")
        self._blobs = BlobsWriter(folder / media_name(number))
        self._rows: dict[str, RowsWriter] = {}
        self.assets = self.moments = 0

    @property
    def bytes(self) -> int:
        rows = sum(4 * self._spaces[space].dim * writer.rows for space, writer in self._rows.items())
        return self._lines.tell() + self._blobs.size + rows

    @property
    def full(self) -> bool:
        return self.assets >= MAX_PART_ASSETS or self.bytes >= MAX_PART_BYTES

    def add(self, stored_asset: StoredAsset) -> None:
        """Raises StoreUnusable where the asset is not as a store should hold it."""
        try:
            self._lines.write(to_line(stored_asset, self._put, self._blobs.add))
        except ValueError as error:
            told = first(error) if isinstance(error, ValidationError) else str(error)
            raise StoreUnusable(
                f"{stored_asset.asset.title} ({stored_asset.asset.id[:12]}) cannot be exported: {told}",
                "check the store; take the asset out and index it again",
                Remedy.CHECK,
            ) from error
        self.assets += 1
        self.moments += len(stored_asset.moments)

    def close(self) -> ArchivePart:
        """Everything is on disk afterwards."""
        self._lines.flush()
        os.fsync(self._lines.fileno())
        self._lines.close()
        self._blobs.close()
        for writer in self._rows.values():
            writer.close()
        return ArchivePart(
            assets=self.assets,
            moments=self.moments,
            vectors={space: writer.rows for space, writer in sorted(self._rows.items())},
        )

    def abandon(self) -> None:
        """Let go of the files as they are."""
        self._lines.close()
        self._blobs.abandon()
        for writer in self._rows.values():
            writer.abandon()

    def _put(self, space: str, vector: Vector) -> int:
        if space not in self._rows:
            if space not in self._spaces:
                raise ValueError(f"a vector of the space {space!r}, which the collection does not have")
            self._rows[space] = RowsWriter(self._folder / rows_name(self._number, space), self._spaces[space].dim)
        return self._rows[space].add(vector)
