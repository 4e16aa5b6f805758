"""A collection out of its store into a folder, and from a folder into a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from crossmedia.api.runtime import Runtime
from crossmedia.api.uploads import within
from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.scan import modified
from crossmedia.retrieval import archive
from crossmedia.retrieval.calibration import refresh
from crossmedia.retrieval.documents import Source


class Archiving:
    """Moves whole collections."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def export_to(
        self,
        folder: Path,
        *,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[int], None] = lambda count: None,
        stop: threading.Event | None = None,
    ) -> dict[str, Any] | None:
        """Write the collection into a new folder; returns the report, or None where it was stopped and there is no
        folder.

        Raises NoCollection and what `retrieval.archive.export` raises.
        """
        runtime = self._runtime
        runtime.require_collection()
        began = time.perf_counter()
        written = archive.export(runtime.store, folder, runtime.heads, plan=plan, tell=tell, stop=stop)
        if written is None:
            return None
        rates = _rates(written.assets, written.bytes, time.perf_counter() - began)
        return {"folder": str(folder), **asdict(written), **rates}

    def import_from(
        self,
        folder: Path,
        *,
        merge: bool = False,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[int], None] = lambda count: None,
        stop: threading.Event | None = None,
    ) -> dict[str, Any]:
        """Write an archive into the collection, which is made if there is none; returns the report.

        Its `notes` say where the models that are installed here are not those of the archive: then nothing is found
        before they are, or before the collection is reindexed. Raises what `Archive` and `retrieval.archive.bring`
        raise.
        """
        runtime = self._runtime
        opened = archive.Archive(folder)  # before a store is made
        began = time.perf_counter()
        read = archive.bring(
            opened, runtime.store, runtime.heads, merge=merge, look=self._look, plan=plan, tell=tell, stop=stop
        )
        rates = _rates(read.assets, read.bytes, time.perf_counter() - began)
        return {"folder": str(folder), **asdict(read), **rates, "notes": self._settle() if read.finished else []}

    def _look(self, asset: str, source: Source) -> Source | None:
        """The place if the asset's file is there, and is an upload or below one of the roots."""
        try:
            path = Path(source.location).resolve()
            if not within(path, (str(self._runtime.uploads.folder), *self._runtime.settings.roots)):
                return None
            status = path.stat()
            if not path.is_file() or status.st_size != source.size or sha256(path) != asset:
                return None
        except (OSError, RuntimeError, ValueError):  # nothing is there, or nothing can be
            return None
        return replace(source, mtime_ns=modified(status))

    def _settle(self) -> list[str]:
        """Measure random pairs again in a collection that may have grown by another; or say why that cannot be."""
        try:
            store, profile = self._runtime.store, self._runtime.profile
            held = store.spaces()
            wrong = [name for name, space in profile.spaces.items() if held.get(name, space) != space]
            if not wrong:
                refresh(store, profile)
                return []
            made = (
                f"the spaces {', '.join(sorted(wrong))} were made by other models than profile {profile.name} has here"
            )
            return [f"{made}: set CROSSMEDIA_PROFILE and its encoders as they were there, or crossmedia reindex"]
        except CrossmediaError as error:
            return [f"{error.message}: {error.hint}"]


def _rates(assets: int, size: int, seconds: float) -> dict[str, float]:
    """Per second of all that was done, files on both sides and their checksums."""
    seconds = max(seconds, 1e-9)
    return {
        "seconds": round(seconds, 3),
        "assets_per_s": round(assets / seconds, 1),
        "mb_per_s": round(size / 1e6 / seconds, 2),
    }
