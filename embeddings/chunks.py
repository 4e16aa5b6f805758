"""Sequences in parts of bounded size, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


def chunks(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Parts of at most `size` items.

    >>> list(chunks("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for first in range(0, len(items), size):
        yield items[first : first + size]
