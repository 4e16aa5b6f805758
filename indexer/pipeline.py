"""Files into the store: skip what is known, decode what is new, commit in batches."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from embeddings.errors import CrossmediaError
from embeddings.media import Clip, Picture
from embeddings.profile import Profile
from indexer.assemble import assemble
from indexer.decode import Decoded
from indexer.decode.errors import Unreadable
from indexer.decode.pool import DecodePool
from indexer.scan import Found
from retrieval.documents import Source
from retrieval.store import Store

State: TypeAlias = Literal["added", "unchanged", "copied", "moved", "failed"]
CHUNK_FILES, CHUNK_BYTES = 16, 4 << 20
"""Files handed to a decoding process at once: small ones share the cost of the crossing."""
IN_FLIGHT = 4
COMMIT_PICTURES = 64
COMMIT_BYTES = 64 << 20


class ChangedWhileRead(CrossmediaError):
    """A file was still being written."""

    code = "changed_while_read"
    status = 409


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `copied` and `moved` are known content at a new place."""

    path: str
    state: State
    asset: str | None = None
    error: CrossmediaError | None = None


@dataclass
class Report:
    """What became of all of them."""

    counts: dict[State, int] = field(
        default_factory=lambda: {"added": 0, "unchanged": 0, "copied": 0, "moved": 0, "failed": 0}
    )
    failed: list[Outcome] = field(default_factory=list)
    assets: dict[str, str] = field(default_factory=dict)
    """Path → asset id of everything that is now indexed."""
    gone: list[str] = field(default_factory=list)
    """Paths that were indexed below the same folders and are no longer there."""
    pruned: bool = False

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome.state] += 1
        if outcome.asset is not None:
            self.assets[outcome.path] = outcome.asset
        if outcome.error is not None:
            self.failed.append(outcome)

    def as_dict(self) -> dict[str, Any]:
        failed = [{"path": o.path, "error": o.error.as_dict()} for o in self.failed if o.error]
        return {**{str(state): count for state, count in self.counts.items()}, "failures": failed, "gone": self.gone, "pruned": self.pruned}


@dataclass(frozen=True)
class _New:
    """A file whose content the store does not hold, with further places where the same bytes were found."""

    asset: str
    found: Found
    copies: list[Found]


class Pipeline:
    """Indexes files into one collection. Stopping it between two commits loses only what was not reported."""

    def __init__(self, store: Store, profile: Profile, pool: DecodePool, collection: str = "default") -> None:
        self._store = store
        self._profile = profile
        self._pool = pool
        self._collection = collection

    def index(
        self,
        files: Sequence[Found],
        tell: Callable[[Outcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """Bring the store in line with these files; `tell` hears of each once it is durable. Never raises for a file."""
        report = Report()
        coming: dict[str, _New] = {}

        def told(outcome: Outcome) -> None:
            report.add(outcome)
            tell(outcome)

        batch: list[tuple[_New, Decoded]] = []
        for new, decoded in self._decoded(self._unknown(files, coming, told, stop)):
            if isinstance(decoded, CrossmediaError):
                del coming[new.asset]
                for found in (new.found, *new.copies):
                    told(Outcome(found.path, "failed", error=decoded))
                continue
            batch.append((new, decoded))
            if _weight(batch) >= 1:
                self._commit(batch, coming, told)
                batch = []
            if stop is not None and stop.is_set():
                break
        self._commit(batch, coming, told)
        return report

    def gone(self, roots: Sequence[Path]) -> list[Source]:
        """Sources below these folders (or named themselves) whose file is no longer there."""
        folders = [root.resolve() for root in roots]
        return [
            located.source
            for located in self._store.located(self._collection)
            if any(Path(located.source.location).is_relative_to(folder) for folder in folders)
            and not Path(located.source.location).exists()
        ]

    def prune(self, sources: Sequence[Source]) -> list[str]:
        """Forget these sources; returns the assets that went with them."""
        return self._store.forget([source.location for source in sources], self._collection)

    def _unknown(
        self,
        files: Iterable[Found],
        coming: dict[str, _New],
        told: Callable[[Outcome], None],
        stop: threading.Event | None,
    ) -> Iterator[_New]:
        """Files whose content has to be decoded. `coming` holds them until they are committed or have failed, so that the
        same bytes at a second path wait for the first."""
        known = {x.source.location: x for x in self._store.located(self._collection)}
        places: dict[str, list[str]] = {}
        for located in known.values():
            places.setdefault(located.asset, []).append(located.source.location)
        for found in files:
            if stop is not None and stop.is_set():
                return
            held = known.get(str(found.location))
            if held and (held.source.size, held.source.mtime_ns) == (found.size, found.mtime_ns):
                told(Outcome(found.path, "unchanged", held.asset))
                continue
            try:
                asset = _hash(found)
            except CrossmediaError as error:
                told(Outcome(found.path, "failed", error=error))
                continue
            if asset in coming:
                coming[asset].copies.append(found)
            elif self._store.asset(asset) is not None:
                told(self._locate(asset, found, places.get(asset, [])))
            else:
                coming[asset] = _New(asset, found, [])
                yield coming[asset]

    def _locate(self, asset: str, found: Found, places: Sequence[str]) -> Outcome:
        location = str(found.location)
        left = next((place for place in places if place != location and not Path(place).exists()), None)
        self._store.locate(asset, self._source(found), instead_of=left)
        return Outcome(found.path, "moved" if left else "unchanged" if location in places else "copied", asset)

    def _decoded(self, new: Iterator[_New]) -> Iterator[tuple[_New, Decoded | CrossmediaError]]:
        """Decode in other processes, a few chunks ahead, in order."""
        ahead: deque[tuple[list[_New], Future[list[Decoded | CrossmediaError]]]] = deque()
        for chunk in _chunks(new):
            ahead.append((chunk, self._pool.submit_many([item.found.location for item in chunk])))
            if len(ahead) >= IN_FLIGHT:
                yield from zip(*_result(ahead.popleft()), strict=True)
        while ahead:
            yield from zip(*_result(ahead.popleft()), strict=True)

    def _commit(
        self, batch: Sequence[tuple[_New, Decoded]], coming: dict[str, _New], told: Callable[[Outcome], None]
    ) -> None:
        whole: list[tuple[_New, Decoded]] = []
        for new, decoded in batch:
            del coming[new.asset]
            if _same(new.found):
                whole.append((new, decoded))
            else:
                error = ChangedWhileRead(
                    f"{new.found.path} changed while it was read", "index it again when it is complete"
                )
                for found in (new.found, *new.copies):
                    told(Outcome(found.path, "failed", error=error))
        if not whole:
            return
        documents = assemble(
            [(new.asset, new.found, decoded) for new, decoded in whole], self._profile, self._collection
        )
        self._store.put(documents)
        for new, _ in whole:
            told(Outcome(new.found.path, "added", new.asset))
            for copy in new.copies:
                self._store.locate(new.asset, self._source(copy))
                told(Outcome(copy.path, "copied", new.asset))

    def _source(self, found: Found) -> Source:
        return Source(str(found.location), found.path, self._collection, found.size, found.mtime_ns)


def _hash(found: Found) -> str:
    try:
        with found.location.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(f"{found.path} cannot be read: {error.strerror}", "check its permissions") from error


def _same(found: Found) -> bool:
    try:
        status = found.location.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (found.size, found.mtime_ns)


def _chunks(new: Iterator[_New]) -> Iterator[list[_New]]:
    chunk: list[_New] = []
    size = 0
    for item in new:
        if chunk and size + item.found.size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += item.found.size
        if len(chunk) >= CHUNK_FILES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _result(
    pending: tuple[list[_New], Future[list[Decoded | CrossmediaError]]],
) -> tuple[list[_New], list[Decoded | CrossmediaError]]:
    return pending[0], pending[1].result()


def _weight(batch: Sequence[tuple[_New, Decoded]]) -> float:
    """1 or more when the batch is worth a commit: by pictures to encode, and by bytes held in memory."""
    pictures = held = 0
    for _, decoded in batch:
        content = decoded.content
        frames = (
            [content] if isinstance(content, Picture) else list(content.pictures) if isinstance(content, Clip) else []
        )
        pictures += max(1, len(frames))
        held += sum(frame.pixels.nbytes for frame in frames)
        if decoded.media in ("audio", "video"):
            held += COMMIT_BYTES // 4
    return max(pictures / COMMIT_PICTURES, held / COMMIT_BYTES)
