"""Uploads and the store together: what a deletion removes, and what no store names."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from crossmedia.api.queues import shared
from crossmedia.api.relocation import BATCH, relocate
from crossmedia.api.runtime import Runtime
from crossmedia.api.uploads import asset_of_upload
from crossmedia.embeddings.chunks import chunks
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import QueueUnreachable

log = logging.getLogger("crossmedia.uploads")
OTHERS_SECONDS = 24 * 3600.0
"""Where several services share the folder of uploads, what is younger may belong to a request that is not over."""


class Keeping:
    """Keeps people's uploads: one goes only after its deletion was recorded, and is known by its hash."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def delete(self, assets: Sequence[str]) -> list[str]:
        """Remove assets (whole ids) from the index, and their uploads, indexed or not; returns those that existed."""
        runtime = self._runtime
        names = {asset: [path.name for path in runtime.uploads.files_of(asset)] for asset in assets}
        uploaded = {asset: files for asset, files in names.items() if files}
        if not uploaded:
            deleted = runtime.store.delete(assets)
            return [asset for asset in assets if asset in deleted]
        try:
            before = self._jobs_of(uploaded)
        except QueueUnreachable:
            before = {}
        runtime.upload_record.begin_deletion(uploaded, before)
        deleted = runtime.store.delete(assets)
        try:
            self._remove({asset: before.get(asset, set()) for asset in uploaded})
        except QueueUnreachable as error:
            log.warning("deleted uploads stay until the next start: %s", error.message)
        return [asset for asset in assets if asset in deleted or asset in uploaded]

    def settle(self) -> None:
        """At the start of a service: remove what is half received, finish deletions that a crash interrupted, and tell
        of uploads that are in no index. Where a server is away, this waits for the next start; a local store that
        cannot be opened ends this one (StoreUnusable)."""
        runtime = self._runtime
        if not runtime.settings.store:
            runtime.store  # noqa: B018
        runtime.uploads.sweep(OTHERS_SECONDS if shared(runtime.jobs) else 0.0)
        try:
            interrupted = runtime.upload_record.unfinished_deletions()
            if interrupted:
                there = runtime.store.placed(list(interrupted))
                # Of these the process died before they left the index, and nobody was told that they had.
                runtime.upload_record.withdraw_deletion(list(there))
                self._remove({asset: jobs for asset, jobs in interrupted.items() if asset not in there})
            relocate(runtime.store, runtime.uploads, runtime.upload_record)
            if count := len(self.unindexed()):
                folder = runtime.uploads.folder
                log.warning("%d uploads are in no index; crossmedia index %s reads them again", count, folder)
        except CrossmediaError as error:
            log.warning("uploads were not compared with the index: %s", error.message)

    def unindexed(self) -> list[Path]:
        """Uploads whose content is in no index, and that no job is about to read. Raises QueueUnreachable."""
        runtime = self._runtime
        lying = runtime.uploads.list_files()
        waiting = self._jobs_of({asset_of_upload(file) for file in lying}).keys()
        unknown: list[Path] = []
        for files in chunks(lying, BATCH):
            known = waiting | runtime.store.placed([asset_of_upload(file) for file in files]).keys()
            unknown += [file for file in files if asset_of_upload(file) not in known]
        return unknown

    def _remove(self, assets: Mapping[str, Collection[str]]) -> None:
        """Remove the files of assets whose deletion is recorded, and which are in the index no more; by asset the jobs
        that they were sent with before that."""
        for asset, before in assets.items():
            if not self._runtime.uploads.remove(asset, partial(self._is_needed, asset, before)):
                log.info("upload %s was sent again while it was deleted, and stays", asset)
            elif before:
                self._runtime.store.delete([asset])  # one of them may just have put it into the index
        if assets:
            self._runtime.upload_record.finish_deletion(list(assets))

    def _is_needed(self, asset: str, before: Collection[str]) -> bool:
        """Whether somebody sent the same bytes again meanwhile: another job is about to read them, or has just done
        so."""
        now = self._jobs_of([asset]).get(asset, set())
        return bool(now.difference(before)) or (not before and bool(self._runtime.store.placed([asset])))

    def _jobs_of(self, assets: Collection[str]) -> dict[str, set[str]]:
        """The unfinished jobs that name uploads of these assets, by asset. Raises QueueUnreachable."""
        found: dict[str, set[str]] = {}
        for job in self._runtime.jobs.unfinished():
            for file in job.payload.get("uploads", ()):
                asset = asset_of_upload(Path(file["location"]))
                if asset in assets:
                    found.setdefault(asset, set()).add(job.id)
        return found
