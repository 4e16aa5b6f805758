"""A vocabulary: a list of names that pictures are labelled with, as people write it.

A line is a label, its synonyms and its examples, separated by commas: `moka pot, espresso maker, @3f2a…`. An example is
an `@` and the id of an indexed picture. What follows a `#` at the beginning of a line is a comment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.label_kinds import known_kinds

NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 4 << 20
MAX_CHARACTERS: Final = 100
"""Of a label or a synonym."""
MAX_NAMES: Final = 20_000
"""Labels and synonyms together; each is encoded."""
MAX_EXAMPLES: Final = 1_000
"""Of a vocabulary."""
ASSET: Final = re.compile(r"[0-9a-f]{64}")
_JOINERS: Final = str.maketrans("", "", "\u200c\u200d")
"""Characters without width that Persian and Indian scripts are written with."""


class BadVocabulary(CrossmediaError):
    """A list of names that cannot be read, or a name that it cannot have; says which line."""

    code = "bad_vocabulary"
    status = 422


@dataclass(frozen=True)
class Entry:
    """A label; `synonyms` mean the same, `examples` are ids of assets that show it."""

    label: str
    synonyms: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.label, *self.synonyms)

    @property
    def line(self) -> str:
        return ", ".join((*self.names, *(f"@{example}" for example in self.examples)))


@dataclass(frozen=True)
class Vocabulary:
    """A named list of entries. The name is the kind of the labels."""

    name: str
    entries: tuple[Entry, ...]

    @cached_property
    def revision(self) -> str:
        """Of its content."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @cached_property
    def has_examples(self) -> bool:
        return any(entry.examples for entry in self.entries)

    @property
    def text(self) -> str:
        return "".join(f"{entry.line}\n" for entry in self.entries)


def parse(name: str, text: str, resolve: Callable[[str], str] = lambda example: example) -> Vocabulary:
    """The vocabulary that a text writes; `resolve` gives the id of the asset that an example names. Raises
    BadVocabulary, which says in which line something is wrong.

    >>> parse("kitchen", "# on the wall\\nmoka pot, espresso maker\\n").entries
    (Entry(label='moka pot', synonyms=('espresso maker',), examples=()),)
    """
    check_name(name)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadVocabulary(f"the vocabulary {name} is too long", f"at most {MAX_BYTES >> 20} MB")
    entries: list[Entry] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        cells = [" ".join(cell.split()) for cell in line.split(",")]
        cells = [cell for cell in cells if cell]
        if not cells or cells[0].startswith("#"):
            continue
        try:
            entry = _entry(cells, resolve)
        except BadVocabulary as error:
            raise BadVocabulary(f"line {number} of {name}: {error.message}", error.hint, error.remedy) from error
        before = lines.setdefault(entry.label.casefold(), number)
        if before != number:
            raise BadVocabulary(
                f"line {number} of {name}: {entry.label!r} stands there a second time", f"line {before} has it too"
            )
        entries.append(entry)
    if not entries or len(entries) > MAX_ENTRIES:
        raise BadVocabulary(
            f"the vocabulary {name} has {len(entries):,} labels", f"write one a line, at most {MAX_ENTRIES:,}"
        )
    names = sum(len(entry.names) for entry in entries)
    examples = sum(len(entry.examples) for entry in entries)
    if names > MAX_NAMES or examples > MAX_EXAMPLES:
        raise BadVocabulary(
            f"the vocabulary {name} has {names:,} names and {examples:,} examples",
            f"at most {MAX_NAMES:,} labels and synonyms, and {MAX_EXAMPLES:,} examples",
        )
    return Vocabulary(name, tuple(entries))


def check_name(name: str) -> None:
    """Raises BadVocabulary where it cannot stand in a file name, or where labels of that kind are something else."""
    if not NAME.fullmatch(name):
        raise BadVocabulary(
            f"{name!r} cannot be the name of a vocabulary",
            "a small letter, then small letters, digits, hyphens and underscores, at most 40 in all",
        )
    if name in known_kinds():
        raise BadVocabulary(f"labels of the kind {name} are there already", "choose another name")


def _entry(cells: Sequence[str], resolve: Callable[[str], str]) -> Entry:
    names = [cell for cell in cells if not cell.startswith("@")]
    examples = [cell[1:].strip() for cell in cells if cell.startswith("@")]
    if not names:
        raise BadVocabulary("no label", "write LABEL, SYNONYM, @EXAMPLE")
    for cell in names:
        if len(cell) > MAX_CHARACTERS or "@" in cell or not cell.translate(_JOINERS).isprintable():
            raise BadVocabulary(
                "a name is too long, or has characters that no name has",
                f"at most {MAX_CHARACTERS} characters, no @ and nothing that cannot be printed",
            )
    if names[0].startswith("#"):
        raise BadVocabulary("a label begins with #", "lines that begin so are comments")
    shown = tuple(dict.fromkeys(map(resolve, examples)))
    if not all(ASSET.fullmatch(asset) for asset in shown):
        raise BadVocabulary("an example is no id of an asset", "an @ and 64 hexadecimal digits")
    return Entry(names[0], tuple(dict.fromkeys(names[1:])), shown)
