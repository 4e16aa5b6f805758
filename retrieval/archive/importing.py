"""From an archive into a store: a part is written after everything in it was checked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.embeddings.heads import Heads
from crossmedia.retrieval.archive.heads import copy_head
from crossmedia.retrieval.archive.manifest import HEADS
from crossmedia.retrieval.archive.places import Conflict, Look, place
from crossmedia.retrieval.archive.reading import Archive
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.places import is_here
from crossmedia.retrieval.store import SpaceMismatch, Store
from crossmedia.retrieval.stored_asset import StoredAsset, same

WRITTEN_AT_ONCE: Final = 200
BYTES_AT_ONCE: Final = 32 << 20
"""Assets, and bytes of their vectors, pictures and attachments, that are held in memory and written in one
transaction."""


class NotEmpty(CrossmediaError):
    """The store holds assets that are not from this archive."""

    code = "not_empty"
    status = 409


@dataclass(frozen=True)
class Imported:
    """`restored` were written, `same` were held already as they are in the archive; `finished` unless it was stopped.
    `merged`: the store held other assets too. `replaced` of the restored were held otherwise before; `unseen` assets
    have no file that was seen here."""

    assets: int
    restored: int
    same: int
    heads: tuple[str, ...]
    bytes: int
    finished: bool
    merged: bool
    replaced: int
    unseen: int
    conflicts: tuple[Conflict, ...]


def bring(
    archive: Archive,
    store: Store,
    heads: Heads,
    *,
    merge: bool = False,
    look: Look = lambda asset, source: None,
    plan: Callable[[int], None] = lambda total: None,
    tell: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> Imported:
    """Write everything of an archive into a store, and the heads its vectors were made with into `heads`.

    Where it was stopped or killed, the same call goes on: what is held already as the archive has it is left alone. An
    asset that is held otherwise is held afterwards as in the archive, and lies at its places here too. Where the
    archive says that files lie is a place here only if `look` sees the file, or if the asset lies there already. `plan`
    hears how many assets there are, `tell` how many more are done.

    Raises NotEmpty where the store holds assets that are not from this archive and not `merge`, SpaceMismatch where it
    holds vectors of other models, ArchiveUnusable; then nothing is written of the part that is unusable, nor of those
    after it.
    """
    _check_spaces(archive, store)
    merged = not _came_from(store.asset_ids(), archive.ids())
    if merged and not merge:
        raise NotEmpty(
            "the collection is not empty", "merge the two, or import into another data directory", Remedy.MERGE
        )
    taught = archive.heads()

    def ready() -> None:
        for head in taught:
            copy_head(Heads(archive.folder / HEADS), heads, head.id)
        store.bind(archive.spaces.values())

    manifest = archive.manifest
    plan(manifest.counts.assets)
    restored = kept = replaced = unseen = 0
    conflicts: list[Conflict] = []
    with store.loading():
        for number in range(len(manifest.parts)):
            if stop is not None and stop.is_set():
                break
            archive.check(number)
            ready()
            for some in _batches(archive.stored_assets(number)):
                if stop is not None and stop.is_set():
                    break
                placed, taken = place(some, store, look)
                changes = _differing(placed, store)
                if changes.wanted:
                    store.restore(changes.wanted)
                restored += len(changes.wanted)
                kept += len(some) - len(changes.wanted)
                replaced += changes.replaced
                unseen += changes.unseen
                conflicts += taken
                tell(len(some))
    finished = restored + kept == manifest.counts.assets
    if finished and not merged:
        ready()  # an archive of nothing has its spaces too
        store.keep_random_pairs(manifest.unrelated_list())
    store.optimise()
    return Imported(
        manifest.counts.assets,
        restored,
        kept,
        manifest.heads,
        manifest.bytes,
        finished,
        merged,
        replaced,
        unseen,
        tuple(conflicts),
    )


def _check_spaces(archive: Archive, store: Store) -> None:
    """Before anything is written: what `bind` would say after the first part."""
    held = store.spaces()
    for space in archive.spaces.values():
        old = held.get(space.name, space)
        if old != space:
            raise SpaceMismatch(
                f"the archive's space {space.name!r} was made by {space.model} {space.revision} ({space.dim}-d), the "
                f"collection's by {old.model} {old.revision} ({old.dim}-d)",
                "import into another data directory, or compute the vectors of one of them again",
                Remedy.REINDEX,
            )


def _came_from(held: Iterable[str], archive: Iterable[str]) -> bool:
    """Whether all that is held is the beginning of an archive, as a store is after an import that did not end."""
    for one, other in zip_longest(held, archive):
        if one is None:
            return True
        if one != other:
            return False
    return True


def _batches(stored_assets: Iterator[StoredAsset]) -> Iterator[list[StoredAsset]]:
    some: list[StoredAsset] = []
    size = 0
    for stored_asset in stored_assets:
        some.append(stored_asset)
        size += _bytes(stored_asset)
        if len(some) >= WRITTEN_AT_ONCE or size >= BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _bytes(stored_asset: StoredAsset) -> int:
    moments = [held.moment for held in stored_asset.moments]
    return (
        sum(vector.nbytes for moment in moments for vector in moment.vectors.values())
        + sum(len(moment.thumbnail or b"") for moment in moments)
        + sum(len(data) for data in stored_asset.attachments.values())
    )


@dataclass(frozen=True)
class _Changes:
    """`wanted`: assets that are not held so already, with the places at which they lie here too."""

    wanted: list[StoredAsset]
    replaced: int
    unseen: int


def _differing(stored_assets: Sequence[StoredAsset], store: Store) -> _Changes:
    held = {
        stored_asset.asset.id: stored_asset
        for stored_asset in store.stored_assets([stored_asset.asset.id for stored_asset in stored_assets])
    }
    wanted: list[StoredAsset] = []
    replaced = unseen = 0
    for stored_asset in stored_assets:
        old = held.get(stored_asset.asset.id)
        new = replace(stored_asset, sources=_united(stored_asset.sources, old.sources if old else ()))
        unseen += not any(is_here(source.location) for source in new.sources)
        if old is None or not same(old, new):
            wanted.append(new)
            replaced += old is not None and not same(old, replace(new, sources=old.sources))
    return _Changes(wanted, replaced, unseen)


def _united(sources: Sequence[Source], here: Sequence[Source]) -> tuple[Source, ...]:
    told = {(source.collection, source.location) for source in sources}
    return (*sources, *(source for source in here if (source.collection, source.location) not in told))
