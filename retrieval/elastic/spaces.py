"""The spaces of a collection and what random pairs score in it, each a document that several processes may write."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from crossmedia.embeddings.encoder import Space
from crossmedia.retrieval.elastic.blocked import followed, followed_key
from crossmedia.retrieval.elastic.bulk import Action, write
from crossmedia.retrieval.elastic.docs import Doc
from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.store import RandomPairs

SPACES: Final = "spaces"
UNRELATED: Final = "unrelated"
FRESH_SECONDS: Final = 1.0


class Facts:
    """Spaces, random pairs and how far journals were followed, as they were read last, and again when that was some
    time ago: every search needs them.

    A search asks for them too, of the very index that it searches: `met` tells whether they are still what was read.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._seen: tuple[dict[str, Doc], str] = {}, ""
        self._journals: set[str] = set()
        self._read = -FRESH_SECONDS

    def spaces(self) -> dict[str, Space]:
        return self.bound()[0]

    def bound(self) -> tuple[dict[str, Space], str]:
        """The spaces, and the index that they are of; '' where none are recorded yet."""
        docs, behind = self._current()
        return _spaces(docs.get(SPACES)), behind

    def random_pairs(self) -> list[RandomPairs]:
        doc = self._current()[0].get(UNRELATED)
        return [RandomPairs(**one) for one in doc["held"]["unrelated"]] if doc else []

    def followed(self, journal: str) -> int:
        """The entry up to which a journal was followed."""
        key = followed_key(journal)
        if key not in self._journals:
            self._journals.add(key)
            self.outdate()
        return followed(self._current()[0].get(key))

    def outdate(self) -> None:
        self._read = -FRESH_SECONDS

    def met(self, docs: Mapping[str, Doc]) -> bool:
        """Whether the spaces that were read are still so in what a search found; others may have come."""
        there, (seen, _) = docs.get(SPACES), self._seen
        return there is None or _spaces(seen.get(SPACES)).items() <= _spaces(there).items()

    def _current(self) -> tuple[dict[str, Doc], str]:
        if time.monotonic() - self._read > FRESH_SECONDS:
            self._seen = self._index.facts([SPACES, UNRELATED, *self._journals])
            self._read = time.monotonic()
        return self._seen


ASKED: Final[Doc] = {"query": {"ids": {"values": [SPACES]}}, "size": 1, "_source": ["held"], "track_total_hits": False}
"""The search body for what `met` compares."""


def _spaces(doc: Doc | None) -> dict[str, Space]:
    """By name, in the order of names."""
    spaces = [Space(*values) for values in doc["held"]["spaces"]] if doc else []
    return {space.name: space for space in sorted(spaces, key=lambda space: space.name)}


def record(index: Index, spaces: Iterable[Space], replace: bool) -> None:
    """Add these to what is recorded, or put them in place of those of their names; what another process records at the
    same moment is kept."""
    wanted = {space.name: space for space in spaces}
    while True:
        found = index.versioned([SPACES]).get(SPACES)
        recorded = _spaces(found[0] if found else None)
        merged = {**recorded, **wanted} if replace else {**wanted, **recorded}
        rows = [[s.name, s.dim, s.model, s.revision, s.preprocessing] for s in merged.values()]
        doc: Doc = {"type": "spaces", "held": {"spaces": rows}}
        if not write(index.connection, [Action(index.target, SPACES, doc, found[1] if found else "absent")]):
            index.wrote()
            return


def keep_random_pairs(index: Index, measured: Sequence[RandomPairs]) -> None:
    doc: Doc = {"type": "unrelated", "held": {"unrelated": [asdict(one) for one in measured]}}
    write(index.connection, [Action(index.target, UNRELATED, doc)])
