"""Facts about where a file comes from, each with the source that states it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

FactKind: TypeAlias = Literal["trust", "signer", "generator", "source-type"]
FACT_KINDS: Final[tuple[FactKind, ...]] = get_args(FactKind)
GENERATED: Final = "generated"
EDITED: Final = "edited"
COMPOSITE: Final = "composite"
CAPTURED: Final = "captured"
SIGNED: Final = "signed"
UNKNOWN: Final = "signer unknown"
INVALID: Final = "signature invalid"
UNREADABLE: Final = "manifest unreadable"
MAX_FACT_CHARACTERS: Final = 120
"""Characters of a value: names of signers and generators are anybody's text."""
MAX_FACTS: Final = 32
"""Facts of one file."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\s]+")


@dataclass(frozen=True, order=True)
class Fact:
    """`by`: what in the file says so, and by which reader of ours: `c2pa-0.91.3`, `iptc@1`, `parameters@1`."""

    kind: FactKind
    value: str
    by: str


@dataclass(frozen=True)
class Provenance:
    """`manifest`: what a C2PA manifest says, for people: `state`, `signer`, `issuer`, `generator`, `problems`, …"""

    facts: tuple[Fact, ...] = ()
    manifest: dict[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())


def plain(value: object) -> str:
    r"""Untrusted text as a value: one line, bounded, without characters that reorder or hide text.

    >>> plain("  Ada\n\u202eLovelace ")
    'Ada Lovelace'
    """
    return _CONTROL.sub(" ", str(value)[: 8 * MAX_FACT_CHARACTERS]).strip()[:MAX_FACT_CHARACTERS].strip()


def merge_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts without repetitions, ordered by kind; empty ones are left out."""
    kept = [fact for fact in dict.fromkeys(facts) if fact.value]
    return tuple(sorted(kept, key=lambda fact: FACT_KINDS.index(fact.kind))[:MAX_FACTS])
