"""The second pass: what is slow to find is added to assets that are already searchable, resumably."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.decode.progress import Progress
from crossmedia.indexer.enrichers.base import Enricher, Follower
from crossmedia.retrieval.documents import Asset, Enrichment, Source
from crossmedia.retrieval.store import SpaceMismatch, Store, StoreUnusable

ORDER: Final[tuple[Medium, ...]] = ("audio", "video", "text", "image", "mesh")
"""What is said first: a recording has little else to be found by, a picture already has its vectors."""
AHEAD = 4
log = logging.getLogger("crossmedia.indexer")


class SourceGone(CrossmediaError):
    """An indexed file is no longer where it was, so it cannot be read again."""

    code = "source_gone"
    status = 410


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

    An asset is decoded once for all of its enrichers; each result is one transaction. What was interrupted is pending
    again. An asset that cannot be read is recorded as failed, except where only its file is out of reach for now.
    Where the collection's vectors were made anew since the enrichers were built, SpaceMismatch is raised.
    """

    def __init__(
        self,
        store: Store,
        pool: DecodePool,
        enrichers: Sequence[Enricher],
        assets: Sequence[str] | None = None,
        begin: Callable[[str], None] = lambda asset: None,
    ) -> None:
        """`assets`: only these, if given. `begin` hears of each asset before anything of it is changed."""
        self._begin = begin
        self._only = None if assets is None else set(assets)
        self._store = store
        self._pool = pool
        self._enrichers = enrichers

    def pending(self) -> list[tuple[str, list[Enricher]]]:
        """Assets with the enrichers that have not seen them, or not as they will be, in the order they will be worked
        on."""
        found: list[tuple[str, list[Enricher]]] = []
        for medium in ORDER:
            wanted: dict[str, list[Enricher]] = {}
            for enricher in self._enrichers:
                if medium not in enricher.accepts:
                    continue
                unseen = self._store.pending(enricher.name, enricher.model, [medium])
                again = [asset for asset, before in wanted.items() if any(e.name in enricher.after for e in before)]
                for asset in dict.fromkeys((*unseen, *again)):
                    if self._only is None or asset in self._only:
                        wanted.setdefault(asset, []).append(enricher)
            found += wanted.items()
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
        work = [
            part
            for key, enrichers in self.pending()
            if (asset := self._store.asset(key))
            for part in _parts(asset, enrichers)
        ]
        plan(sum(part.length for part in work))
        # Decoding runs in other processes a few assets ahead of the enrichers, which run here.
        futures: dict[_Part, Future[Decoded] | None] = {}
        for i, part in enumerate(work):
            for ahead in work[i : i + AHEAD]:
                if ahead not in futures:
                    source = whereabouts(self._store, ahead.asset.id)
                    futures[ahead] = (
                        self._pool.submit(Path(source.location), sound_only=ahead.hears, glimpses=ahead.glimpses)
                        if source
                        else None
                    )
            if stop is not None and stop.is_set():
                break
            future = futures[part]
            futures[part] = None
            if self._store.asset(part.asset.id) is None:
                continue
            error: CrossmediaError | None = None
            pace = _Pace(part.length, advance)
            self._begin(part.asset.id)
            if future is None:
                error = gone(part.asset)
            else:
                try:
                    decoded = future.result()
                except CrossmediaError as reason:
                    error = reason
                    self._store.enrich(
                        [Enrichment(part.asset.id, e.name, e.model, error=reason.as_dict()) for e in part.enrichers]
                    )
                else:
                    error = self._enrich(part.asset, decoded, part.enrichers, pace.reached)
            pace.reached(pace.whole)
            names = tuple(enricher.name for enricher in part.enrichers)
            enriched = Enriched(part.asset.id, part.asset.title, names, error)
            if error is not None:
                report.failed.append(enriched)
            elif part.last:
                report.done += 1
            tell(enriched)
        for future in futures.values():
            if future is not None:
                future.cancel()
        return report

    def _enrich(
        self, asset: Asset, decoded: Decoded, enrichers: Sequence[Enricher], progress: Progress
    ) -> CrossmediaError | None:
        failed: CrossmediaError | None = None
        for enricher in enrichers:
            try:
                found = enricher.enrich(asset, decoded, self._store.moments(asset.id), progress)
            except (StoreUnusable, SpaceMismatch):
                raise  # no fault of the asset's
            except Exception as error:
                # One odd file must not stop the pass, now and at every later try.
                failed = error if isinstance(error, CrossmediaError) else _unforeseen(enricher, asset, error)
                found = Enrichment(asset.id, enricher.name, enricher.model, error=failed.as_dict())
            self._store.enrich([found])
        return failed


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
class _Part:
    """An asset and those of its enrichers that need the same of it decoded. `length`: its share of the progress."""

    asset: Asset
    enrichers: tuple[Enricher, ...]
    hears: bool
    length: int
    last: bool

    @property
    def glimpses(self) -> float:
        """Frames a second that are to be followed."""
        return max((e.glimpses for e in self.enrichers if isinstance(e, Follower)), default=0.0)


def _parts(asset: Asset, enrichers: Sequence[Enricher]) -> list[_Part]:
    """What only listens to a video need not wait for its pictures, nor hold them: decoding its sound costs next to
    nothing."""
    listening = tuple(e for e in enrichers if e.hears and asset.media == "video")
    looking = tuple(e for e in enrichers if e not in listening)
    groups = [(group, hears) for group, hears in ((listening, True), (looking, False)) if group]
    whole = max(1, round(float(asset.metadata.get("seconds", 1.0))))
    return [
        _Part(asset, group, hears, whole if n == 0 else 1, n == len(groups) - 1)
        for n, (group, hears) in enumerate(groups)
    ]


def gone(asset: Asset) -> SourceGone:
    return SourceGone(
        f"{asset.title} has moved or was deleted", "crossmedia index finds it at a new path; --prune removes it"
    )


def whereabouts(store: Store, asset: str) -> Source | None:
    """A place where the asset's bytes still lie unchanged."""
    for source in store.sources(asset):
        try:
            status = Path(source.location).stat()
        except OSError:
            continue
        if (status.st_size, status.st_mtime_ns) == (source.size, source.mtime_ns):
            return source
    return None


def _unforeseen(enricher: Enricher, asset: Asset, error: Exception) -> EnricherFailed:
    log.exception("%s failed on %s", enricher.name, asset.title, exc_info=error)
    return EnricherFailed(
        f"{enricher.name} failed on {asset.title}: {type(error).__name__}: {error}", "see the traceback in the log"
    )
