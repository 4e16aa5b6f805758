"""All that a store holds of an asset, with who made what of it: how assets move from store to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.documents import Asset, Moment, Source


@dataclass(frozen=True, eq=False)
class Held:
    """A moment, whole (vectors and thumbnail included), and the makers: an enricher's name, or None for the first pass.

    `maker` brought the moment; `vectors` tells of each space, `labels` of each of the moment's labels in their order.
    """

    moment: Moment
    maker: str | None = None
    vectors: Mapping[str, str | None] = field(default_factory=dict)
    labels: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Done:
    """An enricher has seen the asset, in this version; `fields`: the text fields of other passes' moments that it filled."""

    enricher: str
    model: str
    error: Mapping[str, str] | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Holding:
    """An asset with its sources, moments in their order, attachments by name, and which enrichers have seen it."""

    asset: Asset
    sources: tuple[Source, ...]
    moments: tuple[Held, ...]
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    done: tuple[Done, ...] = ()
