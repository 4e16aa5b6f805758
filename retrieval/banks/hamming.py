"""Which of a million 256-bit codes lie within 31 bits of one: all of them, exactly.

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012): of the
16 blocks of 16 bits of two codes that differ in at most 31 bits one differs in at most one bit, so 17 look-ups in each
of 16 tables find every candidate. What is in no table yet, or has too many candidates, is scanned by FAISS.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
"""N×32 uint8."""

BYTES, BLOCKS = 32, 16
REACH: Final = 2 * BLOCKS - 1
"""Differing bits up to which one block must differ in at most one bit."""
SCANNED: Final = 50_000
"""Codes that are scanned at least as fast as looked up."""
DENSE: Final = 0.125
"""Share of the codes from which candidates cost more than a scan."""
_FLIPS: Final = np.concatenate(([0], 1 << np.arange(16))).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class _Tables:
    """Of each block: the codes in the order of its value (`order`, 16×N) and where each value begins (`starts`,
    16×65537)."""

    order: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, codes: Codes) -> _Tables:
        order = np.empty((BLOCKS, len(codes)), dtype=np.int32)
        starts = np.zeros((BLOCKS, (1 << 16) + 1), dtype=np.int64)
        for block, values in enumerate(codes.view(np.uint16).T):
            values = np.ascontiguousarray(values)
            order[block] = np.argsort(values, kind="stable")
            np.cumsum(np.bincount(values, minlength=1 << 16), out=starts[block, 1:])
        return cls(order, starts)

    def candidates(self, code: Codes) -> NDArray[np.int32] | None:
        """Rows that may be near, some several times; None if they are too many to be worth it."""
        rows = self.order.shape[1]
        values = (code.view(np.uint16)[:, None] ^ _FLIPS).astype(np.int64)
        blocks = np.arange(BLOCKS)[:, None]
        starts = self.starts[blocks, values]
        counts = (self.starts[blocks, values + 1] - starts).ravel()
        total = int(counts.sum())
        if total > DENSE * rows:
            return None
        firsts = (starts + blocks * rows).ravel() - np.cumsum(counts) + counts
        found: NDArray[np.int32] = self.order.ravel()[np.repeat(firsts, counts) + np.arange(total)]
        return found


class HammingIndex:
    """256-bit codes by their ids: 40 bytes each, and 64 more in the tables. Any number of threads may search while one
    adds."""

    def __init__(self) -> None:
        self._held: tuple[NDArray[np.int64], Codes, _Tables | None] = (
            np.empty(0, dtype=np.int64),
            np.empty((0, BYTES), dtype=np.uint8),
            None,
        )
        self._searched = False
        self._building = threading.Lock()

    def __len__(self) -> int:
        return len(self._held[0])

    def add(self, ids: Sequence[int], values: Sequence[bytes]) -> None:
        """`values`: 32 bytes each."""
        self.add_codes(np.asarray(ids, dtype=np.int64), _codes(values))

    def add_codes(self, ids: NDArray[np.int64], codes: Codes) -> None:
        with self._building:
            had, old, tables = self._held
            self._held = np.concatenate((had, ids)), np.concatenate((old, codes)), tables

    def search(self, value: bytes, most: float) -> list[tuple[int, float]]:
        """(id, differing bits) of all that differ in at most `most` bits, the nearest first."""
        ids, distances = self.search_code(_codes([value])[0], int(most))
        return list(zip(ids.tolist(), map(float, distances.tolist()), strict=True))

    def search_code(self, code: Codes, most: int = REACH) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and differing bits, the nearest first. `code`: 32 uint8."""
        ids, codes, tables = self._ready()
        looked_up = tables.candidates(code) if tables is not None and most <= REACH else None
        if looked_up is None:
            rows, distances = _scan(codes, code, most)
        else:
            assert tables is not None
            words = codes.view(np.uint64)
            apart = np.bitwise_count(words[looked_up] ^ code.view(np.uint64)).sum(axis=1, dtype=np.int64)
            near = apart <= most
            rows, first = np.unique(looked_up[near], return_index=True)
            tabled = tables.order.shape[1]
            late, late_distances = _scan(codes[tabled:], code, most)
            rows = np.concatenate((rows, late + tabled))
            distances = np.concatenate((apart[near][first], late_distances))
        order = np.lexsort((ids[rows], distances))
        return ids[rows][order], distances[order]

    def _ready(self) -> tuple[NDArray[np.int64], Codes, _Tables | None]:
        """What is held, with tables where they are worth it: a command that searches once does not wait for them."""
        ids, codes, tables = self._held
        late = len(codes) - (tables.order.shape[1] if tables else 0)
        if self._searched and late > max(SCANNED, len(codes) // 8):
            with self._building:
                if self._held[2] is tables:
                    ids, codes, _ = self._held
                    self._held = ids, codes, _Tables.of(codes)
        self._searched = True
        return self._held


def _codes(values: Sequence[bytes]) -> Codes:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, BYTES)


def _scan(codes: Codes, code: Codes, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and their distances, by comparing with every one."""
    result = faiss.RangeSearchResult(1)
    query = np.ascontiguousarray(code[None])
    # FAISS finds what is nearer than the radius.
    faiss.hamming_range_search(faiss.swig_ptr(query), faiss.swig_ptr(codes), 1, len(codes), most + 1, BYTES, result)
    count = int(faiss.rev_swig_ptr(result.lims, 2)[1])
    if not count:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows = faiss.rev_swig_ptr(result.labels, count).astype(np.int64)
    return rows, faiss.rev_swig_ptr(result.distances, count).astype(np.int64)
