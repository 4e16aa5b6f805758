"""Files that arrive over HTTP: confined, bounded, kept by their content hash."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.store import NotFound

CHUNK = 1 << 20
MAX_NAME = 255
MAX_PATH = 1000

ResultT = TypeVar("ResultT")


class BadName(CrossmediaError):
    """An upload's name is not a plain file name, or a path is none."""

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


@dataclass(frozen=True)
class UploadedPart:
    """One file of a request: its plain `name`, what it is to be called (`path`, only ever shown), and its bytes."""

    name: str
    path: str
    stream: BinaryIO

    @classmethod
    def of(cls, name: str | None, path: str | None, stream: BinaryIO) -> UploadedPart:
        """Raises BadName."""
        name = plain_name(name)
        path = name if path is None else path
        if not path or len(path) > MAX_PATH or not path.isprintable():
            raise BadName(f"{path[:MAX_PATH]!r} is no path", f"send 1 to {MAX_PATH} printable characters")
        return cls(name, path, stream)


class Uploads:
    """A folder of uploads: `<sha256>/<name>`, complete or absent."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._placing = threading.Lock()

    def keep(self, parts: Sequence[UploadedPart], accept: Callable[[list[ScannedFile]], ResultT]) -> ResultT:
        """Store the parts under their hashes and hand them on; the same bytes under the same name are stored once.

        If anything fails, `accept` included, what was new is removed again.
        """
        files: list[ScannedFile] = []
        new: list[Path] = []
        try:
            for part in parts:
                with self.temporary(part.name, part.stream) as (partial, digest):
                    final = self._folder.resolve() / digest / part.name
                    with self._placing:
                        final.parent.mkdir(parents=True, exist_ok=True)
                        if not final.exists():
                            partial.replace(final)
                            new.append(final)
                        status = final.stat()
                files.append(ScannedFile(final, part.path, status.st_size, status.st_mtime_ns))
            return accept(files)
        except BaseException:
            self.discard(new)
            raise

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

    def list_files(self, older: float = 0.0) -> list[Path]:
        """Every upload that lies here, or those that came `older` seconds ago or earlier."""
        return [path for path in self._folder.resolve().glob("[!.]*/*") if path.is_file() and _aged(path, older)]

    def discard(self, locations: Iterable[Path]) -> None:
        """Remove uploads; a path that is not one is left alone."""
        folder = self._folder.resolve()
        for location in locations:
            if location.is_relative_to(folder):
                with self._placing:
                    location.unlink(missing_ok=True)
                    if location.parent.is_dir() and not any(location.parent.iterdir()):
                        location.parent.rmdir()

    def sweep(self, older: float = 0.0) -> None:
        """Remove what a crash left half received; only what is `older` (s) where others may be receiving."""
        for room in self._folder.glob(".incoming-*"):
            if _aged(room, older):
                shutil.rmtree(room, ignore_errors=True)


def _aged(path: Path, seconds: float) -> bool:
    try:
        return seconds == 0 or time.time() - path.stat().st_mtime >= seconds
    except OSError:
        return False  # gone meanwhile


def below_roots(path: str, roots: Sequence[str]) -> Path:
    """The real path, links followed, if it lies below a root and is there.

    Raises OutsideRoots whether or not it exists, NotFound, and BadName for what no file system takes as a path.
    """
    try:
        real = Path(path).resolve()
        if not within(real, roots):
            raise OutsideRoots(
                f"{path} lies outside the folders this service may read",
                "start it with CROSSMEDIA_ROOTS=FOLDER, or upload the file",
            )
        if not real.exists():
            raise NotFound(f"{path} does not exist", "check the spelling")
    except (ValueError, RuntimeError, OSError) as error:
        raise BadName(f"{path[:MAX_PATH]!r} is no path: {error}", "check the spelling") from error
    return real


def within(path: Path, roots: Sequence[str]) -> bool:
    """Whether a real path is one of the roots or below one."""
    return any(path.is_relative_to(Path(root).resolve()) for root in roots)
