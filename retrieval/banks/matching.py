"""Hashes against banks: every entry of an enabled bank that is near enough, exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from crossmedia.retrieval.banks.chromaprint import ChromaprintIndex
from crossmedia.retrieval.banks.hamming import HammingIndex
from crossmedia.retrieval.banks.hashes import NEAR, Hash, HashKind
from crossmedia.retrieval.banks.store import Action, BankStore
from crossmedia.retrieval.banks.tlsh import TlshIndex

EXACT: Final = ("sha256", "md5")
"""Kinds that are the same or not: SQLite's own index finds them."""


class HashIndex(Protocol):
    """Hashes of one kind in memory, as `Hash.packed` gives them."""

    def add(self, ids: Sequence[int], values: Sequence[bytes]) -> None: ...

    def search(self, value: bytes, most: float) -> list[tuple[int, float]]:
        """(id, distance) of all that are at most so far, the nearest first."""


def index_of(kind: HashKind) -> HashIndex:
    """An empty index for hashes of a kind that is compared by distance."""
    makers: dict[HashKind, Callable[[], HashIndex]] = {
        "pdq": HammingIndex,
        "chromaprint": ChromaprintIndex,
        "tlsh": TlshIndex,
    }
    return makers[kind]()


@dataclass(frozen=True)
class BankMatch:
    """A hash that was looked up, and an entry of a bank that is near it.

    `distance`: as `NEAR` says, 0 is the same; `quality`: the less good PDQ quality of the two, as far as it is known.
    """

    looked_up: Hash
    known: Hash
    distance: float
    quality: int | None
    bank: str
    action: Action
    tags: str


class Matcher:
    """Follows the banks: what another process added is found by the next look. Safe to call from several threads."""

    def __init__(self, store: BankStore) -> None:
        self._store = store
        self._indexes: dict[HashKind, tuple[HashIndex, int]] = {}
        self._following = threading.Lock()

    def match(self, hashes: Iterable[Hash]) -> list[BankMatch]:
        """For each entry of a bank that is near one of the hashes, the nearest of them; the nearest entries first.

        A hash that says nothing (a PDQ of low quality) has no match.
        """
        best: dict[int, tuple[float, Hash]] = {}
        for looked_up in dict.fromkeys(hashes):
            if looked_up.comparable:
                for number, distance in self._near(looked_up):
                    if number not in best or distance < best[number][0]:
                        best[number] = distance, looked_up
        if not best:
            return []
        banks = self._store.enabled()
        found = []
        for number, banked in self._store.load(list(best)).items():
            distance, looked_up = best[number]
            if bank := banks.get(banked.bank):
                known = banked.entry.hash
                qualities = [one.quality for one in (looked_up, known) if one.quality is not None]
                found.append(
                    BankMatch(
                        looked_up,
                        known,
                        distance,
                        min(qualities, default=None),
                        bank.name,
                        bank.action,
                        banked.entry.tags,
                    )
                )
        return sorted(found, key=lambda one: (one.distance / (NEAR[one.known.kind] or 1), one.bank, one.known.value))

    def _near(self, looked_up: Hash) -> list[tuple[int, float]]:
        if looked_up.kind in EXACT:
            return [(number, 0.0) for number in self._store.equal(looked_up)]
        return self._index(looked_up.kind).search(looked_up.packed, NEAR[looked_up.kind])

    def _index(self, kind: HashKind) -> HashIndex:
        """The index of a kind with all that is in the banks now."""
        last = self._store.last()
        with self._following:
            index, reached = self._indexes.get(kind) or (index_of(kind), 0)
            if last > reached:
                ids, values = self._store.since(kind, reached, last)
                if ids:
                    index.add(ids, values)
            self._indexes[kind] = index, max(last, reached)
        return index
