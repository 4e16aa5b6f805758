"""Files into the store: skip what is known, decode what is new, commit in batches."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Clip, Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.indexer.assemble import assemble_each
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.errors import Unreadable
from crossmedia.indexer.decode.pool import DecodePool, arrived
from crossmedia.indexer.report import BadFileName, ChangedWhileRead, FileOutcome, Report, outcome, path_text
from crossmedia.indexer.scan import ScannedFile, is_unchanged, shares
from crossmedia.retrieval.documents import Document, Source
from crossmedia.retrieval.places import is_here, original
from crossmedia.retrieval.store import Located, NotFound, Store

CHUNK_FILES, CHUNK_BYTES = 16, 4 << 20
"""Files handed to a decoding process at once: small ones share the cost of the crossing."""
IN_FLIGHT = 4
PLACES = 100
"""Folders below which the store is asked for sources at once."""
LOOKED_UP = 500
"""Files whose places the store is asked for at once."""
HASHED_FILES, HASHED_BYTES = 64, 64 << 20
"""Files whose content is looked up in the store at once: decoding waits until they have been read."""
COMMIT_PICTURES = 64
COMMIT_BYTES = 64 << 20


@dataclass(frozen=True)
class _New:
    """A file whose content the store does not hold, with further places where the same bytes were found."""

    asset: str
    found: ScannedFile
    copies: list[ScannedFile]


class Pipeline:
    """Indexes files into one collection. Stopping it between two commits loses only what was not reported."""

    def __init__(self, store: Store, profile: Profile, pool: DecodePool, collection: str = "default") -> None:
        self._store = store
        self._profile = profile
        self._pool = pool
        self._collection = collection

    def index(
        self,
        files: Sequence[ScannedFile],
        tell: Callable[[FileOutcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """Bring the store in line with these files; `tell` hears of each once it is durable. Never raises for a
        file."""
        report = Report()
        coming: dict[str, _New] = {}

        def told(outcome: FileOutcome) -> None:
            report.add(outcome)
            tell(outcome)

        batch: list[tuple[_New, Decoded]] = []
        for new, decoded in self._decoded(self._unknown(files, coming, told, stop), stop):
            if isinstance(decoded, CrossmediaError):
                del coming[new.asset]
                _fail(new, decoded, told)
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
        places = iter([str(root.resolve()) for root in roots if not root.is_file()])  # a file that is there is not gone
        found: dict[str, Source] = {}
        while some := list(islice(places, PLACES)):
            found |= {x.source.location: x.source for x in self._store.located(self._collection, some)}
        return [source for location, source in found.items() if not Path(location).exists()]

    def prune(self, sources: Sequence[Source]) -> list[str]:
        """Forget these sources; returns the assets that went with them."""
        return self._store.forget([source.location for source in sources], self._collection)

    def _unknown(
        self,
        files: Iterable[ScannedFile],
        coming: dict[str, _New],
        told: Callable[[FileOutcome], None],
        stop: threading.Event | None,
    ) -> Iterator[_New]:
        """Files whose content has to be decoded. `coming` holds them until they are committed or have failed, so that
        the same bytes at a second path wait for the first."""
        for some in _lots(files, LOOKED_UP):
            known = self._store.at([str(found.location) for found in some if _is_text(found)], self._collection)
            for part in shares(some, HASHED_FILES, HASHED_BYTES):
                yield from self._new(part, known, coming, told, stop)

    def _new(
        self,
        files: Sequence[ScannedFile],
        known: Mapping[str, Located],
        coming: dict[str, _New],
        told: Callable[[FileOutcome], None],
        stop: threading.Event | None,
    ) -> list[_New]:
        """Those of a few files that have to be decoded; the others are dealt with."""
        hashed: list[tuple[str, ScannedFile]] = []
        for found in files:
            if stop is not None and stop.is_set():
                break
            held = known.get(str(found.location))
            if held and (held.source.size, held.source.mtime_ns) == (found.size, found.mtime_ns):
                told(outcome(found, "unchanged", held.asset))
                continue
            try:
                hashed.append((_hash(found), found))
            except CrossmediaError as error:
                told(outcome(found, "failed", error=error))
        there = self._sources([asset for asset, _ in hashed if asset not in coming])
        new: list[_New] = []
        for asset, found in hashed:
            if asset in coming:
                coming[asset].copies.append(found)
            elif not self._located(asset, found, there.get(asset, []), told):
                coming[asset] = _New(asset, found, [])
                new.append(coming[asset])
        return new

    def _sources(self, assets: Sequence[str]) -> dict[str, list[Source]]:
        """Where assets lie that are known."""
        return {asset: sources for asset, (_, sources) in self._store.placed(assets).items()} if assets else {}

    def _located(
        self, asset: str, found: ScannedFile, sources: list[Source], told: Callable[[FileOutcome], None]
    ) -> bool:
        """Record a known asset's further or new place, also among its `sources`; False if there is no such asset, or
        no more."""
        if not sources:
            return False
        location, here = str(found.location), self._source(found)
        places = [source.location for source in sources if source.collection == self._collection]
        # The place that an archive gave it comes first: it is this one, seen here now.
        before = sorted((place for place in places if place != location), key=lambda place: original(place) != location)
        left = next((place for place in before if not (is_here(place) and Path(place).exists())), None)
        try:
            self._store.locate(asset, here, instead_of=left)
        except NotFound:
            return False
        gone = (location, left)
        sources[:] = [s for s in sources if s.collection != self._collection or s.location not in gone] + [here]
        told(outcome(found, "moved" if left else "unchanged" if location in places else "copied", asset))
        return True

    def _decoded(
        self, new: Iterator[_New], stop: threading.Event | None
    ) -> Iterator[tuple[_New, Decoded | CrossmediaError]]:
        """Decode in other processes, a few chunks ahead, in order; what is not done is given up on `stop`."""
        ahead: deque[tuple[list[_New], Future[list[Decoded | CrossmediaError]]]] = deque()
        try:
            for chunk in _chunks(new):
                ahead.append((chunk, self._pool.submit_many([item.found.location for item in chunk])))
                if len(ahead) >= IN_FLIGHT:
                    if not arrived(ahead[0][1], stop):
                        return
                    yield from zip(*_result(ahead.popleft()), strict=True)
            while ahead:
                if not arrived(ahead[0][1], stop):
                    return
                yield from zip(*_result(ahead.popleft()), strict=True)
        finally:
            for _, pending in ahead:
                pending.cancel()

    def _commit(
        self, batch: Sequence[tuple[_New, Decoded]], coming: dict[str, _New], told: Callable[[FileOutcome], None]
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
                _fail(new, error, told)
        if not whole:
            return
        documents: list[Document] = []
        stored: list[tuple[_New, Document]] = []
        results = assemble_each(
            [(new.asset, new.found, decoded) for new, decoded in whole], self._profile, self._collection
        )
        for (item, _), result in zip(whole, results, strict=True):
            if isinstance(result, CrossmediaError):
                _fail(item, result, told)
            else:
                documents.append(result)
                stored.append((item, result))
        # Another process may have begun to make the collection's vectors anew: then this is refused.
        self._store.put(documents, spaces=self._profile.spaces.values())
        there = self._sources([item.asset for item, _ in stored if item.copies])
        for item, document in stored:
            told(outcome(item.found, "added", item.asset, warnings=tuple(document.asset.metadata.get("warnings", ()))))
            for copy in item.copies:
                if not self._located(item.asset, copy, there.get(item.asset, []), told):
                    error = ChangedWhileRead(f"{copy.path} was removed while it was added", "index it again")
                    told(outcome(copy, "failed", error=error))

    def _source(self, found: ScannedFile) -> Source:
        return Source(str(found.location), found.path, self._collection, found.size, found.mtime_ns)


def _fail(new: _New, error: CrossmediaError, told: Callable[[FileOutcome], None]) -> None:
    """The file, and every place where the same bytes were found."""
    for found in (new.found, *new.copies):
        told(outcome(found, "failed", error=error))


def _hash(found: ScannedFile) -> str:
    if not _is_text(found):
        raise BadFileName(f"the name of {path_text(found.path)} is not UTF-8", "rename it")
    try:
        with found.location.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        hint = (
            "it was removed, or this machine does not see it: every worker needs the same folders under the same paths"
        )
        raise Unreadable(f"{found.path} is not there", hint) from error
    except OSError as error:
        raise Unreadable(f"{found.path} cannot be read: {error.strerror}", "check its permissions") from error


def _is_text(found: ScannedFile) -> bool:
    """Whether the name can be written down: a file system takes any bytes."""
    try:
        str(found.location).encode()
    except UnicodeEncodeError:
        return False
    return True


def _same(found: ScannedFile) -> bool:
    try:
        status = found.location.stat()
    except OSError:
        return False
    return is_unchanged(status, found)


def _lots(files: Iterable[ScannedFile], size: int) -> Iterator[list[ScannedFile]]:
    rest = iter(files)
    while some := list(islice(rest, size)):
        yield some


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
