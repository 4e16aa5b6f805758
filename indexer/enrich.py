"""The second pass: what is slow to find is added to assets that are already searchable, resumably."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from embeddings.errors import CrossmediaError
from embeddings.media import Medium
from indexer.decode.pool import DecodePool
from indexer.decode.progress import Progress
from indexer.enrichers.base import Enricher
from retrieval.documents import Asset, Enrichment, Source
from retrieval.store import Store, StoreUnusable

ORDER: Final[tuple[Medium, ...]] = ("audio", "video", "text", "image", "mesh")
"""What is said first: a recording has little else to be found by, a picture already has its vectors."""
AHEAD = 4
log = logging.getLogger("crossmedia.indexer")


class SourceGone(CrossmediaError):
    """An indexed file is no longer where it was, so it cannot be read again."""

    code = "source_gone"
    status = 410


class EnricherFailed(CrossmediaError):
    """An enricher raised something unforeseen; the log has the trace."""

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
    """

    def __init__(
        self, store: Store, pool: DecodePool, enrichers: Sequence[Enricher], assets: Sequence[str] | None = None
    ) -> None:
        """`assets`: only these, if given."""
        self._only = None if assets is None else set(assets)
        self._store = store
        self._pool = pool
        self._enrichers = enrichers

    def pending(self) -> list[tuple[str, list[Enricher]]]:
        """Assets with the enrichers that have not seen them, or not as they will be, in the order they will be worked on."""
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

        `plan` hears how many seconds of media there are, `advance` of each that is done; a picture or text counts as one.
        """
        report = EnrichReport()
        work = [(asset, enrichers) for key, enrichers in self.pending() if (asset := self._store.asset(key))]
        plan(sum(round(_length(asset)) for asset, _ in work))
        # Decoding runs in other processes a few assets ahead of the enrichers, which run here.
        futures = {}
        for i, (asset, enrichers) in enumerate(work):
            for ahead, _ in work[i : i + AHEAD]:
                if ahead.id not in futures and (source := whereabouts(self._store, ahead.id)) is not None:
                    futures[ahead.id] = self._pool.submit(Path(source.location))
            if stop is not None and stop.is_set():
                break
            if self._store.asset(asset.id) is None:
                continue
            names = tuple(enricher.name for enricher in enrichers)
            future = futures.pop(asset.id, None)
            error: CrossmediaError | None = None
            pace = _Pace(round(_length(asset)), advance)
            if future is None:
                error = gone(asset)
            else:
                try:
                    decoded = future.result()
                except CrossmediaError as reason:
                    error = reason
                    self._store.enrich(
                        [Enrichment(asset.id, e.name, e.model, error=reason.as_dict()) for e in enrichers]
                    )
                else:
                    error = self._enrich(asset, decoded, enrichers, pace.reached)
            pace.reached(pace.whole)
            enriched = Enriched(asset.id, asset.title, names, error)
            if error is None:
                report.done += 1
            else:
                report.failed.append(enriched)
            tell(enriched)
        for future in futures.values():
            future.cancel()
        return report

    def _enrich(
        self, asset: Asset, decoded: Any, enrichers: Sequence[Enricher], progress: Progress
    ) -> CrossmediaError | None:
        failed: CrossmediaError | None = None
        for enricher in enrichers:
            try:
                found = enricher.enrich(asset, decoded, self._store.moments(asset.id), progress)
            except StoreUnusable:
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


def _length(asset: Asset) -> float:
    return max(1.0, float(asset.metadata.get("seconds", 1.0)))


def gone(asset: Asset) -> SourceGone:
    return SourceGone(
        f"{asset.title} is not where it was indexed", "crossmedia index finds it again, --prune forgets it"
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
        f"{enricher.name} failed on {asset.title}: {type(error).__name__}: {error}", "the log has the trace"
    )
