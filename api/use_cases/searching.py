"""Search by words and by files, without what is blocked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossmedia.api.examples import read_example
from crossmedia.api.runtime import Runtime
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.retrieval.query import Answer, Example, Query
from crossmedia.retrieval.store import SpaceMismatch


class Searching:
    """Queries over the collection."""

    def __init__(self, runtime: Runtime, moderation: Moderation) -> None:
        self._runtime = runtime
        self._moderation = moderation

    def warm(self) -> None:
        """Read and run every network once; raises ModelMissing where one the profile needs is absent."""
        self._runtime.engine.profile.warm()

    def search(self, query: Query) -> Answer:
        """The moments that answer, best first or as they are to be sorted. Raises EmptyQuery, UnknownLeg, NotFound,
        BadCursor, SpaceMismatch."""
        query = replace(query, filters=self._moderation.unblocked(query.filters))
        try:
            return self._runtime.engine.search(query)
        except SpaceMismatch:
            # Another process has just put a collection made anew in its place.
            return self._runtime.engine.search(query)

    def example(self, path: Path, weight: float = 1.0, name: str | None = None) -> Example:
        """Decode a file to search by; raises what decoding raises."""
        return read_example(self._runtime.example_pool, path, weight, name)
