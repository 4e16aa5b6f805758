"""Tells the store where uploads lie after the data folder was moved, copied or restored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossmedia.api.upload_record import UploadRecord
from crossmedia.api.uploads import Uploads, asset_of_upload
from crossmedia.embeddings.chunks import chunks
from crossmedia.indexer.scan import modified
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.store import Store

BATCH = 500
"""Uploads that the store is asked for at once."""


def follow_move(store: Store, uploads: Uploads, record: UploadRecord) -> None:
    """Relocate uploads if the folder is not where it was when this was last done; else no more than a look."""
    if uploads.folder.is_dir() and record.place() != str(uploads.folder):
        relocate(store, uploads, record)


def relocate(store: Store, uploads: Uploads, record: UploadRecord) -> int:
    """Write the present place of every upload that the store has elsewhere; returns how many those were.

    An upload is known by its hash and name: a place `…/<hash>/<name>` becomes that file in the folder of uploads, if
    it is there.
    """
    count = 0
    for files in chunks(uploads.list_files(), BATCH):
        for asset, (_, sources) in store.placed([asset_of_upload(file) for file in files]).items():
            places = {(source.collection, source.location) for source in sources}
            for source in sources:
                here = uploads.counterpart(asset, Path(source.location))
                if here is None or (source.collection, str(here)) in places:
                    continue
                store.locate(asset, _moved(source, here), instead_of=source.location)
                places.add((source.collection, str(here)))
                count += 1
    if uploads.folder.is_dir():
        record.set_place(uploads.folder)
    return count


def _moved(source: Source, here: Path) -> Source:
    status = here.stat()
    return replace(source, location=str(here), size=status.st_size, mtime_ns=modified(status))
