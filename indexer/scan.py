"""List the files below the paths that a person named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.documents import Source


class PathMissing(CrossmediaError):
    """A path that was named does not exist."""

    code = "path_missing"
    status = 404


@dataclass(frozen=True)
class ScannedFile:
    """A regular file. `location` is absolute; `path` starts with what was named, as it was named."""

    location: Path
    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, location: Path, path: str, status: os.stat_result) -> ScannedFile:
        """A file with what the system says of it."""
        return cls(location, path, status.st_size, modified(status))


def modified(status: os.stat_result) -> int:
    """When a file was changed, ns since 1970, as far as 64 bits go: some file systems keep times beyond, databases do
    not."""
    return max(-(1 << 63), min(status.st_mtime_ns, (1 << 63) - 1))


def is_unchanged(status: os.stat_result, known: ScannedFile | Source) -> bool:
    """Whether a file still has the size and the time that are known of it."""
    return (status.st_size, modified(status)) == (known.size, known.mtime_ns)


def scan(named: Sequence[Path], besides: Sequence[Path] = (), within: Sequence[Path] = ()) -> Iterator[ScannedFile]:
    """Every regular file below the named paths, each location once, in sorted order.

    Left out: names that start with a dot, links to folders (they can lead in circles), what lies below a folder of
    `besides` (the data directory), files that links lead out of the folders `within` (if any are given), and anything
    that is not a regular file (a pipe would never end). Raises PathMissing before the first file if a named path is
    absent.
    """
    for path in named:
        if not path.exists():
            raise PathMissing(
                f"{path} does not exist", "check the spelling; relative paths start at the current folder"
            )
    apart = {path.resolve() for path in besides}
    inside = [path.resolve() for path in within]
    seen: set[Path] = set()
    for path in named:
        root = path.resolve()
        for location in _files(root, apart):
            if location in seen or (inside and not any(location.resolve().is_relative_to(folder) for folder in inside)):
                continue
            seen.add(location)
            try:
                status = location.stat()
            except OSError:
                continue  # gone since it was listed
            shown = str(path / location.relative_to(root)) if location != root else str(path)
            yield ScannedFile.of(location, shown, status)


def shares(files: Sequence[ScannedFile], most_files: int, most_bytes: int) -> list[list[ScannedFile]]:
    """The files in their order, in shares of so many files and bytes at most; a file that is larger is a share
    alone."""
    made: list[list[ScannedFile]] = []
    held = 0
    for found in files:
        if not made or len(made[-1]) >= most_files or held + found.size > most_bytes:
            made.append([])
            held = 0
        made[-1].append(found)
        held += found.size
    return made


def _files(root: Path, apart: set[Path]) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, files in os.walk(root, followlinks=False):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and (here / name) not in apart)
        for name in sorted(files):
            if not name.startswith(".") and (here / name).is_file():
                yield here / name
