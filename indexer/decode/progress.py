"""Report that decoding advances, so that slow can be told from stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[float], None]
"""Called with the seconds of media decoded so far, ascending."""


def ignore_progress(seconds: float) -> None:
    """Report progress to nobody."""
