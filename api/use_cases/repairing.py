"""Makes a damaged data directory whole: keeps what can be read, reads files again for the rest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from crossmedia.api.databases import DATABASES, data_folder_alone
from crossmedia.api.exchange import exchange, finish_exchange, preparing
from crossmedia.api.full_disk import translate_full_disk
from crossmedia.api.relocation import BATCH
from crossmedia.api.remains import STORE, StoreMissing, require_store
from crossmedia.api.runtime import Runtime
from crossmedia.api.use_cases.indexing import Indexing
from crossmedia.api.use_cases.keeping import Keeping
from crossmedia.embeddings.chunks import chunks
from crossmedia.indexer.report import FileOutcome
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.documents import Source
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.salvage import Salvage, salvage_store, salvage_tables
from crossmedia.retrieval.local.verify import is_damaged

UNREAD: Final = "repair.json"
"""In a data directory what is to be read again: until it is, whoever is interrupted knows it."""


@dataclass
class Mended:
    """What was done to the databases. `files`: those that were made anew; `tables`: how many rows they have, other than
    the store; `finished`: an interrupted repair or restore was; `replaced`: where the damaged files are now."""

    files: list[str] = field(default_factory=list)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    finished: bool = False
    replaced: Path | None = None


def mend(data: Path) -> Mended:
    """Look through every database of a data directory and make those anew that are damaged or missing; the old ones
    move into a folder beside them. Nobody else may use the directory. Raises InUse, DiskFull, and StoreUnusable where a
    file cannot be opened for another reason."""
    result = Mended()
    with data_folder_alone(data), translate_full_disk(data):
        result.finished = bool(finish_exchange(data))
        damaged = [name for name in DATABASES if is_damaged(data / name)]
        try:
            require_store(data)
            missing = False
        except StoreMissing:
            missing = True
        result.files = [name for name in DATABASES if name in damaged or (name == STORE and missing)]
        if not result.files:
            return result
        with preparing(data) as prepared:
            for name in result.files:
                if name == STORE:
                    unread = _unread(data) or Salvage()
                    with closing(LocalStore(prepared)) as store:
                        salvage = Salvage() if missing else salvage_store(data / name, store)
                    salvage.add(unread)
                    (prepared / UNREAD).write_text(TypeAdapter(Salvage).dump_json(salvage).decode(), encoding="utf-8")
                else:
                    with closing(Database(prepared / name, DATABASES[name])) as database:
                        result.tables[name] = salvage_tables(data / name, database)
            for lock in prepared.glob("*.lock"):
                lock.unlink()
            result.replaced = exchange(data)
    return result


def has_unread(data: Path) -> bool:
    """Whether an earlier repair was interrupted before it had read all files again."""
    return (data / UNREAD).exists()


def _unread(data: Path) -> Salvage | None:
    path = data / UNREAD
    return TypeAdapter(Salvage).validate_json(path.read_text(encoding="utf-8")) if path.exists() else None


class Repairing:
    """Reads files again whose assets could not be kept."""

    def __init__(self, runtime: Runtime, indexing: Indexing, keeping: Keeping) -> None:
        self._runtime = runtime
        self._indexing = indexing
        self._keeping = keeping

    def read_again(
        self,
        mended: Mended,
        plan: Callable[[int], None] = lambda total: None,
        tell: Callable[[FileOutcome], None] = lambda outcome: None,
    ) -> dict[str, Any]:
        """Index the files of lost assets, and uploads that are in no index. Returns counts, and `lost`: paths of files
        that are not there any more."""
        unread = _unread(self._runtime.settings.data)
        salvage = unread or Salvage()
        sources = [*salvage.unnamed, *(source for listed in salvage.lost.values() for source in listed)]
        collections: dict[str, list[ScannedFile]] = {}
        for source in sources:
            if found := self._find(source):
                collections.setdefault(source.collection, []).append(found)
        named = {found.location for listed in collections.values() for found in listed}
        uploads = self._runtime.uploads
        rest = [uploads.as_scanned(path) for path in self._keeping.unindexed() if path not in named] if unread else []
        if rest:
            collections.setdefault("default", []).extend(rest)
        plan(sum(map(len, collections.values())))
        counts = {"added": 0, "failed": 0}
        failures: list[dict[str, Any]] = []
        for collection, files in collections.items():
            report = self._indexing.index_files(files, collection, tell=tell).as_dict()
            counts["added"] += report["added"]
            counts["failed"] += report["failed"]
            failures += report["failures"]
        there = {asset for part in chunks(list(salvage.lost), BATCH) for asset in self._runtime.store.placed(part)}
        gone = {asset: listed for asset, listed in salvage.lost.items() if asset not in there}
        (self._runtime.settings.data / UNREAD).unlink(missing_ok=True)
        return {
            "files": mended.files,
            "finished": mended.finished,
            "kept": salvage.assets,
            "read_again": counts["added"],
            "failures": failures,
            "lost": sorted(
                {source.path for listed in gone.values() for source in listed if not self._is_held(source)}
                | {source.path for source in salvage.unnamed if self._find(source) is None}
            ),
            "lost_without_name": sum(1 for listed in gone.values() if not listed),
            "rows": mended.tables,
            "notes": salvage.notes,
            "replaced": str(mended.replaced) if mended.replaced else None,
        }

    def _is_held(self, source: Source) -> bool:
        """Whether its file is in the index all the same: what was damaged may be the id that it had."""
        found = self._find(source)
        return found is not None and bool(self._runtime.store.at([str(found.location)], source.collection))

    def _find(self, source: Source) -> ScannedFile | None:
        """The file of a source where it lies now."""
        location = Path(source.location)
        upload = self._runtime.uploads.counterpart(location.parent.name, location)
        if upload is not None and source.path == source.location:
            return self._runtime.uploads.as_scanned(upload)  # what it was called is lost
        here = upload or location
        if not here.is_file():
            return None
        return ScannedFile.of(here, source.path, here.stat())
