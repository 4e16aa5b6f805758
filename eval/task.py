"""A retrieval task: a gallery, and queries with what is right in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from crossmedia.embeddings.media import Medium


@dataclass(frozen=True)
class Target:
    """Something that can be found: a file, or a text that is written to one."""

    key: str
    path: Path | None = None
    text: str | None = None


@dataclass(frozen=True)
class TaskQuery:
    """A query, a text or a file, and the keys of what answers it."""

    relevant: frozenset[str]
    text: str | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Task:
    """One direction over one gallery. `medium` restricts what is searched for."""

    name: str
    medium: Medium
    gallery: tuple[Target, ...]
    queries: tuple[TaskQuery, ...]

    @property
    def fingerprint(self) -> str:
        """Of the names in the gallery and what is asked of it: the same figure is of the same data."""
        lines = [t.key for t in self.gallery] + [
            f"{q.text or (q.path.name if q.path else '')}={sorted(q.relevant)}" for q in self.queries
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
