"""How a store is, told for people and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Health:
    """`red`: some of it cannot be read or written; `yellow`: all of it can, but not as safely or as well as it
    should be."""

    state: Literal["green", "yellow", "red"]
    told: str
    hint: str = ""


@dataclass(frozen=True)
class Statistics:
    """Counts of a store, for `status`, `/metrics` and a person's trust."""

    assets: Mapping[str, int]
    moments: Mapping[str, int]
    vectors: Mapping[str, int]
    sources: int
    bytes: int
    enrichments: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
