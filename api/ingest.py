"""The jobs of the service: index what was uploaded or named, then enrich it while nothing else waits to be indexed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from crossmedia.api.queues import shared
from crossmedia.api.service import Service
from crossmedia.api.uploads import asset_of_upload, within
from crossmedia.embeddings.errors import CrossmediaError, NoRoom
from crossmedia.indexer.queue import Job, JobPart, QueueUnreachable
from crossmedia.indexer.report import Report
from crossmedia.indexer.scan import ScannedFile, scan, shares
from crossmedia.indexer.worker import Divided, JobProgress, Result, Unfinished

PART_FILES, PART_BYTES = 256, 2 << 30
"""A folder that holds more is divided among the workers of a shared queue."""
SHORT_FILES, SHORT_BYTES = 16, 16 << 20
"""An upload that holds more is not expected to be done soon."""
SHORT_MEDIA, CHARACTERS_A_SECOND = 60.0, 2_000
"""Seconds of sound and film whose passes take longer than a short job may, and how much text counts as one of them."""


class UploadLost(CrossmediaError):
    """An upload that was indexed cannot be read, or is not in the index."""

    code = "upload_lost"
    status = 503


class Ingest:
    """Handler of the job kind `index`: payload `uploads` or `files` (found files) or `paths`, and `collection`,
    `without`, `within` (folders that links must not lead out of; the service's roots if it is not there).

    The first pass makes everything searchable; then what it brought is enriched, asset by asset, and makes way for a
    job that was not begun. A short job makes way for none, and leaves the passes over what is long to the long ones.
    The report tells of both passes, and of uploads the asset of each (or None) as `uploaded`.
    With a shared queue, paths that hold a lot become parts, each of them such a job with `files`.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        # Made once: a data directory that is gone later is an error.
        service.runtime.settings.data.mkdir(parents=True, exist_ok=True)

    def __call__(self, job: Job, progress: JobProgress, stop: threading.Event) -> Result:
        if job.report is not None:
            return self._enrich(job, dict(job.report), progress, stop)
        if "paths" in job.payload and self._divide(job, stop):
            return Divided()
        report = None if stop.is_set() else self._index(job, progress, stop)
        if report is None:
            return Unfinished()
        try:
            return self._enrich(job, report, progress, stop)
        except NoRoom as error:
            return Unfinished(report, error)  # what was indexed is told once, also where passes have to wait

    def _divide(self, job: Job, stop: threading.Event) -> bool:
        """Give the files below the job's paths away in parts, if there is somebody to give them to and more than one
        part."""
        queue = shared(self._service.runtime.jobs)
        if queue is None:
            return False
        paths = [Path(path) for path in job.payload["paths"]]
        files: list[ScannedFile] = []
        for file in scan(paths, [self._service.runtime.settings.data], self._within(job)):
            files.append(file)
            if stop.is_set():
                return False
        parts = shares(files, PART_FILES, PART_BYTES)
        if len(parts) < 2:
            return False
        common = {name: value for name, value in job.payload.items() if name != "paths"}
        gone = self._service.indexing.pipeline(job.payload["collection"]).gone(paths)
        queue.divide(
            job.id,
            [JobPart({**common, "files": files_json(part)}, "indexing", len(part)) for part in parts],
            {"gone": [source.path for source in gone]},
        )
        return True

    def _index(self, job: Job, progress: JobProgress, stop: threading.Event) -> dict[str, Any] | None:
        """The first pass' report; None if it was stopped."""
        payload, roots = job.payload, self._within(job)
        self._service.runtime.uploads.require_room()
        sent = [self._found_here(upload) for upload in _files(payload.get("uploads", ()))]
        uploads = self._wanted(job, sent)

        def plan(total: int) -> None:
            progress.start("indexing", total)

        def tell(_: object) -> None:
            progress.advance()

        if "paths" in payload:
            paths = [Path(path) for path in payload["paths"]]
            report = self._service.indexing.index(
                paths, payload["collection"], plan=plan, tell=tell, stop=stop, within=roots
            )
        else:
            # A link may have been put where a file was since it was found.
            named = _files(payload.get("files", ()))
            files = uploads or [f for f in named if not roots or within(f.location.resolve(), [*map(str, roots)])]
            plan(len(files))
            report = self._service.indexing.index_files(
                files, payload["collection"], tell=tell, stop=stop, short=job.short
            )
        if stop.is_set():
            return None
        left = self._wanted(job, uploads)
        # Deleted while it was being read: it may have come into the index after that.
        if gone := {*map(_asset, uploads)}.difference(map(_asset, left)):
            self._service.runtime.store.delete(sorted(gone))
        uploaded = self._assets(sent)
        _require_readable(left, uploaded, report)
        counts = {**report.as_dict(), "assets": report.assets, "uploaded": uploaded}
        return {**counts, "enriched": 0, "enrich_failures": [], "notes": []}

    def _enrich(
        self, job: Job, report: dict[str, Any], progress: JobProgress, stop: threading.Event
    ) -> Mapping[str, Any] | Unfinished:
        pause = threading.Event()

        def look() -> None:
            if stop.is_set() or (not job.short and self._fresh()):
                pause.set()

        def advance(seconds: float) -> None:
            # Assets are written some at a time; a job that waits need not wait for the others of them.
            progress.advance(seconds)
            look()

        look()
        assets = [*report["assets"].values(), *(asset for asset in report["uploaded"] if asset)]
        if job.short and self._length(assets) > SHORT_MEDIA:
            return Unfinished(report)
        enriched, absent = self._service.indexing.enrich(
            without=job.payload.get("without", ()),
            assets=assets,
            plan=lambda total: progress.start("enriching", total),
            advance=advance,
            stop=pause,
            short=job.short,
        )
        now = enriched.as_dict()
        failures = {f["asset"]: f for f in (*report["enrich_failures"], *now["enrich_failures"])}
        report["enriched"] += now["enriched"]
        report["enrich_failures"] = list(failures.values())
        report["notes"] = absent
        return Unfinished(report) if pause.is_set() else report

    def _length(self, assets: Sequence[str]) -> float:
        """Seconds of sound and film in them, and what their texts count as."""
        placed = self._service.runtime.store.placed(list(dict.fromkeys(assets)))
        known = [asset.metadata for asset, _ in placed.values()]
        return sum(float(m.get("seconds", 0.0)) + float(m.get("characters", 0)) / CHARACTERS_A_SECOND for m in known)

    def _found_here(self, upload: ScannedFile) -> ScannedFile:
        """An upload where it lies now: the data folder may have been moved since the job was accepted."""
        here = self._service.runtime.uploads.counterpart(_asset(upload), upload.location)
        if here is None or here == upload.location:
            return upload
        return replace(self._service.runtime.uploads.as_scanned(here), path=upload.path)

    def _wanted(self, job: Job, uploads: Sequence[ScannedFile]) -> list[ScannedFile]:
        """Those that nobody deleted after they were sent with this job, or that were sent again since."""
        deleted = self._service.runtime.upload_record.deleted_under(job.id) if uploads else set()
        return [file for file in uploads if _asset(file) not in deleted or file.location.is_file()]

    def _within(self, job: Job) -> list[Path]:
        return [Path(root) for root in job.payload.get("within", self._service.runtime.settings.roots)]

    def _fresh(self) -> bool:
        try:
            return self._service.runtime.jobs.fresh()
        except QueueUnreachable:
            return False  # nothing can be claimed now, so nobody has to wait

    def _assets(self, files: Sequence[ScannedFile]) -> list[str | None]:
        hashes = [*map(_asset, files)]
        known = self._service.runtime.store.placed(hashes)
        return [asset if asset in known else None for asset in hashes]


def is_short(files: Sequence[ScannedFile]) -> bool:
    """Whether these are probably indexed soon. A guess is enough: a job that takes too long goes on among the long
    ones."""
    return len(files) <= SHORT_FILES and sum(file.size for file in files) <= SHORT_BYTES


def files_json(files: Sequence[ScannedFile]) -> list[dict[str, Any]]:
    """ScannedFile files as a job's payload names them."""
    return [{**asdict(file), "location": str(file.location)} for file in files]


def _files(files: Sequence[Mapping[str, Any]]) -> list[ScannedFile]:
    return [ScannedFile(Path(f["location"]), f["path"], f["size"], f["mtime_ns"]) for f in files]


def _asset(upload: ScannedFile) -> str:
    return asset_of_upload(upload.location)


def _require_readable(uploads: Sequence[ScannedFile], indexed: Collection[str | None], report: Report) -> None:
    """Raises UploadLost: what a job says that it did is there. `indexed`: the assets that are in the index."""
    refused = {outcome.location for outcome in report.failed}
    for upload in uploads:
        location = str(upload.location)
        if location not in refused and (_asset(upload) not in indexed or not upload.location.is_file()):
            raise UploadLost(f"{upload.path} was read and is not there any more", "send it again")
