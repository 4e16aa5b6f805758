"""A hash as it was made of a file."""

from __future__ import annotations

from dataclasses import dataclass

from crossmedia.retrieval.banks.hashes import Hash


@dataclass(frozen=True)
class Hashed:
    """A hash, and of a video's frame the second at which it is shown."""

    hash: Hash
    start: float | None = None
