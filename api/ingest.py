"""The jobs of the service: index what was uploaded or named, then enrich what is pending."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.service import Service
from api.uploads import Uploads
from indexer.jobs import Job
from indexer.pipeline import Report
from indexer.scan import Found
from indexer.worker import Progress


class Ingest:
    """Handler of the job kind `index`: payload `uploads` (found files) or `paths`, and `collection`, `without`."""

    def __init__(self, service: Service, uploads: Uploads) -> None:
        self._service = service
        self._uploads = uploads

    def __call__(self, job: Job, progress: Progress, stop: threading.Event) -> Mapping[str, Any]:
        payload = job.payload
        collection = payload["collection"]
        files = [Found(Path(f["location"]), f["path"], f["size"], f["mtime_ns"]) for f in payload.get("uploads", ())]

        def plan(total: int) -> None:
            progress.start("indexing", total)

        def tell(_: object) -> None:
            progress.advance()

        if files:
            plan(len(files))
            report = self._service.index_files(files, collection, tell=tell, stop=stop)
            self._drop_failed(report, files)
        else:
            paths = [Path(path) for path in payload["paths"]]
            report = self._service.index(paths, collection, plan=plan, tell=tell, stop=stop)
        enriched, absent = self._service.enrich(
            without=payload.get("without", ()),
            plan=lambda total: progress.start("enriching", total),
            tell=tell,
            stop=stop,
        )
        return {**report.as_dict(), "assets": report.assets, **enriched.as_dict(), "notes": absent}

    def _drop_failed(self, report: Report, files: list[Found]) -> None:
        failed = {outcome.path for outcome in report.failed}
        for found in files:
            if found.path in failed:
                self._uploads.discard(str(found.location))
