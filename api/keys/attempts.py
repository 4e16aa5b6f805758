"""How often somebody may send a wrong key."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError

WRONG_KEYS: Final = 20
"""Wrong keys that one address may send at once; each `SECONDS` one more."""
SECONDS: Final = 3.0
ADDRESSES: Final = 10_000
"""Addresses that are remembered; the oldest is forgotten."""


class TooManyWrongKeys(CrossmediaError):
    """An address has sent wrong keys too often: for a while none of its keys is looked at."""

    code = "too_many_wrong_keys"
    status = 429
    retry_after = int(SECONDS)


class Attempts:
    """Counts wrong keys for each address; thread-safe. `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wrong: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How many wrong keys were left over at which second."""
        self._lock = threading.Lock()

    def exhausted(self, address: str) -> bool:
        """Whether keys from this address are not looked at now."""
        with self._lock:
            return self._count(_network(address)) > WRONG_KEYS - 1

    def note(self, address: str) -> None:
        """A wrong key came from there."""
        network = _network(address)
        with self._lock:
            self._wrong[network] = (self._count(network) + 1, self._now())
            self._wrong.move_to_end(network)
            if len(self._wrong) > ADDRESSES:
                self._wrong.popitem(last=False)

    def _count(self, network: str) -> float:
        count, at = self._wrong.get(network, (0.0, 0.0))
        return max(0.0, count - (self._now() - at) / SECONDS)


def _network(address: str) -> str:
    """Whoever has one IPv6 address has 2⁶⁴ of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else address
