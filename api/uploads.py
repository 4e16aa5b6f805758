"""Files that arrive over HTTP: confined, bounded, kept by their content hash."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from crossmedia.api.full_disk import require_room, translate_full_disk
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.durable import write_through
from crossmedia.retrieval.store import NotFound

log = logging.getLogger("crossmedia.uploads")
CHUNK = 1 << 20
_HASH: Final = re.compile("[0-9a-f]{64}")
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


class DataMissing(CrossmediaError):
    """The data directory is not there any more."""

    code = "data_missing"
    status = 503


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
    """A folder of uploads: `<sha256>/<name>`, complete or absent. They belong to the asset of that hash, wherever the
    folder lies."""

    def __init__(self, folder: Path, limit: int, reserve: int = 0) -> None:
        """`limit`: bytes of one request; `reserve`: bytes of the disk that stay free."""
        self._folder = folder
        self._limit = limit
        self._reserve = reserve
        self._placing = threading.Lock()
        self._arriving: Counter[str] = Counter()
        """By asset, requests under way that bring a file of it."""
        self._unaccepted: set[Path] = set()
        """Files that only a request under way needs: they go if it fails."""

    @property
    def folder(self) -> Path:
        """Where they lie, with links followed."""
        return self._folder.resolve()

    def keep(self, parts: Sequence[UploadedPart], accept: Callable[[list[ScannedFile]], ResultT]) -> ResultT:
        """Store the parts under their hashes and hand them on; the same bytes under the same name are stored once.

        If anything fails, `accept` included, what was new is removed again, unless another request brought it too.
        """
        files: list[ScannedFile] = []
        new: set[Path] = set()
        arriving: list[str] = []
        try:
            for part in parts:
                with self.temporary(part.name, part.stream) as (partial, digest):
                    write_through(partial)
                    final = self.folder / digest / part.name
                    with self._placing:
                        self._arriving[digest] += 1
                        arriving.append(digest)
                        final.parent.mkdir(exist_ok=True)
                        # What is of another length was cut off by something that is not this program.
                        if final.exists() and final.stat().st_size == partial.stat().st_size:
                            self._unaccepted -= {final} - new
                        else:
                            partial.replace(final)
                            write_through(final.parent)
                            self._unaccepted.add(final)
                            new.add(final)
                        status = final.stat()
                files.append(ScannedFile.of(final, part.path, status))
            result = accept(files)
        except BaseException:
            with self._placing:
                for path in new & self._unaccepted:
                    path.unlink(missing_ok=True)
                    _remove_if_empty(path.parent)
            raise
        finally:
            with self._placing:
                self._unaccepted -= new
                self._arriving -= Counter(arriving)
        return result

    @contextmanager
    def temporary(self, name: str, stream: BinaryIO) -> Iterator[tuple[Path, str]]:
        """The stream as a file that is gone afterwards, and its SHA-256. Raises DataMissing, DiskFull,
        UploadTooLarge."""
        self.require_room()
        with translate_full_disk(self._folder):
            room = Path(tempfile.mkdtemp(prefix=".incoming-", dir=self._folder))
            try:
                yield self._receive(room / name, stream)
            finally:
                shutil.rmtree(room, ignore_errors=True)

    def require_room(self, size: int = 0) -> None:
        """Raises DataMissing where the data directory is gone, and DiskFull where so many bytes more would leave less
        than the reserve."""
        try:
            with translate_full_disk(self._folder):
                self._folder.mkdir(exist_ok=True)
                require_room(self._folder, self._reserve, size)
        except FileNotFoundError as error:
            raise DataMissing(
                f"the data directory {self._folder.parent} is gone", "put it back, then start the service again"
            ) from error

    def _receive(self, path: Path, stream: BinaryIO) -> tuple[Path, str]:
        """Write a stream into a file; returns it and its SHA-256."""
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > self._limit:
                    raise UploadTooLarge(
                        f"{path.name} is larger than {self._limit:,} bytes", "index it by path, or raise the limit"
                    )
                digest.update(chunk)
                file.write(chunk)
        return path, digest.hexdigest()

    def list_files(self) -> list[Path]:
        """Every upload that lies here, sorted."""
        return sorted(path for path in self.folder.glob("*/*") if _HASH.fullmatch(path.parent.name) and path.is_file())

    def files_of(self, asset: str) -> list[Path]:
        """The uploads of one asset, sorted."""
        folder = self.folder / asset
        if not _HASH.fullmatch(asset) or not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if path.is_file())

    def as_scanned(self, location: Path) -> ScannedFile:
        """An upload as a scan finds it, called by its name."""
        return ScannedFile.of(location, location.name, location.stat())

    def counterpart(self, asset: str, location: Path) -> Path | None:
        """Where an upload of an asset lies here that lay at `location` when the folder was elsewhere; None if it was
        no upload, or is not here."""
        if location.parent.name != asset:
            return None
        path = self.folder / asset / location.name
        return path if path.is_file() else None

    def remove(self, asset: str, needed: Callable[[], bool]) -> bool:
        """Remove the uploads of an asset, unless a request brings one just now or they are `needed`; whether they are
        gone."""
        with self._placing:
            # In this order: what no longer arrives is a job by now, or has been one.
            if self._arriving[asset] or needed():
                return False
            for path in self.files_of(asset):
                path.unlink(missing_ok=True)
                log.info("deleted upload %s/%s", asset, path.name)
            _remove_if_empty(self.folder / asset)
        return True

    def sweep(self, older: float = 0.0) -> None:
        """Remove what a crash left half received; only what is `older` (s) where others may be receiving."""
        for room in self.folder.glob(".incoming-*"):
            if _aged(room, older):
                shutil.rmtree(room, ignore_errors=True)


def asset_of_upload(upload: Path) -> str:
    """An upload lies in a folder named by its hash, which is the id of its asset."""
    return upload.parent.name


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


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
