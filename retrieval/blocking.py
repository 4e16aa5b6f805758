"""What a journal of decisions blocks, as a store follows it.

The journal is the truth and lies beside the collection. What a store keeps of it is derived: it spares a search naming
every blocked asset, which takes longer the more there are and which servers refuse beyond some ten thousands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Journal(Protocol):
    """Decisions in the order of their entries, which are numbered from 1 and stay as they are.

    `id` tells journals apart: several services, each with a journal of its own, may share a collection.
    """

    @property
    def id(self) -> str: ...

    def last(self) -> int:
        """The number of the last entry; 0 while there is none."""

    def since(self, entry: int) -> tuple[int, Mapping[str, bool]]:
        """The last entry, and every asset that was decided on after the given one, with whether the last word on it is
        to block."""
