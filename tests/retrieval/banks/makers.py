"""Hashes for the tests of the banks."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def flipped(code: NDArray[np.uint8], bits: Iterable[int]) -> NDArray[np.uint8]:
    """A code with these bits turned over."""
    turned = np.unpackbits(code)
    turned[list(bits)] ^= 1
    return np.packbits(turned)


def pdq(seed: int) -> str:
    return np.random.default_rng(seed).bytes(32).hex()


def near_pdq(value: str, bits: int) -> str:
    """As many bits away, spread over the whole."""
    spread = np.random.default_rng(bits).choice(256, bits, replace=False)
    return flipped(np.frombuffer(bytes.fromhex(value), np.uint8), spread).tobytes().hex()


def tlsh(seed: int) -> str:
    return f"T1{np.random.default_rng(seed).bytes(35).hex().upper()}"


def fingerprint(numbers: NDArray[np.uint32] | int) -> str:
    """As fpcalc writes it; of a seed, forty numbers."""
    if isinstance(numbers, int):
        numbers = np.random.default_rng(numbers).integers(1, 2**32 - 1, 40, dtype=np.uint32)
    three: list[int] = []
    five: list[int] = []
    before = 0
    for number in numbers.tolist():
        last = 0
        for bit in range(1, 33):
            if (number ^ before) >> (bit - 1) & 1:
                step, last = bit - last, bit
                three.append(min(step, 7))
                five += [step - 7] if step >= 7 else []
        three.append(0)
        before = number
    head = bytes((1, *len(numbers).to_bytes(3, "big")))
    return base64.urlsafe_b64encode(head + _bits(three, 3) + _bits(five, 5)).decode().rstrip("=")


def _bits(fields: list[int], width: int) -> bytes:
    bits = np.array([field >> place & 1 for field in fields for place in range(width)], dtype=np.uint8)
    return np.packbits(bits, bitorder="little").tobytes()


def near_print(numbers: NDArray[np.uint32], share: float, rng: np.random.Generator) -> NDArray[np.uint32]:
    """The numbers with this share of their bits turned over, all in one number of three so that the others stay
    whole."""
    turned = np.unpackbits(numbers[:, None].view(np.uint8), axis=1)
    rows = np.arange(0, len(numbers), 3)
    flips = rng.random((len(rows), 32)) < 3 * share
    turned[rows] ^= flips.astype(np.uint8)
    return np.packbits(turned, axis=1).view(np.uint32)[:, 0]


def every_kind() -> dict[str, str]:
    return {"pdq": pdq(1), "sha256": pdq(2), "md5": pdq(3)[:32], "tlsh": tlsh(4), "chromaprint": fingerprint(5)}
