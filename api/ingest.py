"""The jobs of the service: index what was uploaded or named, then enrich it while nothing else waits to be indexed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.service import Service
from indexer.jobs import Job
from indexer.scan import Found
from indexer.worker import Progress, Unfinished


class Ingest:
    """Handler of the job kind `index`: payload `uploads` (found files) or `paths`, and `collection`, `without`.

    The first pass makes everything searchable; then what it brought is enriched, asset by asset, and makes way for a job
    that was not begun. The report tells of both passes, and of uploads the asset of each (or None) as `uploaded`.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self, job: Job, progress: Progress, stop: threading.Event) -> Mapping[str, Any] | Unfinished:
        report = dict(job.report) if job.report is not None else self._index(job, progress, stop)
        return Unfinished() if report is None else self._enrich(job, report, progress, stop)

    def _index(self, job: Job, progress: Progress, stop: threading.Event) -> dict[str, Any] | None:
        """The first pass' report; None if it was stopped."""
        payload = job.payload
        files = [Found(Path(f["location"]), f["path"], f["size"], f["mtime_ns"]) for f in payload.get("uploads", ())]

        def plan(total: int) -> None:
            progress.start("indexing", total)

        def tell(_: object) -> None:
            progress.advance()

        if files:
            plan(len(files))
            try:
                report = self._service.index_files(files, payload["collection"], tell=tell, stop=stop)
            except Exception:
                self.discard_unused([found.location for found in files], job.id)
                raise
        else:
            paths, roots = [Path(path) for path in payload["paths"]], [Path(r) for r in self._service.settings.roots]
            report = self._service.index(paths, payload["collection"], plan=plan, tell=tell, stop=stop, within=roots)
        if stop.is_set():
            return None
        self.discard_unused([found.location for found in files], job.id)
        told = {**report.as_dict(), "assets": report.assets, "uploaded": self._assets(files)}
        return {**told, "enriched": 0, "enrich_failures": [], "notes": []}

    def _enrich(
        self, job: Job, report: dict[str, Any], progress: Progress, stop: threading.Event
    ) -> Mapping[str, Any] | Unfinished:
        pause = threading.Event()

        def look() -> None:
            if stop.is_set() or self._service.jobs.fresh():
                pause.set()

        look()
        enriched, absent = self._service.enrich(
            without=job.payload.get("without", ()),
            assets=[*report["assets"].values(), *(asset for asset in report["uploaded"] if asset)],
            plan=lambda total: progress.start("enriching", total),
            tell=lambda enriched: look(),
            advance=progress.advance,
            stop=pause,
        )
        now = enriched.as_dict()
        failures = {f["asset"]: f for f in (*report["enrich_failures"], *now["enrich_failures"])}
        report["enriched"] += now["enriched"]
        report["enrich_failures"] = list(failures.values())
        report["notes"] = absent
        return Unfinished(report) if pause.is_set() else report

    def discard_unused(self, locations: Sequence[Path], running: str | None = None) -> None:
        """Remove the uploads among these that neither a source nor a job that is still to be done names."""
        if not locations:
            return
        named = {
            Path(file["location"])
            for job in self._service.jobs.unfinished()
            if job.id != running
            for file in job.payload.get("uploads", ())
        }
        for _, sources in self._service.store.placed([_hash(location) for location in locations]).values():
            named |= {Path(source.location) for source in sources}
        self._service.uploads.discard([location for location in locations if location not in named])

    def sweep(self) -> None:
        """At the start: remove what a crash left half received, or received and named nowhere."""
        self._service.uploads.sweep()
        self.discard_unused(self._service.uploads.kept())

    def _assets(self, files: Sequence[Found]) -> list[str | None]:
        found = [_hash(file.location) for file in files]
        known = self._service.store.placed(found)
        return [asset if asset in known else None for asset in found]


def _hash(upload: Path) -> str:
    """An upload lies in a folder named by its hash, which is the id of its asset."""
    return upload.parent.name
