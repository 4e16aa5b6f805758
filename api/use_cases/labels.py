"""What is said of everything in the collection: labels by kind and value, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import ValueOut, by_kind

UNLIKE: Final = ("hash", "text")
"""Kinds whose values are as many as there are files: they are counted, and told only where somebody asks for them."""


class KindOut(BaseModel):
    """A kind of label: how many values it has, and those on most moments."""

    kind: str
    values: int
    top: list[ValueOut]


class Labels:
    """Labels of the whole collection."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def list_kinds(self, kinds: Sequence[str] = (), limit: int = 20) -> list[KindOut]:
        """Every kind of label, or these, each with at most `limit` values, those on most moments first."""
        counts = self._runtime.store.tally(kinds)
        values = Counter(count.kind for count in counts)
        return [
            KindOut(kind=kind, values=values[kind], top=[] if kind in UNLIKE and not kinds else top)
            for kind, top in by_kind(counts, limit).items()
        ]
