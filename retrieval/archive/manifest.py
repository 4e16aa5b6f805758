"""`manifest.json`: what an archive is of, which files it consists of, and what each of them has to be.

Names of files follow from the numbers of parts and the names of spaces; none is taken from the archive.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.encoder import Modality, Space
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import head_files
from crossmedia.retrieval.store import RandomPairs

FORMAT: Final = 1
NAME: Final = "manifest.json"
HEADS: Final = "heads"
MAX_MANIFEST_BYTES: Final = 64 << 20
HINT: Final = "copy the archive again, or export the collection anew"

Natural = Annotated[int, Field(ge=0, lt=1 << 63)]
SpaceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}\z")]
"""As file names and names of fields can hold it."""


class ArchiveUnusable(CrossmediaError):
    """Some file of an archive is missing, damaged, or not as `crossmedia export` writes it."""

    code = "archive_unusable"
    status = 422


class ArchiveNewer(CrossmediaError):
    """The archive was written by a newer version."""

    code = "archive_newer"
    status = 422


class FolderTaken(CrossmediaError):
    """An export would have to write where there is something already."""

    code = "folder_taken"
    status = 409


class ArchiveUnwritable(CrossmediaError):
    """The folder of an export cannot be made: disk full, no permission."""

    code = "archive_unwritable"
    status = 507


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """What the disk refuses inside is told as ArchiveUnusable."""
    try:
        yield
    except OSError as error:
        raise ArchiveUnusable(f"{folder} cannot be read: {error}", "check its permissions and its disk") from error


class Strict(BaseModel):
    """No other keys, no other types, no numbers that are none."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class SpaceLine(Strict):
    name: SpaceName
    dim: Annotated[int, Field(ge=1, le=1 << 16)]
    model: str
    revision: str
    preprocessing: str


class UnrelatedLine(Strict):
    space: SpaceName
    query: Modality
    target: Modality
    mean: float
    std: float
    sampled: Natural
    targets: Natural


class ArchivePart(Strict):
    """How many assets and moments a part has, and rows of each space it has vectors of."""

    assets: Natural
    moments: Natural
    vectors: dict[SpaceName, Annotated[int, Field(ge=1, lt=1 << 40)]]


class FileLine(Strict):
    size: Natural
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]


class Manifest(Strict):
    format: Literal[1]
    made: str
    """ISO 8601."""
    spaces: tuple[SpaceLine, ...]
    unrelated: tuple[UnrelatedLine, ...]
    heads: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.]{0,39}@[0-9a-f]{12}\z")], ...]
    """Those that the collection's vectors were made with, NAME@REVISION, in `heads/`."""
    counts: ArchivePart
    parts: tuple[ArchivePart, ...]
    files: dict[str, FileLine]
    """Every file but this one."""

    @model_validator(mode="after")
    def _agrees(self) -> Manifest:
        names = [space.name for space in self.spaces]
        if len(set(names)) < len(names):
            raise ValueError("a space is there twice")
        if not {space for part in self.parts for space in part.vectors} <= set(names):
            raise ValueError("vectors of a space that is not among the spaces")
        if self.counts != total(self.parts):
            raise ValueError("the counts are not those of the parts")
        if set(self.files) != set(expected(self.parts, self.heads)):
            raise ValueError("the files are not those of the parts")
        return self

    @property
    def bytes(self) -> int:
        """Of all files but this one."""
        return sum(file.size for file in self.files.values())

    def space_list(self) -> list[Space]:
        return [Space(**space.model_dump()) for space in self.spaces]

    def unrelated_list(self) -> list[RandomPairs]:
        return [RandomPairs(**one.model_dump()) for one in self.unrelated]


def total(parts: tuple[ArchivePart, ...]) -> ArchivePart:
    vectors: Counter[str] = Counter()
    for part in parts:
        vectors.update(part.vectors)
    return ArchivePart(
        assets=sum(part.assets for part in parts), moments=sum(part.moments for part in parts), vectors=dict(vectors)
    )


def lines_name(part: int) -> str:
    return f"assets-{part:05}.jsonl"


def rows_name(part: int, space: str) -> str:
    return f"vectors-{part:05}-{space}.npy"


def media_name(part: int) -> str:
    return f"media-{part:05}.tar"


def part_names(number: int, part: ArchivePart) -> list[str]:
    return [lines_name(number), media_name(number), *(rows_name(number, space) for space in part.vectors)]


def expected(parts: tuple[ArchivePart, ...], heads: tuple[str, ...]) -> Iterator[str]:
    """Every file an archive of these consists of, the manifest apart."""
    for number, part in enumerate(parts):
        yield from part_names(number, part)
    for head in heads:
        yield from (f"{HEADS}/{name}" for name in head_files(head))


def read_manifest(folder: Path) -> Manifest:
    """Raises ArchiveUnusable, ArchiveNewer."""
    path = folder / NAME
    if not path.is_file():
        raise ArchiveUnusable(f"{folder} is not an export: it has no {NAME}", "name the folder that an export wrote")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ArchiveUnusable(f"{path} is larger than any manifest", HINT)
    text = path.read_bytes()
    try:
        version = _Versioned.model_validate_json(text).format
        if version > FORMAT:
            raise ArchiveNewer(f"{folder} has format {version}, this version reads {FORMAT}", "upgrade crossmedia")
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ArchiveUnusable(f"{path} cannot be used: {first(error)}", HINT) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    with (folder / NAME).open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def check_size(folder: Path, name: str, file: FileLine) -> None:
    """Raises ArchiveUnusable where the file is not there, is no file, or is not as long as the manifest says."""
    path = folder / name
    try:
        status = path.lstat()
    except OSError as error:
        raise ArchiveUnusable(f"{path} is missing", HINT) from error
    if not stat.S_ISREG(status.st_mode):
        raise ArchiveUnusable(f"{path} is no regular file", HINT)
    if status.st_size != file.size:
        raise ArchiveUnusable(f"{path} has {status.st_size:,} bytes, not {file.size:,}", HINT)


def check_file(folder: Path, name: str, file: FileLine) -> None:
    """Raises ArchiveUnusable where the file is not the one that was written."""
    check_size(folder, name, file)
    if sha256(folder / name) != file.sha256:
        raise ArchiveUnusable(f"{folder / name} is not what was written: its SHA-256 differs", HINT)


def described(path: Path) -> FileLine:
    return FileLine(size=path.stat().st_size, sha256=sha256(path))


def first(error: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    one = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in one["loc"])[:200]
    return f"{place}: {one['msg']}" if place else str(one["msg"])


class _Versioned(BaseModel):
    model_config = ConfigDict(strict=True)
    format: Natural
