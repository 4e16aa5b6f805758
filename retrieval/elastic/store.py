"""The store on Elasticsearch: reading and searching. What it writes is in `whole.py`, `additions.py` and
`places.py`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from crossmedia.embeddings.encoder import Modality, Space, Vector, Vectors
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.blocking import Journal
from crossmedia.retrieval.documents import Asset, Document, Enrichment, Kind, Moment, Revision, Source
from crossmedia.retrieval.elastic import (
    additions,
    blocked,
    browsing,
    docs,
    expunge,
    health,
    labels,
    places,
    reads,
    search,
    spaces,
    succession,
    whole,
)
from crossmedia.retrieval.elastic.address import Access, Address
from crossmedia.retrieval.elastic.connection import Connection
from crossmedia.retrieval.elastic.index import OWN, Index
from crossmedia.retrieval.elastic.text import Analysed
from crossmedia.retrieval.elastic.writer import Arrivals, Writer
from crossmedia.retrieval.health import Health, Statistics
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery
from crossmedia.retrieval.order import Order, Position
from crossmedia.retrieval.query import FacetCount, Filters
from crossmedia.retrieval.store import (
    Found,
    Listed,
    Located,
    RandomPairs,
    SpaceMismatch,
    Store,
    TextMatch,
    TextQuery,
    VectorMatch,
    VectorQuery,
    check_spaces,
    check_vectors,
)
from crossmedia.retrieval.stored_asset import StoredAsset
from crossmedia.retrieval.temporal_merging import Span

PREVIEWS = "-previews"
UNREAD = ("held.packed",)


class ElasticStore:
    """`retrieval.store.Store` behind an alias of an Elasticsearch. Any number of processes on any number of machines
    may write. Nothing is made before something is written."""

    def __init__(self, address: Address, access: Access | None = None, index: str | None = None) -> None:
        self.address = address
        self._access = access or Access()
        self._connection = Connection(address, self._access)
        self._connection.check()
        self._own = index
        self._index = Index(self._connection, index or address.name, address.name + PREVIEWS)
        self._arrivals = Arrivals()
        self._writer = Writer(self._index, self._arrivals)
        self._facts = spaces.Facts(self._index)
        self._loading = 0
        self._ready = False
        self._lock = threading.Lock()
        self._stems = Analysed(self._connection, self._index.name)
        if self._index.exists():
            self._index.check()

    def exists(self) -> bool:
        return self._ready or self._index.exists()

    def bind(self, spaces_: Iterable[Space]) -> None:
        wanted = list(spaces_)
        self._make()
        held, behind = self._facts.bound()
        if behind:
            self._index.aim(behind)  # what these spaces are of is what is written
        check_spaces(held, wanted)
        if any(space.name not in held for space in wanted):
            spaces.record(self._index, wanted, replace=False)
            self._facts.outdate()
            self.bind(wanted)  # another process may have bound others meanwhile

    def rebind(self, spaces_: Iterable[Space]) -> None:
        self._make()
        spaces.record(self._index, spaces_, replace=True)
        self._facts.outdate()

    def spaces(self) -> dict[str, Space]:
        return self._facts.spaces() if self.exists() else {}

    def put(self, documents: Sequence[Document], *, spaces: Iterable[Space] = (), replace: bool = False) -> None:
        wanted = list(spaces)
        if wanted:
            self.bind(wanted)
        with self._writing((lambda held: check_spaces(held, wanted)) if wanted else None) as writer:
            whole.put(writer, documents, replace)

    def enrich(self, enrichments: Sequence[Enrichment]) -> None:
        with self._writing(lambda held: check_vectors(held, enrichments)) as writer:
            additions.enrich(writer, enrichments)

    def revise(self, revisions: Sequence[Revision]) -> None:
        with self._writing() as writer:
            additions.revise(writer, revisions)

    def follow(self, journal: Journal) -> None:
        self._make()
        if self._facts.followed(journal.id) != journal.last():
            with self._writing() as writer:
                blocked.follow(writer, journal)
            self._facts.outdate()

    def locate(self, asset: str, source: Source, instead_of: str | None = None) -> None:
        with self._writing() as writer:
            places.locate(writer, asset, source, instead_of)

    def forget(self, locations: Sequence[str], collection: str) -> list[str]:
        with self._writing() as writer:
            return places.forget(writer, locations, collection)

    def delete(self, assets: Sequence[str]) -> list[str]:
        with self._writing() as writer:
            return whole.delete(writer, assets)

    def relabel(self, kind: str, value: str, to: str) -> int:
        with self._writing() as writer:
            return additions.relabel(writer, kind, value, to)

    def pending(self, enricher: str, model: str, media: Sequence[Medium]) -> list[str]:
        return reads.pending(self._index, enricher, model, media) if self.exists() else []

    def located(self, collection: str | None = None, below: Sequence[str] = ()) -> list[Located]:
        return reads.located(self._index, collection, below) if self.exists() else []

    def at(self, locations: Sequence[str], collection: str) -> dict[str, Located]:
        found = self._index.get([docs.source_key(collection, location) for location in locations])
        return {located.source.location: located for located in map(reads.to_located, found.values())}

    def asset(self, asset: str) -> Asset | None:
        found = self.placed([asset])
        return found[asset][0] if found else None

    def find(self, prefix: str) -> list[str]:
        return reads.find(self._index, prefix)

    def assets(self, filters: Filters, limit: int, offset: int = 0) -> list[Asset]:
        return reads.assets(self._index, filters, limit, offset)

    def browse(self, filters: Filters, order: Order, limit: int, after: Position | None = None) -> list[Listed]:
        return browsing.browse(self._index, filters, order, limit, after)

    def sources(self, asset: str) -> list[Source]:
        found = self.placed([asset])
        return found[asset][1] if found else []

    def placed(self, assets: Sequence[str]) -> dict[str, tuple[Asset, list[Source]]]:
        found = self._index.get([docs.asset_key(asset) for asset in assets])
        return {doc["asset"]: (docs.to_asset(doc), docs.to_sources(doc)) for doc in found.values()}

    def moments(self, asset: str) -> list[Moment]:
        record = self._writer.records([asset]).get(asset)
        return list(self.load(list(record.moments)).values()) if record else []

    def load(self, moments: Sequence[str]) -> dict[str, Moment]:
        found = self._index.get(moments, without=UNREAD)
        return {key: docs.to_held(key, doc).moment for key, doc in found.items()}

    def spans(self, moments: Sequence[str]) -> dict[str, Span]:
        found = self._index.get(moments, only=("asset", "kind", "start", "end"))
        return {
            key: Span(doc["asset"], doc["kind"], doc["start"], doc["end"])
            for key, doc in found.items()
            if doc["start"] is not None and doc["end"] is not None
        }

    def vectors(self, space: str, moments: Sequence[str]) -> dict[str, Vector]:
        found = self._index.get(moments, only=(f"held.packed.{space}",))
        packed = {key: doc.get("held", {}).get("packed", {}).get(space) for key, doc in found.items()}
        return {key: docs.unpack(each) for key, each in packed.items() if each is not None}

    def thumbnail(self, moment: str) -> bytes | None:
        return self._preview(moment)

    def cover(self, asset: str) -> bytes | None:
        record = self._writer.records([asset]).get(asset)
        return self._preview(record.cover) if record and record.cover else None

    def attachment(self, asset: str, name: str) -> bytes | None:
        return self._preview(docs.attachment_key(asset, name))

    def search_vectors(
        self, space: str, modality: Modality, query: Vector, k: int, filters: Filters
    ) -> list[VectorMatch]:
        return self.search([VectorQuery(space, modality, query, k, filters)], [])[0][0]

    def search_text(
        self, text: str, k: int, filters: Filters, without: Sequence[str] = (), least: float = 0.0
    ) -> list[TextMatch]:
        return self.search([], [TextQuery(text, k, filters, tuple(without), least)])[1][0]

    def search(self, near: Sequence[VectorQuery], said: Sequence[TextQuery], named: Sequence[LabelQuery] = ()) -> Found:
        return search.search(self._index, near, said, named, self._stems, self._facts)

    def search_labels(self, query: LabelQuery) -> list[LabelMatch]:
        return self.search([], [], [query])[2][0]

    def meeting(self, moments: Sequence[str], filters: Filters) -> set[str]:
        return reads.meeting(self._index, moments, filters)

    def labelled(self, kind: str, on: Kind | None = None) -> list[Labelled]:
        return labels.labelled(self._index, kind, on)

    def count_facets(self, kinds: Sequence[str] = (), among: Sequence[str] | None = None) -> list[FacetCount]:
        return labels.count_facets(self._index, kinds, among)

    def sample(self, space: str, modality: Modality, count: int) -> Vectors:
        return reads.sample(self._index, space, modality, count)

    def counted(self) -> dict[tuple[str, Modality], int]:
        return reads.counted(self._index)

    def keep_random_pairs(self, measured: Sequence[RandomPairs]) -> None:
        spaces.keep_random_pairs(self._index, measured)
        self._facts.outdate()

    def random_pairs(self) -> list[RandomPairs]:
        return self._facts.random_pairs()

    def statistics(self) -> Statistics:
        return reads.statistics(self._index)

    def asset_ids(self) -> Iterator[str]:
        return reads.asset_ids(self._index)

    def contents(self, assets: Sequence[str]) -> dict[str, StoredAsset]:
        return {stored_asset.asset.id: stored_asset for stored_asset in whole.contents(self._writer, assets)}

    def stored_assets(self, assets: Sequence[str]) -> list[StoredAsset]:
        return whole.stored_assets(self._writer, assets)

    def restore(self, stored_assets: Sequence[StoredAsset]) -> None:
        with self._writing() as writer:
            for stored_asset in stored_assets:
                whole.restore(writer, stored_asset)

    def loading(self) -> AbstractContextManager[None]:
        return self._late()

    def successor(self) -> Store:
        """A copy of the index; one that was begun earlier is gone on with."""
        self._make()
        self._facts.outdate()
        successor = ElasticStore(self.address, self._access, succession.go_on(self._index))
        if not successor.spaces():
            successor._make()
            succession.fill(self._index, successor._index)
        return successor

    def succeed(self, successor: Store) -> list[str]:
        assert isinstance(successor, ElasticStore)
        late = succession.succeed(self._index, successor._index)
        if late:
            successor.rebind(self.spaces().values())
        else:
            self._facts.outdate()
        return late

    def health(self) -> Health:
        if not self.exists():
            return health.of(self._connection, [])
        seen = health.of(self._connection, [self._index.name, self._index.previews])
        if seen.state == "red" or self._index.analyser(self._index.behind()) != (OWN, False):
            return seen
        return replace(
            seen,
            state="yellow",
            told=f"{seen.told}; made before words of any script were found: whole runs of Chinese are words in it",
            hint=seen.hint or "reindex it again: the one that takes its place finds them",
        )

    def optimise(self) -> None:
        """The server merges by itself; what was written becomes visible, and indexes that were replaced go."""
        self._index.refresh()
        succession.tidy(self._index)

    def expunge(self) -> None:
        expunge.everything(self._index)

    def verify(self, deep: bool = False) -> list[str]:
        return reads.wrong(self._index) if self.exists() else []

    def size(self) -> int:
        """Bytes on disk of all that is held, copies on other nodes left out."""
        return reads.size(self._index)

    def close(self) -> None:
        self._connection.close()

    def _make(self) -> None:
        with self._lock:
            if not self._ready:
                self._facts.outdate()
                self._index.make(self._own)
                self._index.check()
                self._index.complete()
                self._ready = True

    def _preview(self, key: str) -> bytes | None:
        return self._index.shown([key]).get(key)

    @contextmanager
    def _writing(self, check: Callable[[Mapping[str, Space]], None] | None = None) -> Iterator[Writer]:
        """What is written inside is seen by everybody when the block ends, unless much is being loaded.

        All of it goes to one index, also where another takes its place meanwhile: then it is refused. `check`: of the
        spaces of that very index.
        """
        self._make()
        behind = ""
        if check is not None:
            self._facts.outdate()
            held, behind = self._facts.bound()
            check(held)
        index = self._index.pinned(behind)
        target = index.target
        try:
            yield Writer(index, self._arrivals)
        except SpaceMismatch:
            if self._index.target == target:
                self._index.aim("")  # it is no more
            raise
        finally:
            self._index.wrote()
            if not self._loading:
                self._index.refresh()

    @contextmanager
    def _late(self) -> Iterator[None]:
        with self._lock:
            self._loading += 1
        try:
            yield
        finally:
            with self._lock:
                self._loading -= 1
                last = not self._loading
            if last:
                self._index.refresh()
