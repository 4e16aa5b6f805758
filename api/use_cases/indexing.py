"""The two passes over files, and the removal of assets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from crossmedia.api.runtime import Runtime
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrich import Enriched, EnrichPass, EnrichReport
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.report import FileOutcome, Report
from crossmedia.indexer.scan import PathMissing, ScannedFile, scan
from crossmedia.retrieval.people import join_unnamed
from crossmedia.retrieval.store import SpaceMismatch


class Indexing:
    """Makes files searchable, then finds out more about them."""

    def __init__(self, runtime: Runtime, moderation: Moderation) -> None:
        self._runtime = runtime
        self._moderation = moderation

    def index(
        self,
        paths: Sequence[Path],
        collection: str = "default",
        *,
        prune: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[FileOutcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
        within: Sequence[Path] = (),
    ) -> Report:
        """The first pass: everything below `paths` becomes searchable by its vectors. `plan` hears how many files there
        are.

        If `within` names folders, links that lead out of them are left out. Files that are gone are reported, and
        forgotten with `prune`. Raises PathMissing for a path that never was.
        """
        pipeline = self.pipeline(collection)
        try:
            files = self._scan(paths, within)
        except PathMissing:
            if not (prune and pipeline.gone(paths)):
                raise
            files = self._scan([path for path in paths if path.exists()], within)
        plan(len(files))
        with self._runtime.store.loading():
            report = pipeline.index(files, tell, stop)
        gone = pipeline.gone(paths)
        report.gone = [source.path for source in gone]
        report.pruned = prune
        if prune:
            pipeline.prune(gone)
        self._runtime.settle_store()
        return report

    def _scan(self, paths: Sequence[Path], within: Sequence[Path]) -> list[ScannedFile]:
        """The files below these paths. Of the data directory only the folder of uploads counts, if it is named: its
        files are called as they were sent."""
        uploads = self._runtime.uploads
        others = [path for path in paths if path.resolve() != uploads.folder]
        named = uploads.list_files() if len(others) < len(paths) else []
        return [*scan(others, [self._runtime.settings.data], within), *map(uploads.as_scanned, named)]

    def index_files(
        self,
        files: Sequence[ScannedFile],
        collection: str = "default",
        *,
        tell: Callable[[FileOutcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
        short: bool = False,
    ) -> Report:
        """The first pass over files that were found already; `short`: beside one that takes long."""
        with self._runtime.store.loading():
            report = self.pipeline(collection, short).index(files, tell, stop)
        self._runtime.settle_store()
        return report

    def pipeline(self, collection: str, short: bool = False) -> Pipeline:
        """What brings files into a collection. `short`: with decoders that do nothing else."""
        return Pipeline(self._runtime.engine.store, self._runtime.profile, self._pool(short), collection)

    def _pool(self, short: bool) -> DecodePool:
        return self._runtime.short_pool if short else self._runtime.pool

    def enrich(
        self,
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        *,
        assets: Sequence[str] | None = None,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[Enriched], None] = lambda enriched: None,
        advance: Callable[[float], None] = lambda seconds: None,
        stop: threading.Event | None = None,
        short: bool = False,
    ) -> tuple[EnrichReport, list[str]]:
        """The second pass over everything that is pending (among `assets`, if given); with a line for each enricher
        that cannot run here. `plan` and `advance` count in seconds of media; `short`: beside one that takes long."""
        self._moderation.policy  # noqa: B018 -- a broken file is told before anything is done
        self._moderation.settle()

        def run() -> tuple[EnrichReport, list[str]]:
            enrichers, absent = self._runtime.enrichers(only, without)
            work = EnrichPass(
                self._runtime.engine.store,
                self._pool(short),
                enrichers,
                assets,
                begin=self._moderation.decisions.owe,
                end=self._moderation.settle,
            )
            with self._runtime.store.loading():
                report = work.run(tell, stop, plan, advance)
            if any(enricher.name == "faces" for enricher in enrichers):
                join_unnamed(self._runtime.store, self._runtime.profile)
            return report, absent

        try:
            report, absent = run()
        except SpaceMismatch:
            # Another process reindexed the collection meanwhile; what was not written yet is pending still.
            report, absent = run()
        self._runtime.settle_store()
        return report, absent
