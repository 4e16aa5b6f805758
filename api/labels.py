"""What is said of everything in the collection: labels by kind and value, with counts; and how a condition on them is
written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.schema import by_kind
from crossmedia.api.service import Service
from crossmedia.embeddings.label_kinds import kind_named, known_kinds

_CONDITION: Final = re.compile(
    r"(?:(?P<count>[1-9]\d{0,2})x)?(?P<kind>[^:@]+)(?::(?P<value>.*?))?(?:@(?P<score>[01](?:\.\d+)?))?"
)


def listed(service: Service, kinds: Sequence[str] = (), most: int = 20) -> list[dict[str, Any]]:
    """Every kind of label: `kind`, `values` (how many there are), `top` (at most `most` of them, those on most moments
    first:
    `value`, `moments`, `assets`)."""
    tallies = service.store.tally(kinds)
    values = Counter(one.kind for one in tallies)
    return [
        {"kind": kind, "values": values[kind], "top": [] if kind_named(kind).unique and not kinds else top}
        for kind, top in by_kind(tallies, most).items()
    ]


def vocabulary() -> list[dict[str, Any]]:
    """Every kind of label there can be here, in the order in which people see them."""
    return [
        {
            "kind": kind.name,
            "title": kind.title,
            "said": kind.said,
            "facet": kind.facet,
            "recognised": kind.recognised,
            "values": None if kind.values is None else sorted(kind.values),
        }
        for kind in known_kinds().values()
    ]


def condition(text: str, *, negate: bool = False) -> dict[str, Any]:
    """A filter as people write it, `[COUNTx]KIND[:VALUE][@SCORE]`, as it stands in a request. Raises InvalidRequest.

    >>> condition("2xobject:dog@0.5")
    {'kind': 'object', 'value': 'dog', 'min_score': 0.5, 'min_count': 2, 'negate': False}
    """
    parts = _CONDITION.fullmatch(text.strip())
    if parts is None:
        raise InvalidRequest(f"{text!r} is no condition on labels", "write KIND:VALUE, 2xobject:dog, or object:dog@0.5")
    return {
        "kind": parts["kind"],
        "value": parts["value"] or None,
        "min_score": float(parts["score"] or 0),
        "min_count": int(parts["count"] or 1),
        "negate": negate,
    }
