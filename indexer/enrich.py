"""The second pass: what is slow to find is added to assets that are already searchable, resumably."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.errors import CrossmediaError, DiskFull
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.pool import DecodePool, arrived
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.enrichers.base import Enricher, FileNeed, Follower, NewestFirst, Recogniser
from crossmedia.indexer.originals import find_original, first_unchanged, source_gone
from crossmedia.retrieval.changes import enriched
from crossmedia.retrieval.documents import Asset, Enrichment, Moment, Source
from crossmedia.retrieval.store import SpaceMismatch, Store, StoreUnusable
from crossmedia.retrieval.stored_asset import StoredAsset

ORDER: Final[tuple[Medium, ...]] = ("audio", "video", "text", "image", "mesh")
"""What is said first: a recording has little else to be found by, a picture already has its vectors."""
AHEAD = 4
TOGETHER: Final = 32
"""Parts of assets whose results are written together at most, and seconds of media: what a crash loses is done again in
a minute or so."""
LISTED: Final = 500
"""Assets that the store is asked about at once before the work begins."""
log = logging.getLogger("crossmedia.indexer")


class EnricherFailed(CrossmediaError):
    """An enricher raised something unforeseen; see the traceback in the log."""

    code = "enricher_failed"


@dataclass(frozen=True)
class Enriched:
    """One asset has been through these enrichers."""

    asset: str
    title: str
    enrichers: tuple[str, ...]
    error: CrossmediaError | None = None


@dataclass
class EnrichReport:
    done: int = 0
    failed: list[Enriched] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "enriched": self.done,
            "enrich_failures": [{"asset": e.asset, "error": e.error.as_dict()} for e in self.failed if e.error],
        }


class EnrichPass:
    """Runs every enricher over every asset it has not seen in its present version.

    An asset is decoded once for all enrichers that need its file. Some assets' results are written together, so that
    the calls of the store grow with such batches: all of them or none, and told when they are there. What was
    interrupted is pending again. An asset that cannot be read is recorded as failed, except where only its file is out
    of reach for now. Where the collection's vectors were made anew since the enrichers were built, SpaceMismatch is
    raised.
    """

    def __init__(
        self,
        store: Store,
        pool: DecodePool,
        enrichers: Sequence[Enricher],
        assets: Sequence[str] | None = None,
        begin: Callable[[Sequence[str]], None] = lambda assets: None,
        end: Callable[[Sequence[str]], None] = lambda assets: None,
    ) -> None:
        """`assets`: only these, if given. `begin` hears of assets before anything of them is changed, `end` when all
        that was said of them is written."""
        self._begin = begin
        self._end = end
        self._only = None if assets is None else set(assets)
        self._store = store
        self._pool = pool
        self._enrichers = enrichers

    def pending(self) -> list[tuple[str, list[Enricher]]]:
        """Assets with the enrichers that have not seen them, or not as they will be, in the order they will be worked
        on. An asset is decoded once for all, so where an enricher begins with the newest, all do."""
        found: list[tuple[str, list[Enricher]]] = []
        for medium in ORDER:
            wanted: dict[str, list[Enricher]] = {}
            newest: list[str] = []
            for enricher in self._enrichers:
                if medium not in enricher.accepts:
                    continue
                unseen = self._store.pending(enricher.name, enricher.model, [medium])
                if isinstance(enricher, NewestFirst) and enricher.newest_first:
                    newest += reversed(unseen)
                again = [asset for asset, before in wanted.items() if any(e.name in enricher.after for e in before)]
                for asset in dict.fromkeys((*unseen, *again)):
                    if self._only is None or asset in self._only:
                        wanted.setdefault(asset, []).append(enricher)
            found += [(asset, wanted[asset]) for asset in dict.fromkeys((*newest, *wanted)) if asset in wanted]
        return found

    def run(
        self,
        tell: Callable[[Enriched], None] = lambda enriched: None,
        stop: threading.Event | None = None,
        plan: Callable[[int], None] = lambda total: None,
        advance: Callable[[float], None] = lambda seconds: None,
    ) -> EnrichReport:
        """Work through what is pending; `tell` hears of each asset once it is durable.

        `plan` hears how many seconds of media there are, `advance` of each that is done; a picture or text counts as
        one.
        """
        report = EnrichReport()
        work = self._work()
        plan(sum(part.length for part in work))
        # Decoding runs in other processes a few assets ahead of the enrichers, which run here.
        futures: dict[_AssetWork, Future[Decoded] | None] = {}
        undecoded = (part for part in work if part.needs != "nothing")
        failed: set[str] = set()
        for batch in _batches(work):
            if stop is not None and stop.is_set():
                break
            results = _Results(self._store, self._store.contents(list(dict.fromkeys(p.asset.id for p in batch))))
            self._begin(list(results.assets))
            told: list[Enriched] = []
            for part in batch:
                if stop is not None and stop.is_set():
                    break
                for ahead in islice(undecoded, AHEAD - len(futures)):
                    futures[ahead] = self._decoding(ahead)
                future = _no_file(part.asset) if part.needs == "nothing" else futures[part]
                if future is not None and not arrived(future, stop):
                    break
                futures.pop(part, None)
                if part.asset.id not in results.assets:
                    continue
                pace = _Pace(part.length, advance)
                error = self._part(part, future, results, pace.reached)
                pace.reached(pace.whole)
                names = tuple(enricher.name for enricher in part.enrichers)
                told.append(Enriched(part.asset.id, part.asset.title, names, error))
                if error is not None:
                    failed.add(part.asset.id)
                    report.failed.append(told[-1])
                elif part.last and part.asset.id not in failed:
                    report.done += 1
            results.write()
            self._end(list(results.assets))
            for each in told:
                tell(each)
        for future in futures.values():
            if future is not None:
                future.cancel()
        return report

    def _work(self) -> list[_AssetWork]:
        pending = self.pending()
        work: list[_AssetWork] = []
        for some in chunks(pending, LISTED):
            placed = self._store.placed([asset for asset, _ in some])
            for key, enrichers in some:
                if key in placed:
                    work += _parts(*placed[key], enrichers)
        return work

    def _decoding(self, part: _AssetWork) -> Future[Decoded] | None:
        """None where the bytes lie nowhere any more; they may have been moved since the work was listed."""
        source = first_unchanged(part.sources) or find_original(self._store, part.asset.id)
        if source is None:
            return None
        return self._pool.submit(Path(source.location), sound_only=part.needs == "sound", sample_rate=part.sample_rate)

    def _part(
        self, part: _AssetWork, future: Future[Decoded] | None, results: _Results, progress: Progress
    ) -> CrossmediaError | None:
        """What the enrichers of a part say goes to the results; returns the last error, if there was one."""
        asset = part.asset
        if future is None:
            return source_gone(asset)
        try:
            decoded = future.result()
        except CrossmediaError as reason:
            for enricher in part.enrichers:
                results.add(Enrichment(asset.id, enricher.name, enricher.model, error=reason.as_dict()))
            return reason
        failed: CrossmediaError | None = None
        for enricher in part.enrichers:
            try:
                found = enricher.enrich(asset, decoded, results.moments(asset.id), progress)
            except (StoreUnusable, SpaceMismatch, DiskFull):
                raise  # no fault of the asset's
            except Exception as error:
                # One odd file must not stop the pass, now and at every later try.
                failed = error if isinstance(error, CrossmediaError) else _unforeseen(enricher, asset, error)
                found = Enrichment(asset.id, enricher.name, enricher.model, error=failed.as_dict())
            results.add(found)
            if found.moments and isinstance(enricher, Recogniser):
                results.write()  # the next asset may show or let us hear the same person
        return failed


class _Results:
    """What is said of a batch of assets: not yet written, but seen by the enrichers that come after."""

    def __init__(self, store: Store, assets: dict[str, StoredAsset]) -> None:
        self.assets = assets
        self._store = store
        self._waiting: list[Enrichment] = []
        self._vectors: dict[str, Mapping[str, Vector]] = {}

    def moments(self, asset: str) -> list[Moment]:
        moments = [held.moment for held in self.assets[asset].moments]
        return [replace(m, vectors=self._vectors[m.id]) if m.id in self._vectors else m for m in moments]

    def add(self, enrichment: Enrichment) -> None:
        self.assets[enrichment.asset] = enriched(self.assets[enrichment.asset], enrichment)
        self._waiting.append(enrichment)
        for patch in enrichment.patches:
            if patch.vectors:
                self._vectors[patch.moment] = {**self._vectors.get(patch.moment, {}), **patch.vectors}

    def write(self) -> None:
        if self._waiting:
            self._store.enrich(self._waiting)
            self._waiting = []


class _Pace:
    """One asset's share of the progress: forward only, and whole in the end."""

    def __init__(self, whole: float, advance: Callable[[float], None]) -> None:
        self.whole = whole
        self._advance = advance
        self._reached = 0.0

    def reached(self, seconds: float) -> None:
        forward = min(seconds, self.whole) - self._reached
        if forward > 0:
            self._reached += forward
            self._advance(forward)


@dataclass(frozen=True, eq=False)
class _AssetWork:
    """An asset and those of its enrichers that need the same of it decoded. `sources`: where it lay when the work was
    listed; `length`: its share of the progress."""

    asset: Asset
    sources: Sequence[Source]
    enrichers: tuple[Enricher, ...]
    needs: Literal["sound", "file", "nothing"]
    length: int
    last: bool

    @property
    def sample_rate(self) -> float:
        """Frames a second that are to be followed."""
        return max((e.sample_rate for e in self.enrichers if isinstance(e, Follower)), default=0.0)


def _parts(asset: Asset, sources: Sequence[Source], enrichers: Sequence[Enricher]) -> list[_AssetWork]:
    """What only listens to a video need not wait for its pictures, nor hold them: decoding its sound costs next to
    nothing. What needs no file waits for both, since it may read what they add."""
    needed: dict[Literal["sound", "file", "nothing"], list[Enricher]] = {"sound": [], "file": [], "nothing": []}
    for enricher in enrichers:
        hears = enricher.hears and asset.media == "video"
        stored = isinstance(enricher, FileNeed) and not enricher.needs_file
        needed["nothing" if stored else "sound" if hears else "file"].append(enricher)
    groups = [(needs, tuple(group)) for needs, group in needed.items() if group]
    whole = max(1, round(float(asset.metadata.get("seconds", 1.0))))
    return [
        _AssetWork(
            asset, sources, group, needs, whole if n == 0 and needs != "nothing" else 1, last=n == len(groups) - 1
        )
        for n, (needs, group) in enumerate(groups)
    ]


def _no_file(asset: Asset) -> Future[Decoded]:
    """What an enricher is given that needs no file."""
    given: Future[Decoded] = Future()
    given.set_result(Decoded(asset.media, asset.mime, ()))
    return given


def _batches(work: Sequence[_AssetWork]) -> Iterator[list[_AssetWork]]:
    """Parts whose results are written together; something long is written when it is done."""
    batch: list[_AssetWork] = []
    for part in work:
        batch.append(part)
        if len(batch) >= TOGETHER or sum(p.length for p in batch) >= TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _unforeseen(enricher: Enricher, asset: Asset, error: Exception) -> EnricherFailed:
    log.exception("%s failed on %s", enricher.name, asset.title, exc_info=error)
    return EnricherFailed(
        f"{enricher.name} failed on {asset.title}: {type(error).__name__}: {error}", "see the traceback in the log"
    )
