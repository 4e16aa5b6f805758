"""The composition root: from settings to a store, encoders, an engine and a pipeline; used by every face."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from api.profiles import load_profile
from api.settings import Settings
from embeddings.catalog import Catalog
from embeddings.errors import CrossmediaError, ModelMissing
from embeddings.profile import Profile
from retrieval.engine import Engine
from retrieval.local import LocalStore
from retrieval.query import Answer, Example, Query
from retrieval.store import NotFound, Store

if TYPE_CHECKING:
    from indexer.decode.pool import DecodePool
    from indexer.enrich import Enriched, EnrichReport
    from indexer.enrichers.base import Enricher
    from indexer.jobs import Jobs
    from indexer.pipeline import Outcome, Report
    from indexer.scan import Found

MAX_EXAMPLE_TEXT = 2_000
"""Characters of a document that are searched with: a text encoder reads no more."""
ENRICHERS = ("transcript", "ocr")


class Ambiguous(CrossmediaError):
    """The beginning of an id fits several assets."""

    code = "ambiguous_id"
    status = 409


class UnknownEnricher(CrossmediaError):
    """There is no enricher of that name."""

    code = "unknown_enricher"
    status = 422


class Service:
    """Everything over one data directory. What is not used is not built: a search by words opens no decoder.

    Thread-safe where its parts are: any number of searches, one index or enrich run at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog = Catalog(settings.models, settings.allow_hub)
        for name in settings.without:
            self._known(name)
        self._building = threading.RLock()

    @cached_property
    def store(self) -> Store:
        with self._building:
            return LocalStore(self.settings.data)

    @cached_property
    def profile(self) -> Profile:
        with self._building:
            return load_profile(self.settings.profile, self.catalog, self.settings.threads)

    @cached_property
    def engine(self) -> Engine:
        with self._building:
            self.store.bind(self.profile.spaces.values())
            return Engine(self.store, self.profile)

    @cached_property
    def pool(self) -> DecodePool:
        from indexer.decode.pool import DecodePool

        with self._building:
            return DecodePool(self.settings.decode_workers)

    @cached_property
    def jobs(self) -> Jobs:
        from indexer.jobs import Jobs

        with self._building:
            return Jobs(self.settings.data, self.settings.max_jobs)

    def index(
        self,
        paths: Sequence[Path],
        collection: str = "default",
        *,
        prune: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[Outcome], None] = lambda outcome: None,
        stop: threading.Event | None = None,
    ) -> Report:
        """The first pass: everything below `paths` becomes searchable by its vectors. `plan` hears how many files there are.

        Files that are gone are reported, and forgotten with `prune`. Raises PathMissing for a path that never was.
        """
        from indexer.pipeline import Pipeline
        from indexer.scan import PathMissing, scan

        pipeline = Pipeline(self.engine.store, self.profile, self.pool, collection)
        gone = pipeline.gone(paths)
        try:
            files = list(scan(paths, [self.settings.data]))
        except PathMissing:
            if not (prune and gone):
                raise
            files = list(scan([path for path in paths if path.exists()], [self.settings.data]))
        plan(len(files))
        report = pipeline.index(files, tell, stop)
        gone = pipeline.gone(paths)
        report.gone = [source.path for source in gone]
        report.pruned = prune
        if prune:
            pipeline.prune(gone)
        self.store.optimise()
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
        from indexer.pipeline import Pipeline

        report = Pipeline(self.engine.store, self.profile, self.pool, collection).index(files, tell, stop)
        self.store.optimise()
        return report

    def enrich(
        self,
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        *,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[Enriched], None] = lambda enriched: None,
        stop: threading.Event | None = None,
    ) -> tuple[EnrichReport, list[str]]:
        """The second pass over everything that is pending; with a line for each enricher that cannot run here."""
        from indexer.enrich import EnrichPass

        built, absent = self.enrichers(only, without)
        run = EnrichPass(self.engine.store, self.pool, built)
        plan(len(run.pending()))
        report = run.run(tell, stop)
        self.store.optimise()
        return report, absent

    def warm(self) -> None:
        """Read and run every network once; raises ModelMissing where one the profile needs is absent."""
        import numpy as np

        from embeddings.media import SAMPLE_RATE, Picture, Waveform

        profile = self.engine.profile
        profile.text.encode(["warm"])
        profile.picture.encode([Picture(np.zeros((64, 64, 3), dtype=np.uint8))])
        silence = Waveform(np.zeros(SAMPLE_RATE, dtype=np.float32))
        if profile.sound is not None:
            profile.sound.encode([silence])
        if profile.transcriber is not None:
            profile.transcriber.transcribe(silence)

    def search(self, query: Query) -> Answer:
        return self.engine.search(query)

    def example(self, path: Path, weight: float = 1.0, name: str | None = None) -> Example:
        """Decode a file to search by; raises what decoding raises."""
        decoded = self.pool.submit(path).result()
        media = decoded.content
        if isinstance(media, tuple):
            text = "\n".join(paragraph for page in media for paragraph in page.paragraphs)
            return Example(media=text[:MAX_EXAMPLE_TEXT], weight=weight, name=name or path.name)
        return Example(media=media, weight=weight, name=name or path.name)

    def enrichers(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[list[Enricher], list[str]]:
        """The enrichers that can run, and a line for each that cannot, with the command that mends it."""
        for name in (*only, *without):
            self._known(name)
        left_out = {*without, *self.settings.without}
        wanted = [name for name in ENRICHERS if name not in left_out and (not only or name in only)]
        built: list[Enricher] = []
        absent: list[str] = []
        for name in wanted:
            try:
                built.append(self._enricher(name))
            except CrossmediaError as error:
                absent.append(f"{name} is left out: {error.message}; {error.hint}")
        return built, absent

    def resolve(self, prefix: str) -> str:
        """The asset whose id starts so; raises NotFound or Ambiguous."""
        found = self.store.find(prefix.lower()) if prefix else []
        if not found:
            raise NotFound(f"no asset {prefix}", "crossmedia search --json prints ids")
        if len(found) > 1:
            raise Ambiguous(f"{prefix} fits {len(found)} assets or more", "give more characters of the id")
        return found[0]

    def close(self) -> None:
        for name in ("pool", "jobs", "store"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def _known(self, name: str) -> None:
        if name not in ENRICHERS:
            raise UnknownEnricher(f"no enricher {name!r}", f"there are: {', '.join(ENRICHERS)}")

    @cached_property
    def _made(self) -> dict[str, Enricher]:
        return {}

    def _enricher(self, name: str) -> Enricher:
        if name not in self._made:
            if name == "transcript":
                from indexer.enrichers.transcript import TranscriptEnricher

                if self.profile.transcriber is None:
                    raise ModelMissing(
                        "no speech recogniser is installed", self.catalog.card("whisper-tiny.en").install
                    )
                self._made[name] = TranscriptEnricher(self.profile.transcriber, self.profile.text)
            else:
                from indexer.enrichers.ocr import OcrEnricher, RapidReader

                self._made[name] = OcrEnricher(RapidReader(self.settings.threads), self.profile.text)
        return self._made[name]
