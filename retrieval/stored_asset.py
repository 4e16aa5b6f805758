"""All that a store holds of an asset, with who made what of it: how assets move from store to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from crossmedia.retrieval.documents import Asset, Moment, Source


@dataclass(frozen=True, eq=False)
class StoredMoment:
    """A moment, whole (vectors and thumbnail included), and the makers: an enricher's name, or None for the first pass.

    `maker` brought the moment; `vectors` tells of each space, `labels` of each of the moment's labels in their order.
    """

    moment: Moment
    maker: str | None = None
    vectors: Mapping[str, str | None] = field(default_factory=dict)
    labels: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Done:
    """An enricher has seen the asset, in this version; `fields`: the text fields of other passes' moments that it
    filled."""

    enricher: str
    model: str
    error: Mapping[str, str] | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class StoredAsset:
    """An asset with its sources, moments in their order, attachments by name, and which enrichers have seen it."""

    asset: Asset
    sources: tuple[Source, ...]
    moments: tuple[StoredMoment, ...]
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    done: tuple[Done, ...] = ()


def made_by(moment: Moment, maker: str | None) -> StoredMoment:
    """A moment of which all is one maker's."""
    return StoredMoment(moment, maker, dict.fromkeys(moment.vectors, maker), (maker,) * len(moment.labels))


def same(one: StoredAsset, other: StoredAsset) -> bool:
    """Whether exactly the same is held; the order of sources and of what is done says nothing."""
    return (
        one.asset == other.asset
        and set(one.sources) == set(other.sources)
        and dict(one.attachments) == dict(other.attachments)
        and _by_enricher(one) == _by_enricher(other)
        and len(one.moments) == len(other.moments)
        and all(_same_moment(a, b) for a, b in zip(one.moments, other.moments, strict=True))
    )


def _by_enricher(stored_asset: StoredAsset) -> dict[str, Done]:
    return {done.enricher: replace(done, fields=tuple(sorted(done.fields))) for done in stored_asset.done}


def _same_moment(one: StoredMoment, other: StoredMoment) -> bool:
    a, b = one.moment, other.moment
    return (
        (a.id, a.asset, a.kind, a.start, a.end, a.page, a.labels, a.words, a.thumbnail)
        == (b.id, b.asset, b.kind, b.start, b.end, b.page, b.labels, b.words, b.thumbnail)
        and dict(a.fields) == dict(b.fields)
        and (one.maker, dict(one.vectors), one.labels) == (other.maker, dict(other.vectors), other.labels)
        and a.vectors.keys() == b.vectors.keys()
        and all(np.array_equal(vector, b.vectors[space]) for space, vector in a.vectors.items())
    )
