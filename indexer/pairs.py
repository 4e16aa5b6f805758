"""Read a person's pairs from a CSV of two columns: each cell a text or a file beside the CSV."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError

COLUMNS: Final = ("picture", "sound", "text", "file")
MAX_PAIR_BYTES: Final = 64 << 20
MAX_PAIRS: Final = 100_000
MAX_PAIR_CHARACTERS: Final = 2_000
"""Of a text: an encoder reads no more."""


class PairsUnusable(CrossmediaError):
    """A file of pairs cannot be learned from; the message names the lines."""

    code = "pairs_unusable"
    status = 422


@dataclass(frozen=True)
class PairRow:
    """One line: what stands in the two columns, files as absolute paths."""

    line: int
    cells: tuple[str | Path, str | Path]


@dataclass(frozen=True)
class Table:
    """A CSV that was read: its columns, its rows, the SHA-256 of its bytes."""

    path: Path
    columns: tuple[str, str]
    rows: tuple[PairRow, ...]
    sha256: str


def read_pairs(path: Path) -> Table:
    """The rows of a CSV with a header that names two of `picture`, `sound`, `text`, `file`. Raises PairsUnusable.

    Files are named relative to the CSV's folder and may not lead out of it. Nothing is decoded yet.
    """
    text, digest = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if len(header) != 2 or not set(header) <= set(COLUMNS):
            raise PairsUnusable(
                f"{path.name}, line 1: the header is {', '.join(header)[:200] or 'empty'}",
                f"it names two columns, each one of {', '.join(COLUMNS)}; for example: picture,text",
            )
        columns = (header[0], header[1])
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            rows.append(_row(path, reader.line_num, columns, cells))
            if len(rows) > MAX_PAIRS:
                raise PairsUnusable(f"{path.name} has more than {MAX_PAIRS:,} pairs", "take some of them at random")
    except csv.Error as error:
        raise PairsUnusable(
            f"{path.name}, line {reader.line_num}: {error}", "a cell with a comma or a quote is put in quotes"
        ) from error
    if not rows:
        raise PairsUnusable(f"{path.name} has no pairs", "a line each below the header")
    return Table(path, columns, tuple(rows), digest)


def _text(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PAIR_BYTES + 1)
    except OSError as error:
        raise PairsUnusable(f"{path} cannot be read: {error.strerror}", "name a CSV file") from error
    if len(data) > MAX_PAIR_BYTES:
        raise PairsUnusable(
            f"{path.name} is larger than {MAX_PAIR_BYTES >> 20} MiB", "it holds names of files and texts, not the files"
        )
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise PairsUnusable(f"{path.name}, line {line}: this is no text", "save it as CSV in UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PairsUnusable(f"{path.name}, line {line}: this is not UTF-8", "save it as CSV in UTF-8") from error


def _row(path: Path, line: int, columns: tuple[str, str], cells: Sequence[str]) -> PairRow:
    where = f"{path.name}, line {line}"
    if len(cells) != 2:
        raise PairsUnusable(
            f"{where}: {len(cells)} columns, not 2", "a cell with a comma is put in quotes; both cells are filled"
        )
    parsed: list[str | Path] = []
    for column, cell in zip(columns, (cell.strip() for cell in cells), strict=True):
        if not cell:
            raise PairsUnusable(f"{where}: the column {column} is empty", "fill it, or leave the line out")
        parsed.append(cell[:MAX_PAIR_CHARACTERS] if column == "text" else _file(path, where, cell))
    return PairRow(line, (parsed[0], parsed[1]))


def _file(path: Path, where: str, cell: str) -> Path:
    folder = path.parent.resolve()
    try:
        file = (folder / cell).resolve()
        inside, there = file.is_relative_to(folder), file.is_file()
    except (OSError, ValueError, RuntimeError):
        inside, there = True, False
    if not inside:
        raise PairsUnusable(
            f"{where}: {cell[:200]} lies outside the folder of the CSV", "put the files beside or below it"
        )
    if not there:
        raise PairsUnusable(f"{where}: there is no file {cell[:200]}", "names are relative to the folder of the CSV")
    return file
