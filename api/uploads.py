"""Files that arrive over HTTP: confined, bounded, kept by their content hash."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from embeddings.errors import CrossmediaError
from indexer.scan import Found

CHUNK = 1 << 20
MAX_NAME = 200


class BadName(CrossmediaError):
    """An upload's name is not a plain file name."""

    code = "bad_name"
    status = 422


class OutsideRoots(CrossmediaError):
    """A path that the service may not read."""

    code = "outside_roots"
    status = 403


class UploadTooLarge(CrossmediaError):
    """More bytes than the service takes at once."""

    code = "upload_too_large"
    status = 413


def plain_name(name: str | None) -> str:
    """The name if it is a plain file name; raises BadName. Never used to decide what the file is."""
    if not name or name in (".", "..") or any(c in name for c in "/\\\x00") or not name.isprintable():
        raise BadName(f"{name!r} is not a plain file name", "send the name without folders and control characters")
    if len(name.encode()) > MAX_NAME:
        raise BadName(f"a name of {len(name.encode())} bytes is too long", f"use at most {MAX_NAME}")
    return name


class Uploads:
    """A folder of uploads: `<sha256>/<name>`, complete or absent."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def keep(self, name: str | None, stream: BinaryIO) -> Found:
        """Store a stream under its hash; the same bytes under the same name are stored once."""
        name = plain_name(name)
        with self.temporary(name, stream) as (partial, digest):
            final = self._folder / digest / name
            final.parent.mkdir(parents=True, exist_ok=True)
            if not final.exists():
                partial.replace(final)
        status = final.stat()
        return Found(final.resolve(), name, status.st_size, status.st_mtime_ns)

    @contextmanager
    def temporary(self, name: str, stream: BinaryIO) -> Iterator[tuple[Path, str]]:
        """The stream as a file that is gone afterwards, and its SHA-256."""
        self._folder.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=".incoming-", dir=self._folder))
        try:
            path = room / name
            digest, size = hashlib.sha256(), 0
            with path.open("wb") as file:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > self._limit:
                        raise UploadTooLarge(
                            f"{name} is larger than {self._limit:,} bytes", "index it by path, or raise the limit"
                        )
                    digest.update(chunk)
                    file.write(chunk)
            yield path, digest.hexdigest()
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def holds(self, location: str) -> bool:
        return Path(location).is_relative_to(self._folder.resolve())

    def discard(self, location: str) -> None:
        """Remove an upload; a path that is not one is left alone."""
        if self.holds(location):
            Path(location).unlink(missing_ok=True)
            parent = Path(location).parent
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()

    def sweep(self) -> None:
        """Remove what a crash left half received."""
        for room in self._folder.glob(".incoming-*"):
            shutil.rmtree(room, ignore_errors=True)


def below_roots(path: str, roots: tuple[str, ...]) -> Path:
    """The real path, links followed, if it lies below a root; raises OutsideRoots whether or not it exists."""
    real = Path(path).resolve()
    if not any(real.is_relative_to(Path(root).resolve()) for root in roots):
        raise OutsideRoots(
            f"{path} lies outside the folders this service may read",
            "start it with CROSSMEDIA_ROOTS=FOLDER, or upload the file",
        )
    return real
