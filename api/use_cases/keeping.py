"""Uploads and the store together: what a deletion removes, and what no store names."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
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
        if uploaded:
            runtime.upload_record.begin_deletion(uploaded)
        deleted = runtime.store.delete(assets)
        try:
            self._remove(list(uploaded))
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
                there = runtime.store.placed(interrupted)
                # Of these the process died before they left the index, and nobody was told that they had.
                runtime.upload_record.withdraw_deletion(list(there))
                self._remove([asset for asset in interrupted if asset not in there])
            relocate(runtime.store, runtime.uploads, runtime.upload_record)
            if count := len(self.unindexed()):
                folder = runtime.uploads.folder
                log.warning("%d uploads are in no index; crossmedia index %s reads them again", count, folder)
        except CrossmediaError as error:
            log.warning("uploads were not compared with the index: %s", error.message)

    def unindexed(self) -> list[Path]:
        """Uploads whose content is in no index, and that no job is about to read. Raises QueueUnreachable."""
        runtime = self._runtime
        waiting = {asset_of_upload(Path(file["location"])) for file in self._waiting()}
        unknown: list[Path] = []
        for files in chunks(runtime.uploads.list_files(), BATCH):
            known = waiting | runtime.store.placed([asset_of_upload(file) for file in files]).keys()
            unknown += [file for file in files if asset_of_upload(file) not in known]
        return unknown

    def _remove(self, assets: Sequence[str]) -> None:
        """Remove the files of assets whose deletion is recorded, and which are in the index no more."""
        for asset in assets:
            # Somebody may have sent the same bytes again meanwhile.
            if not self._runtime.uploads.remove(asset, lambda asset=asset: self._is_needed(asset)):  # type: ignore[misc]
                log.info("upload %s was sent again while it was deleted, and stays", asset)
        if assets:
            self._runtime.upload_record.finish_deletion(assets)

    def _is_needed(self, asset: str) -> bool:
        """Whether a job is about to read an asset's upload, or has just done so."""
        waiting = any(asset_of_upload(Path(file["location"])) == asset for file in self._waiting())
        return waiting or bool(self._runtime.store.placed([asset]))

    def _waiting(self) -> Iterator[dict[str, str]]:
        """Uploads that unfinished jobs name."""
        for job in self._runtime.jobs.unfinished():
            yield from job.payload.get("uploads", ())
