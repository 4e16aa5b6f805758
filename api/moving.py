"""A collection out of its store into a folder, and from a folder into a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.calibration import refresh

if TYPE_CHECKING:
    from crossmedia.api.service import Service


def export(
    service: Service,
    folder: Path,
    *,
    plan: Callable[[int], None] = lambda total: None,
    tell: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> dict[str, Any] | None:
    """Write the collection into a new folder; returns the report, or None where it was stopped and there is no folder.

    Raises NoCollection and what `retrieval.archive.export` raises.
    """
    from crossmedia.retrieval.archive import export as written

    service.require_collection()
    began = time.perf_counter()
    found = written(service.store, folder, service.heads, plan=plan, tell=tell, stop=stop)
    if found is None:
        return None
    return {"folder": str(folder), **asdict(found), **rates(found.assets, found.bytes, time.perf_counter() - began)}


def bring(
    service: Service,
    folder: Path,
    *,
    merge: bool = False,
    plan: Callable[[int], None] = lambda total: None,
    tell: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Write an archive into the collection, which is made if there is none; returns the report.

    Its `notes` say where the models that are installed here are not those of the archive: then nothing is found before
    they are, or before the collection is reindexed. Raises what `Archive` and `retrieval.archive.bring` raise.
    """
    from crossmedia.retrieval.archive import Archive
    from crossmedia.retrieval.archive import bring as written

    archive = Archive(folder)  # before a store is made
    began = time.perf_counter()
    found = written(archive, service.store, service.heads, merge=merge, plan=plan, tell=tell, stop=stop)
    report = {"folder": str(folder), **asdict(found), **rates(found.assets, found.bytes, time.perf_counter() - began)}
    return {**report, "notes": _settle(service) if found.finished else []}


def rates(assets: int, size: int, seconds: float) -> dict[str, float]:
    """Per second of all that was done, files on both sides and their checksums."""
    seconds = max(seconds, 1e-9)
    return {
        "seconds": round(seconds, 3),
        "assets_per_s": round(assets / seconds, 1),
        "mb_per_s": round(size / 1e6 / seconds, 2),
    }


def _settle(service: Service) -> list[str]:
    """What random pairs score belongs to a collection that may have grown by another one's; told is why not, if not."""
    try:
        held, profile = service.store.spaces(), service.profile
        wrong = [name for name, space in profile.spaces.items() if held.get(name, space) != space]
        if not wrong:
            refresh(service.store, profile)
            return []
        told = f"the spaces {', '.join(sorted(wrong))} were made by other models than profile {profile.name} has here"
        return [f"{told}: set CROSSMEDIA_PROFILE and its encoders as they were there, or crossmedia reindex"]
    except CrossmediaError as error:
        return [f"{error.message}: {error.hint}"]
