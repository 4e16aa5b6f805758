"""Parts that are built when they are first used, once, and closed in the reverse order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from typing import TypeVar, cast

PartT = TypeVar("PartT")


class Parts:
    """Builds a part for whoever asks first. One lock for all of them: parts are built from each other."""

    def __init__(self) -> None:
        self._building = threading.RLock()
        self._built: dict[Hashable, tuple[Hashable, object]] = {}
        self._closing = ExitStack()

    def get(self, name: Hashable, build: Callable[[], PartT], version: Hashable = None) -> PartT:
        """The part of that name, built anew where it was built for another version."""
        held = self._built.get(name)
        if held is None or held[0] != version:
            with self._building:
                held = self._built.get(name)
                if held is None or held[0] != version:
                    part = build()
                    close = getattr(part, "close", None)
                    if close is not None:
                        self._closing.callback(close)
                    held = self._built[name] = (version, part)
        return cast(PartT, held[1])

    def holds(self, name: Hashable) -> bool:
        """Whether the part of that name was built."""
        return name in self._built

    def close(self) -> None:
        """Close every part that can be, the last one built first, also where one of them fails."""
        self._closing.close()
