"""The local store: reading and searching. What it writes is in `writes.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from crossmedia.embeddings.encoder import Modality, Space, Vector, Vectors
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.blocking import Journal
from crossmedia.retrieval.documents import Asset, Document, Enrichment, Kind, Moment, Revision, Source
from crossmedia.retrieval.health import Health, Statistics
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery
from crossmedia.retrieval.local import (
    blocked,
    browsing,
    expunge,
    fulltext,
    labels,
    near,
    random_pairs,
    reads,
    totals,
    verify,
    writes,
)
from crossmedia.retrieval.local import stored_assets as whole
from crossmedia.retrieval.local.derived import Derived
from crossmedia.retrieval.local.epochs import StoreDatabase
from crossmedia.retrieval.local.filters import conditions
from crossmedia.retrieval.local.probe import probe
from crossmedia.retrieval.local.rows import to_asset, to_source
from crossmedia.retrieval.local.words import Frequencies
from crossmedia.retrieval.order import Order, Position
from crossmedia.retrieval.query import FacetCount, Filters
from crossmedia.retrieval.store import (
    Found,
    Listed,
    Located,
    RandomPairs,
    Store,
    TextMatch,
    TextQuery,
    VectorMatch,
    VectorQuery,
    check_vectors,
)
from crossmedia.retrieval.stored_asset import StoredAsset
from crossmedia.retrieval.temporal_merging import Span

COMPARED = 200
"""Vectors of each field that `verify` compares with the stored ones, unless it goes deep."""


class LocalStore:
    """`retrieval.store.Store` in a folder: `store.sqlite` is the truth, `vectors/` what is derived from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = StoreDatabase(folder / "store.sqlite")
        self._derived = Derived(self._database, folder / "vectors")
        self._frequencies = Frequencies()

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A transaction, for what else in this package writes."""
        return self._database.write()

    def checkpoint(self) -> None:
        """Everything that is written is in `store.sqlite` when this returns."""
        self._database.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def bind(self, spaces: Iterable[Space]) -> None:
        wanted = list(spaces)
        held_now = self.spaces()
        if all(held_now.get(space.name) == space for space in wanted):
            return  # a search must not wait for a writer
        with self._database.write() as connection:
            writes.bind(connection, wanted)

    def rebind(self, spaces: Iterable[Space]) -> None:
        with self._database.write() as connection:
            for space in spaces:
                writes.space(connection, space)

    def revise(self, revisions: Sequence[Revision]) -> None:
        with self._database.write() as connection:
            for revision in revisions:
                writes.revise(connection, revision)

    def spaces(self) -> dict[str, Space]:
        return reads.spaces(self._database.connection())

    def put(self, documents: Sequence[Document], *, spaces: Iterable[Space] = (), replace: bool = False) -> None:
        with self._database.write() as connection:
            writes.bind(connection, list(spaces))
            for document in documents:
                writes.put(connection, document, replace)

    def enrich(self, enrichments: Sequence[Enrichment]) -> None:
        with self._database.write() as connection:
            check_vectors(reads.spaces(connection), enrichments)
            for enrichment in enrichments:
                writes.enrich(connection, enrichment)

    def follow(self, journal: Journal) -> None:
        if blocked.followed(self._database.connection(), journal.id) != journal.last():
            with self._database.write() as connection:
                blocked.follow(connection, journal)

    def locate(self, asset: str, source: Source, instead_of: str | None = None) -> None:
        with self._database.write() as connection:
            writes.locate(connection, asset, source, instead_of)

    def forget(self, locations: Sequence[str], collection: str) -> list[str]:
        with self._database.write() as connection:
            return writes.forget(connection, locations, collection)

    def delete(self, assets: Sequence[str]) -> list[str]:
        with self._database.write() as connection:
            return [asset for asset in assets if writes.delete(connection, asset)]

    def pending(self, enricher: str, model: str, media: Sequence[Medium]) -> list[str]:
        return reads.pending(self._database.connection(), enricher, model, media)

    def located(self, collection: str | None = None, below: Sequence[str] = ()) -> list[Located]:
        with self._database.read() as connection:
            return reads.located(connection, collection, below)

    def at(self, locations: Sequence[str], collection: str) -> dict[str, Located]:
        with self._database.read() as connection:
            return reads.at(connection, locations, collection)

    def asset(self, asset: str) -> Asset | None:
        rows = self._rows("SELECT * FROM asset WHERE hash = ?", [asset])
        return to_asset(rows[0]) if rows else None

    def find(self, prefix: str) -> list[str]:
        return [
            row[0]
            for row in self._rows(
                "SELECT hash FROM asset WHERE hash >= ? AND hash < ? ORDER BY hash LIMIT 10",
                [prefix, prefix + "\uffff"],
            )
        ]

    def assets(self, filters: Filters, limit: int, offset: int = 0) -> list[Asset]:
        where, values = conditions(filters)
        restriction = f"WHERE EXISTS (SELECT 1 FROM moment m WHERE m.asset = a.id AND {where})" if where else ""
        return [
            to_asset(row)
            for row in self._rows(
                f"SELECT a.* FROM asset a {restriction} ORDER BY a.id LIMIT ? OFFSET ?", [*values, limit, offset]
            )
        ]

    def browse(self, filters: Filters, order: Order, limit: int, after: Position | None = None) -> list[Listed]:
        with self._database.read() as connection:
            return browsing.browse(connection, filters, order, limit, after)

    def sources(self, asset: str) -> list[Source]:
        return [
            to_source(row)
            for row in self._rows(
                "SELECT s.* FROM source s JOIN asset a ON a.id = s.asset WHERE a.hash = ? ORDER BY s.collection, "
                "s.path",
                [asset],
            )
        ]

    def placed(self, assets: Sequence[str]) -> dict[str, tuple[Asset, list[Source]]]:
        with self._database.read() as connection:
            return reads.placed(connection, assets)

    def moments(self, asset: str) -> list[Moment]:
        with self._database.read() as connection:
            return list(reads.moments(connection, "a.hash = ?", [asset]).values())

    def load(self, moments: Sequence[str]) -> dict[str, Moment]:
        found: dict[str, Moment] = {}
        with self._database.read() as connection:
            for some in reads.batches(moments):
                found |= reads.moments(connection, f"m.key IN ({reads.marks(some)})", some)
        return found

    def spans(self, moments: Sequence[str]) -> dict[str, Span]:
        with self._database.read() as connection:
            return reads.spans(connection, moments)

    def vectors(self, space: str, moments: Sequence[str]) -> dict[str, Vector]:
        with self._database.read() as connection:
            return reads.vectors(connection, space, moments)

    def cover(self, asset: str) -> bytes | None:
        rows = self._rows(
            """SELECT t.jpeg FROM thumbnail t JOIN moment m ON m.id = t.moment JOIN asset a ON a.id = m.asset
            WHERE a.hash = ? ORDER BY m.id LIMIT 1""",
            [asset],
        )
        return bytes(rows[0][0]) if rows else None

    def attachment(self, asset: str, name: str) -> bytes | None:
        rows = self._rows(
            "SELECT t.data FROM attachment t JOIN asset a ON a.id = t.asset WHERE a.hash = ? AND t.name = ?",
            [asset, name],
        )
        return bytes(rows[0][0]) if rows else None

    def thumbnail(self, moment: str) -> bytes | None:
        rows = self._rows("SELECT t.jpeg FROM thumbnail t JOIN moment m ON m.id = t.moment WHERE m.key = ?", [moment])
        return bytes(rows[0][0]) if rows else None

    def search_vectors(
        self, space: str, modality: Modality, query: Vector, k: int, filters: Filters
    ) -> list[VectorMatch]:
        connection, field = self._database.connection(), f"{space}/{modality}"
        return blocked.unblocked(
            connection,
            filters,
            k,
            lambda meeting: near.search_vectors(connection, self._derived, field, query, k, meeting),
        )

    def search_text(
        self, text: str, k: int, filters: Filters, without: Sequence[str] = (), least: float = 0.0
    ) -> list[TextMatch]:
        with self._database.read() as connection:
            return blocked.unblocked(
                connection,
                filters,
                k,
                lambda meeting: fulltext.search(connection, self._frequencies, text, k, meeting, without, least),
            )

    def search_labels(self, query: LabelQuery) -> list[LabelMatch]:
        with self._database.read() as connection:
            return blocked.unblocked(
                connection, query.filters, query.k, lambda meeting: labels.search_labels(connection, query, meeting)
            )

    def search(self, near: Sequence[VectorQuery], said: Sequence[TextQuery], named: Sequence[LabelQuery] = ()) -> Found:
        return (
            [self.search_vectors(n.space, n.modality, n.query, n.k, n.filters) for n in near],
            [self.search_text(s.text, s.k, s.filters, s.without, s.least) for s in said],
            [self.search_labels(query) for query in named],
        )

    def meeting(self, moments: Sequence[str], filters: Filters) -> set[str]:
        with self._database.read() as connection:
            return reads.meeting(connection, moments, filters)

    def statistics(self) -> Statistics:
        with self._database.read() as connection:
            return totals.statistics(connection)

    def labelled(self, kind: str, on: Kind | None = None) -> list[Labelled]:
        with self._database.read() as connection:
            return labels.labelled(connection, kind, on)

    def count_facets(self, kinds: Sequence[str] = (), among: Sequence[str] | None = None) -> list[FacetCount]:
        with self._database.read() as connection:
            return labels.count_facets(connection, kinds, among)

    def relabel(self, kind: str, value: str, to: str) -> int:
        with self._database.write() as connection:
            return connection.execute(
                "UPDATE label SET value = ? WHERE kind = ? AND value = ?", (to, kind, value)
            ).rowcount

    def sample(self, space: str, modality: Modality, count: int) -> Vectors:
        with self._database.read() as connection:
            return random_pairs.sample(connection, f"{space}/{modality}", count)

    def counted(self) -> dict[tuple[str, Modality], int]:
        return totals.vectors(self._database.connection())

    def keep_random_pairs(self, measured: Sequence[RandomPairs]) -> None:
        with self._database.write() as connection:
            random_pairs.keep(connection, measured)

    def random_pairs(self) -> list[RandomPairs]:
        return [RandomPairs(*row) for row in self._rows("SELECT * FROM unrelated")]

    def asset_ids(self) -> Iterator[str]:
        return whole.asset_ids(self._database)

    def contents(self, assets: Sequence[str]) -> dict[str, StoredAsset]:
        with self._database.read() as connection:
            return {stored_asset.asset.id: stored_asset for stored_asset in whole.read(connection, assets, heavy=False)}

    def stored_assets(self, assets: Sequence[str]) -> list[StoredAsset]:
        with self._database.read() as connection:
            return whole.read(connection, assets)

    def restore(self, stored_assets: Sequence[StoredAsset]) -> None:
        with self._database.write() as connection:
            for stored_asset in stored_assets:
                whole.restore(connection, stored_asset)

    def loading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def successor(self) -> Store:
        return self

    def succeed(self, successor: Store) -> list[str]:
        return []

    def health(self) -> Health:
        return probe(self.folder, self._database)

    def optimise(self) -> None:
        self._derived.optimise()

    def expunge(self) -> None:
        expunge.everything(self._database, self._derived)

    def verify(self, deep: bool = False) -> list[str]:
        compared = None if deep else COMPARED
        found = verify.wrong(self._database.connection()) + self._derived.differences(compared)
        with self._database.read() as connection:
            return found + totals.differences(connection)

    def close(self) -> None:
        self._database.close()

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self._database.connection().execute(query, values).fetchall()
