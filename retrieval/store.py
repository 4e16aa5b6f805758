"""What a store is: the truth about assets and moments, searchable by vector and by word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from crossmedia.embeddings.encoder import Modality, Space, Vector, Vectors
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.embeddings.media import Medium
from crossmedia.retrieval.blocking import Journal
from crossmedia.retrieval.documents import Asset, Document, Enrichment, Kind, Moment, Revision, Source, asset_of
from crossmedia.retrieval.health import Health, Statistics
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery
from crossmedia.retrieval.order import Order, Position, Value
from crossmedia.retrieval.query import FacetCount, Filters
from crossmedia.retrieval.stored_asset import StoredAsset
from crossmedia.retrieval.temporal_merging import Span


class SpaceMismatch(CrossmediaError):
    """The collection holds vectors of another model than the one asked for."""

    code = "space_mismatch"
    status = 409


def check_spaces(held: Mapping[str, Space], wanted: Iterable[Space]) -> None:
    """Raises SpaceMismatch where one of the wanted is held otherwise."""
    for space in wanted:
        old = held.get(space.name, space)
        if old != space:
            raise SpaceMismatch(
                f"the space {space.name!r} of this collection was made by {old.model} {old.revision} ({old.dim}-d), "
                f"not by {space.model} {space.revision} ({space.dim}-d)",
                "compute the vectors again, or use the profile it was indexed with",
                Remedy.REINDEX,
            )


def check_vectors(held: Mapping[str, Space], enrichments: Iterable[Enrichment]) -> None:
    """Raises SpaceMismatch where vectors are of a space that their enrichment does not name, or that is not held so."""
    for enrichment in enrichments:
        named = {space.name: space for space in enrichment.spaces}
        for name in _spaces_in(enrichment):
            if name not in named:
                raise SpaceMismatch(
                    f"{enrichment.enricher} has vectors {name!r} and does not say which model made them",
                    "an Enrichment names the spaces of its vectors",
                )
            if name not in held:
                raise SpaceMismatch(
                    f"{enrichment.enricher} has vectors of the space {name!r}, which this collection does not have",
                    "use the profile it was indexed with",
                )
            check_spaces(held, [named[name]])


def _spaces_in(enrichment: Enrichment) -> set[str]:
    return {space for moment in enrichment.moments for space in moment.vectors} | {
        space for patch in enrichment.patches for space in patch.vectors
    }


class NotFound(CrossmediaError):
    """No asset, moment or job of that id."""

    code = "not_found"
    status = 404


class StoreUnusable(CrossmediaError):
    """The store cannot be opened, read or written: damaged, of a newer version, disk full, locked."""

    code = "store_unusable"
    status = 503


class StoreBusy(StoreUnusable):
    """The store has more to do than it can, is not ready, or is locked by somebody else; come back after `retry_after`
    seconds."""

    code = "store_busy"
    status = 503
    retry_after = 5


@dataclass(frozen=True, eq=False)
class VectorQuery:
    """A search by vector: the k moments of largest inner product in one space, made from one modality."""

    space: str
    modality: Modality
    query: Vector
    k: int
    filters: Filters


@dataclass(frozen=True)
class TextQuery:
    """A search by words: the k best moments by BM25 that hold words of `text` and none of the phrases `without`.

    What covers less than `least` of the query may be left out.
    """

    text: str
    k: int
    filters: Filters
    without: tuple[str, ...] = ()
    least: float = 0.0


@dataclass(frozen=True)
class VectorMatch:
    """A moment and the inner product of its vector with the query's, exact whatever index found it."""

    moment: str
    similarity: float


@dataclass(frozen=True)
class TextMatch:
    """A moment whose text holds words of the query.

    `coverage` in [0, 1]: the share of the query's information (summed idf of its words) that the moment holds;
    `field`, `text`: where, and a snippet of it; `terms`: the words as they stand there.
    """

    moment: str
    score: float
    coverage: float
    field: str
    text: str
    terms: tuple[str, ...]


Found: TypeAlias = tuple[list[list[VectorMatch]], list[list[TextMatch]], list[list[LabelMatch]]]


@dataclass(frozen=True)
class Located:
    """A source and the asset that lies there."""

    asset: str
    source: Source


@dataclass(frozen=True)
class Listed:
    """A moment that stands for its asset in a listing, and what the asset is sorted by."""

    moment: str
    value: Value

    @property
    def position(self) -> Position:
        return Position(self.value, asset_of(self.moment))


@dataclass(frozen=True)
class RandomPairs:
    """The cosines of random pairs in a collection: queries of one modality, targets of another, in one space.

    `targets`: how many vectors there were when it was measured on `sampled` of them.
    """

    space: str
    query: Modality
    target: Modality
    mean: float
    std: float
    sampled: int
    targets: int


class Store(Protocol):
    """Every method is safe to call from several threads; every write is one transaction, visible when it returns."""

    def bind(self, spaces: Iterable[Space]) -> None:
        """Record the spaces of this collection, or raise SpaceMismatch if it already holds others of that name."""

    def rebind(self, spaces: Iterable[Space]) -> None:
        """Record these spaces in place of those of their names: the vectors are being made anew."""

    def revise(self, revisions: Sequence[Revision]) -> None:
        """Replace assets' vectors in some spaces: all of these revisions or none. Each counts as done for
        `pending(REVISION, its model, …)`. Of an asset that is gone, nothing is written."""

    def spaces(self) -> dict[str, Space]: ...

    def put(self, documents: Sequence[Document], *, spaces: Iterable[Space] = (), replace: bool = False) -> None:
        """Write assets with their moments and sources: all of them or none. What a path held before is forgotten
        if no other path holds it. An asset that is there already only gets the source, unless `replace`.

        `spaces`: those that the vectors are of, bound as by `bind` to what is written; raises SpaceMismatch.
        """

    def enrich(self, enrichments: Sequence[Enrichment]) -> None:
        """Write results of enrichers, replacing what the same enricher said of the same asset: all of them or none.
        Of an asset that is gone, nothing is written. Raises SpaceMismatch where vectors are not of this collection's
        spaces (`check_vectors`)."""

    def follow(self, journal: Journal) -> None:
        """Know what a journal of decisions blocks by now, of assets that are here and of those that come later, so that
        filters can leave it out (`Filters.journal`). Where nothing was decided since, this is no more than a look."""

    def pending(self, enricher: str, model: str, media: Sequence[Medium]) -> list[str]:
        """Ids of assets of these media which this enricher, in this version, has not seen."""

    def locate(self, asset: str, source: Source, instead_of: str | None = None) -> None:
        """Record that an asset lies at a place too, or (`instead_of`, an absolute path) has moved there."""

    def forget(self, locations: Sequence[str], collection: str) -> list[str]:
        """Remove sources by their absolute paths; returns the assets deleted because none is left."""

    def delete(self, assets: Sequence[str]) -> list[str]:
        """Remove assets with everything of them; returns those that existed."""

    def located(self, collection: str | None = None, below: Sequence[str] = ()) -> list[Located]:
        """Every source, by path; of those only what lies at or below these absolute paths (some hundred at most), if
        any are given."""

    def at(self, locations: Sequence[str], collection: str) -> dict[str, Located]:
        """What lies at these absolute paths, by path."""

    def asset(self, asset: str) -> Asset | None: ...

    def find(self, prefix: str) -> list[str]:
        """At most 10 ids of assets that start with these characters."""

    def assets(self, filters: Filters, limit: int, offset: int = 0) -> list[Asset]: ...

    def browse(self, filters: Filters, order: Order, limit: int, after: Position | None = None) -> list[Listed]:
        """Of each asset that meets the filters the first moment that does, in this order (any but that by relevance),
        those after a position. Parts of moments do only where the filters name their kind. A page costs what it holds,
        and what it has to pass over, wherever it begins."""

    def sources(self, asset: str) -> list[Source]: ...

    def placed(self, assets: Sequence[str]) -> dict[str, tuple[Asset, list[Source]]]:
        """Assets with their sources, many at once; unknown ids are left out."""

    def moments(self, asset: str) -> list[Moment]:
        """All moments of an asset in their order, with labels and words, without vectors and thumbnails."""

    def load(self, moments: Sequence[str]) -> dict[str, Moment]:
        """Moments by id, as `moments` gives them; unknown ids are left out."""

    def spans(self, moments: Sequence[str]) -> dict[str, Span]:
        """Where moments lie in time; those without a time and unknown ids are left out."""

    def vectors(self, space: str, moments: Sequence[str]) -> dict[str, Vector]: ...

    def thumbnail(self, moment: str) -> bytes | None: ...

    def cover(self, asset: str) -> bytes | None:
        """The first thumbnail of an asset."""

    def attachment(self, asset: str, name: str) -> bytes | None:
        """What was kept with an asset under this name."""

    def search_vectors(
        self, space: str, modality: Modality, query: Vector, k: int, filters: Filters
    ) -> list[VectorMatch]:
        """What `VectorQuery` asks for, best first; fewer than k only where fewer meet the filters."""

    def search_text(
        self, text: str, k: int, filters: Filters, without: Sequence[str] = (), least: float = 0.0
    ) -> list[TextMatch]:
        """What `TextQuery` asks for, best first."""

    def search(self, near: Sequence[VectorQuery], said: Sequence[TextQuery], named: Sequence[LabelQuery] = ()) -> Found:
        """What `nearest`, `words` and `bearing` give for each, in one round trip where the store lies elsewhere."""

    def search_labels(self, query: LabelQuery) -> list[LabelMatch]:
        """What it asks for, best first. Of a value that very many bear, those with the best scores may be
        all that count."""

    def meeting(self, moments: Sequence[str], filters: Filters) -> set[str]:
        """Those of the moments that meet the filters."""

    def labelled(self, kind: str, on: Kind | None = None) -> list[Labelled]:
        """The values of labels of a kind, on moments of one kind or of all, most seconds and moments first."""

    def count_facets(self, kinds: Sequence[str] = (), among: Sequence[str] | None = None) -> list[FacetCount]:
        """Every label of these kinds, or of all, on these moments, or on all: by kind, then those on most moments
        first.
        Counts of assets may be estimates where there are thousands."""

    def relabel(self, kind: str, value: str, to: str) -> int:
        """Give the labels of this kind and value another value, wherever they are; returns how many there were."""

    def sample(self, space: str, modality: Modality, count: int) -> Vectors:
        """At most `count` vectors, evenly over the order in which they came: (N, dim)."""

    def counted(self) -> dict[tuple[str, Modality], int]:
        """How many vectors there are of each space and modality."""

    def keep_random_pairs(self, measured: Sequence[RandomPairs]) -> None:
        """Replace all that was kept of random pairs."""

    def random_pairs(self) -> list[RandomPairs]: ...

    def statistics(self) -> Statistics: ...

    def asset_ids(self) -> Iterator[str]:
        """Ids of all assets, in the order in which they came, read a few at a time. One that comes or goes while this
        is read may be among them or not."""

    def contents(self, assets: Sequence[str]) -> dict[str, StoredAsset]:
        """What `stored_assets` tells, many at once, without vectors, thumbnails and attachments; unknown ids are left
        out."""

    def stored_assets(self, assets: Sequence[str]) -> list[StoredAsset]:
        """All that is held of these assets, in their order; unknown ids are left out."""

    def restore(self, stored_assets: Sequence[StoredAsset]) -> None:
        """Write assets as they were held elsewhere, in place of what is held of them here, each whole or not at all; a
        path that another asset had is theirs then, as in `put`. Their vectors must be of this store's spaces: the
        caller sees to it. Of an asset that is held already the place in `asset_ids` stays."""

    def loading(self) -> AbstractContextManager[None]:
        """Much is written inside: others may see it late, at the latest when the block ends, so that it costs less."""

    def successor(self) -> Store:
        """Where vectors are made anew: a copy that nobody searches yet, or this store itself if it has to be in
        place."""

    def succeed(self, successor: Store) -> list[str]:
        """Put a successor in this store's place. Returns assets that came here meanwhile and are in the successor now
        as they were here; then nothing is put in place until those are made anew and this is called again."""

    def health(self) -> Health:
        """Whether the store can be used now, told for a person."""

    def optimise(self) -> None:
        """Bring derived indexes into their best shape; called after large writes, never needed for correctness."""

    def expunge(self) -> None:
        """Nothing of what was removed or replaced is left in files when this returns; takes as long as copying the
        store."""

    def verify(self, deep: bool = False) -> list[str]:
        """What is wrong inside, a line each; empty when the truth and what is derived from it agree. Of large numbers
        of vectors a sample is compared, or all if `deep`."""

    def close(self) -> None: ...
