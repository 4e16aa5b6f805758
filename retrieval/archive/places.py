"""Where the files of an archive lie here: where they are seen, and elsewhere at places of the archive's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.places import imported
from crossmedia.retrieval.store import Located, Store
from crossmedia.retrieval.stored_asset import StoredAsset

Look: TypeAlias = Callable[[str, Source], Source | None]
"""Looks whether the file at a place is this asset's, by its hash: the place as it is here, or None."""


@dataclass(frozen=True)
class Conflict:
    """An archive names a place of `asset` at which another asset, `here`, lies here. Both stay.

    `path` is how the archive's collection showed the place, `location` the absolute path.
    """

    collection: str
    location: str
    path: str
    asset: str
    here: str


def place(stored_assets: Sequence[StoredAsset], store: Store, look: Look) -> tuple[list[StoredAsset], list[Conflict]]:
    """The assets with the places that they have here, and the places that are another asset's here."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for stored_asset in stored_assets:
        for source in stored_asset.sources:
            wanted[source.collection].append(source.location)
    held = {collection: store.at(locations, collection) for collection, locations in wanted.items()}
    conflicts: list[Conflict] = []

    def here(asset: str, source: Source) -> Source:
        lies: Located | None = held[source.collection].get(source.location)
        if lies is not None and lies.asset == asset:
            return lies.source
        if lies is not None:
            conflicts.append(Conflict(source.collection, source.location, source.path, asset, lies.asset))
        seen = None if lies is not None else look(asset, source)
        return seen or replace(source, location=imported(asset, source.location))

    placed = [
        replace(stored_asset, sources=tuple(here(stored_asset.asset.id, source) for source in stored_asset.sources))
        for stored_asset in stored_assets
    ]
    return placed, conflicts
