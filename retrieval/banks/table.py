"""Banks as tables: the CSV that Meta's `threatexchange dataset --csv` writes, and the lists that
hasher-matcher-actioner reads.

A line is a hash. With a header, its columns are known by their names (`signal_type`, `signal_str`, `tags`, `category`,
`quality`; ThreatExchange's `type` and `indicator` too); without one a line is `TYPE HASH` or `TYPE,HASH`, or a hash
alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.retrieval.banks.hashes import QUALITY, BadHash, Hash, HashKind, readings
from crossmedia.retrieval.banks.store import TAGS, HashEntry

COLUMNS: Final = ("signal_type", "signal_str", "collab", "category", "tags", "quality")
"""What is written: the five columns of `threatexchange dataset --csv`, and PDQ's quality where it is known."""
SIGNAL_TYPES: Final[Mapping[HashKind, str]] = {
    "pdq": "pdq",
    "sha256": "video_sha256",
    "md5": "video_md5",
    "chromaprint": "chromaprint",
    "tlsh": "text_tlsh",
}
"""What the tools call them: the signal types for whole files are named after videos there, whatever the file is."""
MEANT: Final = "POSITIVE_CLASS"
"""The category of what a bank is about; the others say that somebody disagrees, or only looked at it."""
LINE_BYTES: Final = 1 << 20
TOLD: Final = 20
"""Faults that an error tells one by one."""

_FORMULA: Final = re.compile(r"^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet runs instead of showing it. A quote before it makes it a text; reading takes one away again."""
_KINDS: Final[Mapping[str, HashKind]] = {
    **{f"{before}{name}": kind for kind, name in SIGNAL_TYPES.items() for before in ("", "hash_")},
    **{
        f"{before}{kind}": kind
        for kind in SIGNAL_TYPES
        for before in ("", "hash_", "photo_", "video_", "text_", "hash_photo_", "hash_video_", "hash_text_", "file_")
    },
}
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": ("signal_type", "type", "indicator_type", "hash_type", "kind"),
    "value": ("signal_str", "indicator", "signal", "hash", "value"),
    "tags": ("tags", "labels"),
    "category": ("category",),
    "quality": ("quality",),
}


class BankUnreadable(CrossmediaError):
    """A table of hashes has lines that cannot be read, and they were not to be skipped."""

    code = "bank_unreadable"
    status = 422


@dataclass(frozen=True)
class Fault:
    """`line` counts from 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass
class BankTable:
    """A table as it is read: iterating gives its entries and fills the rest.

    `kind`: what hashes are whose line does not say. Unless `skip`, the end of the iteration raises BankUnreadable if
    there were faults, so that whoever writes in one transaction writes nothing.
    """

    stream: BinaryIO
    kind: HashKind | None = None
    skip: bool = False
    entries: int = 0
    other: int = 0
    """Lines of other categories than `MEANT`, which are left out."""
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[HashEntry]:
        columns: Mapping[str, int] | None = None
        first = True
        for number, line in _lines(self.stream):
            try:
                cells = _cells(line)
                if not any(cells):
                    continue
                if first:
                    first = False
                    columns = _header(cells)
                    if columns is not None:
                        continue
                entry = self._entry(cells, columns)
            except (_Wrong, BadHash) as error:
                first = False
                self.faults.append(Fault(number, str(error) if isinstance(error, _Wrong) else error.message))
                continue
            if entry is None:
                self.other += 1
                continue
            self.entries += 1
            yield entry
        if self.faults and not self.skip:
            raise BankUnreadable(
                describe_faults(self.faults),
                "correct these lines, or leave them out; nothing was written",
                Remedy.SORT_HASHES,
            )

    def _entry(self, cells: Sequence[str], columns: Mapping[str, int] | None) -> HashEntry | None:
        """None for what another category says."""
        if columns is None:
            kind, value = _order_of_unnamed(cells, self.kind)
            return HashEntry(Hash.of(kind, value))
        cell = {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}
        if not cell["value"]:
            raise _Wrong("it has no hash")
        if cell.get("category") not in (None, "", MEANT):
            return None
        kind = _kind(cell["kind"]) if cell.get("kind") else _guess_kind(cell["value"], self.kind)
        tags = " ".join(_without_quote(cell.get("tags", "")).split())
        if len(tags) > TAGS or not tags.isprintable():
            raise _Wrong(f"its tags are not at most {TAGS:,} printable characters")
        hashed = Hash.of(kind, cell["value"], _quality(cell.get("quality", "")))
        if not hashed.comparable:
            raise _Wrong(f"its quality {hashed.quality} is below {QUALITY}: it would never be compared")
        return HashEntry(hashed, tags)


def describe_faults(faults: Sequence[Fault]) -> str:
    """The first faults and how many more there are."""
    more = f"; and {len(faults) - TOLD:,} lines more" if len(faults) > TOLD else ""
    return "; ".join(map(str, faults[:TOLD])) + more


def write_csv(bank: str, entries: Iterable[HashEntry]) -> Iterator[str]:
    """A bank as CSV, line by line, the header first."""
    yield _line(COLUMNS)
    for entry in entries:
        quality = "" if entry.hash.quality is None else str(entry.hash.quality)
        yield _line((SIGNAL_TYPES[entry.hash.kind], entry.hash.value, bank, MEANT, entry.tags, quality))


def write_lists(entries: Iterable[HashEntry]) -> Iterator[str]:
    """As the lists that hasher-matcher-actioner reads from a file: `TYPE HASH`."""
    for entry in entries:
        yield f"{SIGNAL_TYPES[entry.hash.kind]} {entry.hash.value}\n"


class _Wrong(ValueError):
    """What is wrong with a line."""


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([_FORMULA.sub(r"'\g<0>", cell) for cell in cells])
    return buffer.getvalue()


def _without_quote(cell: str) -> str:
    """A cell as it was before `_line` made a text of it."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of one that is too long, its beginning."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES + 1)


def _cells(line: bytes) -> list[str]:
    """Each line for itself: a quote that is never closed spoils its own line only."""
    if len(line) > LINE_BYTES:
        raise _Wrong(f"it is longer than {LINE_BYTES:,} bytes")
    try:
        text = line.decode().strip()
    except UnicodeDecodeError as error:
        raise _Wrong("it is not UTF-8") from error
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise _Wrong(str(error)) from error


def _header(cells: Sequence[str]) -> dict[str, int] | None:
    """Which column is what; None if the first line is a hash already."""
    names = [cell.strip().lower() for cell in cells]
    places = {
        meant: next(names.index(name) for name in known if name in names)
        for meant, known in _NAMES.items()
        if any(name in names for name in known)
    }
    return places if "value" in places and cells[0].strip() != "" else None


def _order_of_unnamed(cells: Sequence[str], kind: HashKind | None) -> tuple[HashKind, str]:
    words = [cell.strip() for cell in cells] if len(cells) > 1 else cells[0].split()
    if len(words) == 2:
        return _kind(words[0]), words[1]
    if len(words) == 1:
        return _guess_kind(words[0], kind), words[0]
    raise _Wrong(f"without a header a line is TYPE,HASH; here are {len(words)} parts")


def _kind(name: str) -> HashKind:
    kind = _KINDS.get(name.strip().lower())
    if kind is None:
        raise _Wrong(f"{name.strip()[:40]!r} is no type of hash that is known here")
    return kind


def _guess_kind(value: str, kind: HashKind | None) -> HashKind:
    if kind is not None:
        return kind
    kinds = [] if ":" in value else [one.kind for one in readings(value)]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        raise _Wrong(f"it can be {' or '.join(kinds)}: say which")
    raise _Wrong(f"{value[:40]!r} is not a hash")


def _quality(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 3:
        raise _Wrong(f"{text[:40]!r} is no quality from 0 to 100")
    return int(text)
