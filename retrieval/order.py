"""In which order results are listed: what assets are sorted by, in which direction, and where a page ended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from crossmedia.retrieval.documents import Asset, Source

By: TypeAlias = Literal["relevance", "date", "name", "length", "size"]
Sort: TypeAlias = Literal[
    "relevance",
    "date",
    "date-asc",
    "date-desc",
    "name",
    "name-asc",
    "name-desc",
    "length",
    "length-asc",
    "length-desc",
    "size",
    "size-asc",
    "size-desc",
]
"""As people write it: a word alone means the direction that its list is mostly wanted in."""
Value: TypeAlias = str | float | int | None
"""What an asset is sorted by; None where it has no such thing, which comes last in either direction."""

LONGEST_NAME: Final = 255
_UPWARDS: Final = ("name",)
"""What begins at its low end unless it is said otherwise."""


@dataclass(frozen=True)
class Order:
    """By what results are sorted, and whether the largest comes first. Ties go by the id of the asset, in the same
    direction."""

    by: By
    descending: bool

    def __str__(self) -> str:
        return self.by if self.by == "relevance" else f"{self.by}-{'desc' if self.descending else 'asc'}"


BEST: Final = Order("relevance", True)
NEWEST: Final = Order("date", True)


def order_of(sort: Sort) -> Order:
    """The order that a word stands for.

    >>> str(order_of("date")), str(order_of("name")), str(order_of("size-asc"))
    ('date-desc', 'name-asc', 'size-asc')
    """
    by, _, direction = sort.partition("-")
    known: Mapping[str, By] = {name: name for name in get_args(By)}
    return Order(known[by], direction == "desc" if direction else by not in _UPWARDS)


@dataclass(frozen=True)
class Position:
    """A place in a listing: that of an asset with this value."""

    value: Value
    asset: str

    def key(self, order: Order) -> tuple[bool, Any, str]:
        """What a listing is sorted by, from the end where its order is descending."""
        return (self.value is None) != order.descending, self.value, self.asset

    def follows(self, other: Position, order: Order) -> bool:
        """Whether this comes after another one. Values of one order are of one type."""
        mine, others = self.key(order), other.key(order)
        return mine < others if order.descending else mine > others


def value_of(by: By, asset: Asset, sources: Sequence[Source]) -> Value:
    """What an asset is sorted by. `sources`: where it lies, by collection and path; its name is that of the first."""
    if by == "date":
        return asset.captured
    if by == "size":
        return asset.size
    if by == "length":
        return asset.seconds
    return name_of(sources[0].path if sources else "")


def name_of(path: str) -> str:
    """What a file is sorted by when names are: its name in small letters without accents, numbers by their value.

    >>> sorted(["b/IMG_10.jpg", "a/img_9.jpg", "Émile.txt", "dog.txt", "fox.txt"], key=name_of)
    ['dog.txt', 'Émile.txt', 'fox.txt', 'a/img_9.jpg', 'b/IMG_10.jpg']
    """
    return natural(path.rstrip("/").rpartition("/")[2][:LONGEST_NAME])


def natural(text: str) -> str:
    """A text as a key in which numbers stand by their value: each is preceded by how many digits it has."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    key = re.sub(r"[0-9]+", lambda digits: _weighted(digits[0].lstrip("0")), plain)
    return key.encode("utf-8", "replace").decode("utf-8")  # a name that is no text has no characters for it


def _weighted(digits: str) -> str:
    return f"{len(digits):03d}{digits}"
