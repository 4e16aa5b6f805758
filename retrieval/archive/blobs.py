"""Thumbnails and attachments of a part: a plain uncompressed tar, in the order in which the part's lines name them.

It is written and read a member at a time, in step with the lines: no directory is held, nothing can unpack into more
than its file holds, and no member is ever written to disk under a name it brings.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Final

from crossmedia.retrieval.archive.manifest import HINT, ArchiveUnusable

BLOCK: Final = tarfile.BLOCKSIZE
END: Final = 2 * BLOCK
"""Bytes of zeros at the end of a tar."""
MAX_BLOB_BYTES: Final = 256 << 20
"""Bytes of one thumbnail or attachment."""


class BlobsWriter:
    def __init__(self, path: Path) -> None:
        self.size = 0
        self._file = path.open("xb")

    def add(self, name: str, data: bytes) -> None:
        """Raises ValueError for what is too large to be read back."""
        if len(data) > MAX_BLOB_BYTES:
            raise ValueError(f"{name} has {len(data):,} bytes")
        info = tarfile.TarInfo(name)
        info.size = len(data)
        header = info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
        self._file.write(header)
        self._file.write(data)
        self._file.write(bytes(-len(data) % BLOCK))
        self.size += len(header) + len(data)

    def close(self) -> None:
        self._file.write(bytes(END))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


class BlobsReader:
    """Everything raises ArchiveUnusable where the file is not what `BlobsWriter` makes of the names asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._left = path.stat().st_size

    def take(self, name: str) -> bytes:
        """The next member, which has this name."""
        try:
            info = tarfile.TarInfo.frombuf(self._read(BLOCK), "utf-8", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise ArchiveUnusable(f"{name} is not in {self._path}: {error}", HINT) from error
        if info.name != name or info.type != tarfile.REGTYPE:
            raise ArchiveUnusable(f"{self._path} has {info.name[:200]!r} where {name} should be", HINT)
        if not 0 <= info.size <= min(MAX_BLOB_BYTES, self._left):
            raise ArchiveUnusable(f"{name} in {self._path} claims to have {info.size:,} bytes", HINT)
        data = self._read(info.size)
        self._read(-info.size % BLOCK)
        return data

    def end(self) -> None:
        """There is nothing more."""
        if self._left != END or any(self._read(END)):
            raise ArchiveUnusable(f"{self._path} has more in it than the assets", HINT)

    def close(self) -> None:
        self._file.close()

    def _read(self, count: int) -> bytes:
        data = self._file.read(count)
        self._left -= len(data)
        if len(data) < count:
            raise ArchiveUnusable(f"{self._path} is cut short", HINT)
        return data


def thumbnail_name(moment: str) -> str:
    return f"thumbnails/{moment}.jpg"


def attachment_name(asset: str, name: str) -> str:
    return f"attachments/{asset}/{name}"
