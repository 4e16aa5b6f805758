"""The composition root: from settings to a store, encoders, an engine and a pipeline; used by every face."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crossmedia.api import passes
from crossmedia.api.alignment import with_heads
from crossmedia.api.enrichers import build_enricher, regrouped, runnable
from crossmedia.api.examples import example_of
from crossmedia.api.profiles import load_profile
from crossmedia.api.queues import open_queue
from crossmedia.api.settings import Settings
from crossmedia.api.stores import NoCollection, has_store, open_store, place
from crossmedia.api.uploads import Uploads
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.heads import Heads
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.calibration import refresh
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.query import Answer, Example, Query
from crossmedia.retrieval.store import NotFound, SpaceMismatch, Store

if TYPE_CHECKING:
    from crossmedia.api.asking import Asking
    from crossmedia.api.banks import Banks
    from crossmedia.api.policy import Moderation
    from crossmedia.api.trust import Trust
    from crossmedia.indexer.decode.pool import DecodePool
    from crossmedia.indexer.enrich import Enriched, EnrichReport
    from crossmedia.indexer.enrichers.base import Enricher
    from crossmedia.indexer.pipeline import Pipeline
    from crossmedia.indexer.queue import Queue
    from crossmedia.indexer.report import Outcome, Report
    from crossmedia.indexer.scan import Found

PartT = TypeVar("PartT")


class Ambiguous(CrossmediaError):
    """The beginning of an id fits several assets."""

    code = "ambiguous_id"
    status = 409


class Service:
    """Everything over one data directory. What is not used is not built: a search by words opens no decoder.

    Thread-safe where its parts are: any number of searches, one index or enrich run at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog = Catalog(settings.models, settings.allow_hub)
        self.uploads = Uploads(settings.data / "uploads", settings.max_upload_bytes)
        self.heads = Heads(settings.data / "heads")
        passes.check(settings.without)
        self._building = threading.RLock()
        self._built: dict[str, Any] = {}

    @property
    def store(self) -> Store:
        return self._once("store", lambda: open_store(self.settings))

    @property
    def base(self) -> Profile:
        """The encoders without any head."""
        return self._once("base", lambda: load_profile(self.settings, self.catalog))

    @property
    def profile(self) -> Profile:
        """The encoders as the collection wants them: another process may have aligned it meanwhile."""
        common = self.store.spaces().get(COMMON)
        revision = common.revision if common else ""
        return self._once(f"profile {revision}", lambda: with_heads(self.base, self.heads, revision))

    @property
    def engine(self) -> Engine:
        profile = self.profile
        self.store.bind(profile.spaces.values())
        return self._once(f"engine {profile.spaces[COMMON].revision}", lambda: Engine(self.store, profile))

    @property
    def pool(self) -> DecodePool:
        """Decoders of what is indexed."""
        from crossmedia.indexer.decode.pool import DecodePool

        return self._once("pool", lambda: DecodePool(self.settings.decode_workers))

    @property
    def example_pool(self) -> DecodePool:
        """The decoder of what is searched with: behind an ingest in the other pool it would wait for minutes."""
        from crossmedia.indexer.decode.pool import DecodePool

        return self._once("example_pool", lambda: DecodePool(1))

    @property
    def jobs(self) -> Queue:
        return self._once("jobs", lambda: open_queue(self.settings))

    @property
    def banks(self) -> Banks:
        """Known content, whether or not there is a collection."""
        from crossmedia.api.banks import Banks

        return self._once("banks", lambda: Banks(self))

    @property
    def moderation(self) -> Moderation:
        """What is to be done with what was recognised, and what was decided."""
        from crossmedia.api.policy import Moderation

        return self._once("moderation", lambda: Moderation(self))

    @property
    def asking(self) -> Asking:
        """Questions, and answers that cite."""
        from crossmedia.api.asking import Asking

        return self._once("asking", lambda: Asking(self))

    @property
    def trust(self) -> Trust:
        """Where files say that they come from, and indications of forgeries."""
        from crossmedia.api.trust import Trust

        return self._once("trust", lambda: Trust(self))

    @property
    def has_collection(self) -> bool:
        return has_store(self.settings)

    def require_collection(self) -> None:
        """Raises NoCollection where nothing was ever indexed, so that looking makes no store."""
        if not self.has_collection:
            hint = "crossmedia index FOLDER, or name another folder with --data"
            raise NoCollection(f"nothing is indexed in {place(self.settings)}", hint)

    def index(
        self,
        paths: Sequence[Path],
        collection: str = "default",
        *,
        prune: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[Outcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
        within: Sequence[Path] = (),
    ) -> Report:
        """The first pass: everything below `paths` becomes searchable by its vectors. `plan` hears how many files there
        are.

        If `within` names folders, links that lead out of them are left out. Files that are gone are reported, and
        forgotten with `prune`. Raises PathMissing for a path that never was.
        """
        from crossmedia.indexer.scan import PathMissing, scan

        pipeline = self.pipeline(collection)
        besides = [self.settings.data]
        try:
            files = list(scan(paths, besides, within))
        except PathMissing:
            if not (prune and pipeline.gone(paths)):
                raise
            files = list(scan([path for path in paths if path.exists()], besides, within))
        plan(len(files))
        with self.store.loading():
            report = pipeline.index(files, tell, stop)
        gone = pipeline.gone(paths)
        report.gone = [source.path for source in gone]
        report.pruned = prune
        if prune:
            pipeline.prune(gone)
        self._settle()
        return report

    def index_files(
        self,
        files: Sequence[Found],
        collection: str = "default",
        *,
        tell: Callable[[Outcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """The first pass over files that were found already."""
        with self.store.loading():
            report = self.pipeline(collection).index(files, tell, stop)
        self._settle()
        return report

    def pipeline(self, collection: str) -> Pipeline:
        from crossmedia.indexer.pipeline import Pipeline

        return Pipeline(self.engine.store, self.profile, self.pool, collection)

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
    ) -> tuple[EnrichReport, list[str]]:
        """The second pass over everything that is pending (among `assets`, if given); with a line for each enricher
        that cannot run here. `plan` and `advance` count in seconds of media."""
        from crossmedia.indexer.enrich import EnrichPass

        built, absent = self.enrichers(only, without)
        self.moderation.policy  # noqa: B018 -- a broken file is told before anything is done

        self.moderation.settle()
        with self.store.loading():
            moderation = self.moderation
            work = EnrichPass(
                self.engine.store, self.pool, built, assets, begin=moderation.decisions.owe, end=moderation.settle
            )
            report = work.run(tell, stop, plan, advance)
        if any(enricher.name == "faces" for enricher in built):
            regrouped(self.store, self.profile)
        self._settle()
        return report, absent

    def warm(self) -> None:
        """Read and run every network once; raises ModelMissing where one the profile needs is absent."""
        self.engine.profile.warm()

    def search(self, query: Query) -> Answer:
        """Without what is blocked."""
        query = replace(query, filters=self.moderation.unblocked(query.filters))
        try:
            return self.engine.search(query)
        except SpaceMismatch:
            return self.engine.search(query)  # another process has just put a collection made anew in its place

    def example(self, path: Path, weight: float = 1.0, name: str | None = None) -> Example:
        """Decode a file to search by; raises what decoding raises. The name says so where only its beginning is
        used."""
        return example_of(self.example_pool.submit(path).result().content, weight, name or path.name)

    def delete(self, assets: Sequence[str]) -> list[str]:
        """Remove assets from the index, and their files if they were uploaded; returns those that existed."""
        places = [Path(source.location) for asset in assets for source in self.store.sources(asset)]
        deleted = self.store.delete(assets)
        self.uploads.discard(places)
        return deleted

    def wanted_enrichers(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
        """Their names, whether or not they can run here; raises UnknownEnricher."""
        return passes.wanted(self.settings, only, without)

    def enrichers(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[list[Enricher], list[str]]:
        """The enrichers that can run, and a line for each that cannot, with the command that mends it."""
        return runnable(self.wanted_enrichers(only, without), self._enricher)

    def resolve(self, prefix: str) -> str:
        """The asset whose id starts so; raises NotFound or Ambiguous."""
        found = self.store.find(prefix.lower()) if prefix else []
        if not found:
            raise NotFound(f"no asset {prefix}", "crossmedia search --json prints ids")
        if len(found) > 1:
            raise Ambiguous(f"{prefix} fits {len(found)} assets or more", "give more characters of the id")
        return found[0]

    def _settle(self) -> None:
        """After a large write."""
        self.store.optimise()
        refresh(self.store, self.profile)

    def close(self) -> None:
        for name in ("pool", "example_pool", "jobs", "moderation", "banks", "trust", "store"):
            if name in self._built:
                self._built[name].close()

    def _enricher(self, name: str) -> Enricher:
        return self._once(f"enricher {name}", lambda: build_enricher(name, self))

    def _once(self, name: str, make: Callable[[], PartT]) -> PartT:
        """The part of that name, built by whoever asks first. One lock for all parts: they are built from each
        other."""
        if name not in self._built:
            with self._building:
                if name not in self._built:
                    self._built[name] = make()
        return cast(PartT, self._built[name])
