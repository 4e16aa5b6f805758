"""Chromaprint fingerprints: unpacked from what fpcalc prints, and found again where a few of their bits differ.

A fingerprint is a 32-bit number for each eighth of a second (Chromaprint's algorithm 1). Candidates share a number, the
method of Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002); they are then laid on each
other where most numbers agree, and compared bit by bit.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]

ALGORITHM: Final = 1
"""The algorithm that AcoustID and fpcalc use."""
MAX_NUMBERS: Final = 200_000
"""Numbers of a fingerprint: seven hours."""
OVERLAP: Final = 0.5
"""Share of the shorter one that has to lie on the longer one."""
MIN_OVERLAP: Final = 16
"""Numbers that have to lie on each other: two seconds. Less is alike by chance."""
DIFFERENT: Final = 8
"""Different numbers that a fingerprint has at least. Silence has one, the same everywhere."""
SHIFTS: Final = 8
"""Ways of laying two on each other that are compared, those with most numbers in common."""

CANDIDATES: Final = 20_000
"""Places that share a number with what is looked up and are tried, those with the rarest numbers."""

_BASE64: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class Malformed(ValueError):
    """A text is no fingerprint."""


def unpack(text: str) -> Numbers:
    """The numbers of a fingerprint in base64; raises Malformed.

    Each number is kept as what it differs in from the one before: the distances between its set bits, in three bits
    each and a zero after the last; what is 7 or more is continued in five bits behind all of them.
    """
    if not _BASE64.fullmatch(text):
        raise Malformed("it has characters that base64 has not")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Malformed(str(error)) from error
    size = int.from_bytes(data[1:4], "big")
    if len(data) < 4 or data[0] != ALGORITHM:
        raise Malformed(f"it does not begin as one of algorithm {ALGORITHM}")
    if not 0 < size <= MAX_NUMBERS:
        raise Malformed(f"it says that it has {size} numbers")
    body = np.frombuffer(data, np.uint8, offset=4)
    steps = _fields(body, 3)
    ends = np.flatnonzero(steps == 0)
    if len(ends) < size:
        raise Malformed("it ends too soon")
    last = int(ends[size - 1]) + 1
    steps, ends = steps[:last], ends[:size]
    large = np.flatnonzero(steps == 7)
    more = _fields(body[-(-last * 3 // 8) :], 5)
    if len(more) < len(large):
        raise Malformed("it ends too soon")
    steps[large] += more[: len(large)]
    reached = np.cumsum(steps)
    number = np.searchsorted(ends, np.arange(last))
    before = np.concatenate(([0], reached[ends[:-1]]))
    bits = reached - before[number]
    if bits.max() > 32:
        raise Malformed("it has a number of more than 32 bits")
    set_ = steps > 0
    differences = np.zeros(size, dtype=np.uint32)
    np.bitwise_or.at(differences, number[set_], np.uint32(1) << (bits[set_] - 1).astype(np.uint32))
    return np.bitwise_xor.accumulate(differences)


class ChromaprintIndex:
    """Fingerprints by their ids; all in memory, 12 bytes a number."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._prints: list[Numbers] = []
        self._sorted: tuple[Numbers, NDArray[np.int64], NDArray[np.int64]] | None = None

    def add(self, ids: Sequence[int], values: Sequence[bytes]) -> None:
        """`values`: what fpcalc prints."""
        self._prints += [unpack(value.decode()) for value in values]
        self._ids += ids
        self._sorted = None

    def search(self, value: bytes, most: float) -> list[tuple[int, float]]:
        """(id, share of differing bits) of those that differ in at most this share and share a number, the nearest
        first."""
        query = unpack(value.decode())
        if not self._ids:
            return []
        numbers, owners, places = self._looked_up()
        # Each number once: what repeats says nothing more, and would make of a hostile one a square of candidates.
        asked, told = np.unique(query, return_index=True)
        first, last = np.searchsorted(numbers, asked), np.searchsorted(numbers, asked, side="right")
        # The rarest first: what begins every recording, such as silence, is looked up only where nothing else is
        # shared.
        order = np.argsort(last - first, kind="stable")
        order = order[(last - first)[order] > 0]
        reached = np.cumsum((last - first)[order])
        order = order[: max(1, int(np.searchsorted(reached, CANDIDATES, side="right")))]
        first, counts, told = first[order], (last - first)[order], told[order]
        at = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        pairs = np.stack((owners[at], places[at] - np.repeat(told, counts)), axis=1)
        shifts, votes = np.unique(pairs, axis=0, return_counts=True)
        tried: dict[int, int] = {}
        best: dict[int, float] = {}
        for owner, shift in shifts[np.argsort(-votes, kind="stable")].tolist():
            tried[owner] = tried.get(owner, 0) + 1
            if tried[owner] <= SHIFTS:
                found = differing_share(self._prints[owner], query, shift)
                best[owner] = min(best.get(owner, 1.0), found)
        near = [(self._ids[owner], distance) for owner, distance in best.items() if distance <= most]
        return sorted(near, key=lambda pair: (pair[1], pair[0]))

    def _looked_up(self) -> tuple[Numbers, NDArray[np.int64], NDArray[np.int64]]:
        """All numbers in order, and of each the fingerprint it is of and where in it."""
        if self._sorted is None:
            numbers = np.concatenate(self._prints)
            owners = np.repeat(np.arange(len(self._prints)), [len(one) for one in self._prints])
            places = np.concatenate([np.arange(len(one)) for one in self._prints])
            order = np.argsort(numbers, kind="stable")
            self._sorted = numbers[order], owners[order], places[order]
        return self._sorted


def differing_share(one: Numbers, other: Numbers, shift: int) -> float:
    """The share of bits in which two differ where `other` begins `shift` numbers after `one`; 1 where they hardly
    overlap."""
    start, end = max(0, shift), min(len(one), shift + len(other))
    if end - start < max(MIN_OVERLAP, OVERLAP * min(len(one), len(other))):
        return 1.0
    counted = np.bitwise_count(one[start:end] ^ other[start - shift : end - shift])
    return float(counted.mean() / 32)


def _fields(data: NDArray[np.uint8], width: int) -> NDArray[np.int64]:
    """Fields of so many bits, the lowest bits first."""
    bits = np.unpackbits(data, bitorder="little")
    whole = len(bits) // width * width
    return bits[:whole].reshape(-1, width).astype(np.int64) @ (1 << np.arange(width))
