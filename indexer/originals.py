"""Find where the file of an indexed asset lies now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.indexer.scan import is_unchanged
from crossmedia.retrieval.documents import Asset, Source
from crossmedia.retrieval.places import is_here
from crossmedia.retrieval.store import Store


class SourceGone(CrossmediaError):
    """An indexed file is no longer where it was, so it cannot be read again."""

    code = "source_gone"
    status = 410


def find_original(store: Store, asset: str) -> Source | None:
    """A place where the asset's bytes still lie unchanged."""
    return first_unchanged(store.sources(asset))


def first_unchanged(sources: Sequence[Source]) -> Source | None:
    """The first place whose file is as long and as old as it was when it was indexed."""
    for source in sources:
        if not is_here(source.location):
            continue
        try:
            status = Path(source.location).stat()
        except OSError:
            continue
        if is_unchanged(status, source):
            return source
    return None


def source_gone(asset: Asset) -> SourceGone:
    """The error for an asset whose file is nowhere any more."""
    return SourceGone(
        f"{asset.title} has moved or was deleted", "index it at its new path, or remove it from the index", Remedy.PRUNE
    )
