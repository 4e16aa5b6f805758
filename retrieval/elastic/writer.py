"""Writing assets. An asset is there when its own document is: that is written last, and taken away last.

There are no transactions: what has to be whole is made so by order, by ids that follow from the content, and by
versions. A document that is no longer what it was when it was read refuses to be overwritten, and the change is made
again on what it is now. A writer that dies half-way leaves moments that no asset tells of; the same write, made again,
replaces them.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from crossmedia.embeddings.encoder import UNALIGNED
from crossmedia.retrieval.documents import Moment, modality
from crossmedia.retrieval.elastic import docs
from crossmedia.retrieval.elastic.bulk import Action, Conflict, write
from crossmedia.retrieval.elastic.connection import StoreBlocked
from crossmedia.retrieval.elastic.docs import Doc, Record, Version, asset_key, source_key
from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.store import SpaceMismatch, StoreUnusable
from crossmedia.retrieval.stored_asset import StoredMoment

TRIES: Final = 20
BLOCKED_SECONDS: Final = 0.25
ResultT = TypeVar("ResultT")


class Arrivals:
    """Times of arrival: microseconds, each later than any that was given before."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def now(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return self._last


class Writer:
    """Changes one index."""

    def __init__(self, index: Index, arrivals: Arrivals) -> None:
        self.index = index
        self.now = arrivals.now

    def again(self, change: Callable[[], ResultT]) -> ResultT:
        """Make a change on what is there, again if that changed meanwhile."""
        held_up: StoreBlocked | None = None
        for _ in range(TRIES):
            try:
                return change()
            except Conflict:
                continue
            except StoreBlocked as error:
                held_up = error
                if self.index.moved():
                    self.index.aim("")
                    raise SpaceMismatch(
                        "the collection was reindexed while this was written", "run the command again"
                    ) from error
                time.sleep(BLOCKED_SECONDS)  # it is being put in place, or that was given up
        if held_up is not None:
            raise held_up
        raise StoreUnusable("other writers keep changing the same files", "try again later")

    def do(self, actions: Iterable[Action]) -> None:
        some = list(actions)
        if not some:
            return
        try:
            conflicts = write(self.index.connection, some)
        finally:
            self.index.wrote()
        if conflicts:
            raise Conflict

    def records(self, assets: Sequence[str]) -> dict[str, Record]:
        found = self.index.versioned([asset_key(asset) for asset in assets])
        return {doc["asset"]: docs.to_record(doc, version) for doc, version in found.values()}

    def provide(self, moments: Iterable[Moment]) -> None:
        """Fields for these vectors. Raises ValueError for what is none."""
        fields: dict[str, int] = {}
        for moment in moments:
            for space, vector in moment.vectors.items():
                if getattr(vector, "ndim", 0) != 1:
                    raise ValueError(f"{moment.id}: no vector of the space {space!r}")
                if space != UNALIGNED:
                    fields[docs.vector_field(space, modality(space, moment.kind), len(vector))] = len(vector)
        self.index.provide(fields)

    def moments(
        self, record: Record, moments: Sequence[StoredMoment], expected: Mapping[str, Version] | None = None
    ) -> Iterable[Action]:
        numbers = docs.renumbered(record)
        _, ours = self.index.analyser()
        for held in moments:
            key = held.moment.id
            doc = docs.moment_doc(held, record, numbers.get(key, len(numbers)), ours)
            yield Action(self.index.target, key, doc, (expected or {}).get(key))
            if held.moment.thumbnail is not None:
                yield self.preview(record, key, held.moment.thumbnail)

    def preview(self, record: Record, key: str, data: bytes) -> Action:
        doc: Doc = {"asset": record.asset.id, "data": base64.b64encode(data).decode("ascii")}
        return Action(self.index.previews, key, doc)

    def manifest(self, record: Record) -> Action:
        doc = docs.record_doc(record, time.time_ns() // 1000)
        return Action(self.index.target, asset_key(record.asset.id), doc, record.version or "absent")

    def rewrite(
        self,
        record: Record,
        change: Callable[[StoredMoment], StoredMoment] = lambda held: held,
        only: Container[str] | None = None,
    ) -> None:
        """All moments of an asset, since something that they share has changed, or only some."""
        versions = self.index.versioned([moment for moment in record.moments if only is None or moment in only])
        held = [change(docs.to_held(key, doc)) for key, (doc, _) in versions.items()]
        self.provide(each.moment for each in held)
        self.do(self.moments(record, held, {key: version for key, (_, version) in versions.items()}))
        self.do([self.manifest(record)])

    def erase(self, record: Record) -> None:
        index, asset = self.index, record.asset.id
        here = [*record.moments, *(source_key(s.collection, s.location) for s in record.sources)]
        previews = [*record.moments, *(docs.attachment_key(asset, name) for name in record.attachments)]
        self.do(
            [
                *(Action(index.target, key, None) for key in here),
                *(Action(index.previews, key, None) for key in previews),
            ]
        )
        self.do([Action(index.target, asset_key(asset), None)])
