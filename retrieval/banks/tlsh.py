"""TLSH digests compared: Oliver, Cheng and Chen, "TLSH: a locality sensitive hash" (2013), in numpy over all of a bank.

The distance is that of the reference (`tlsh.diffxlen`): each of 128 buckets is a quartile in two bits, whose difference
counts 1, 2 or, for 3, 6; the two quartile ratios count their difference modulo 16, times 12 beyond 1; another checksum
counts 1. The length, which the digest holds too, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Digests = NDArray[np.uint8]

BYTES: Final = 35
_COST: Final = np.array([0, 1, 2, 6], dtype=np.uint8)


def _body() -> NDArray[np.uint8]:
    """256×256: what two bytes of four buckets each differ by."""
    bytes_ = np.arange(256)
    total = np.zeros((256, 256), dtype=np.uint8)
    for shift in (0, 2, 4, 6):
        quartile = bytes_ >> shift & 3
        total += _COST[np.abs(quartile[:, None] - quartile[None, :])]
    return total


def _ratios() -> NDArray[np.uint8]:
    """256×256: what two bytes of two ratios each differ by; at most 2 × 84."""
    bytes_ = np.arange(256)
    total = np.zeros((256, 256), dtype=np.uint8)
    for shift in (0, 4):
        ratio = bytes_ >> shift & 15
        apart = np.abs(ratio[:, None] - ratio[None, :])
        apart = np.minimum(apart, 16 - apart)
        total += np.where(apart <= 1, apart, 12 * (apart - 1)).astype(np.uint8)
    return total


BODY: Final = _body()
RATIOS: Final = _ratios()


class TlshIndex:
    """Digests by their ids, 35 bytes each; every search looks at all of them."""

    def __init__(self) -> None:
        self._ids: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._digests: Digests = np.empty((0, BYTES), dtype=np.uint8)

    def add(self, ids: Sequence[int], values: Sequence[bytes]) -> None:
        """`values`: 35 bytes each: checksum, length, ratios, 32 of buckets."""
        self._ids = np.concatenate((self._ids, np.asarray(ids, dtype=np.int64)))
        added = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, BYTES)
        self._digests = np.concatenate((self._digests, added))

    def search(self, value: bytes, most: float) -> list[tuple[int, float]]:
        """(id, distance) of all that are at most so far, the nearest first."""
        query, digests, ids = np.frombuffer(value, dtype=np.uint8), self._digests, self._ids
        total = (digests[:, 0] != query[0]).astype(np.int32) + RATIOS[query[2]][digests[:, 2]]
        for column in range(3, BYTES):
            total += BODY[query[column]][digests[:, column]]
        near = np.flatnonzero(total <= most)
        order = near[np.lexsort((ids[near], total[near]))]
        return [(int(ids[row]), float(total[row])) for row in order]
