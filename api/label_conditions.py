"""How a condition on labels is written by people."""

from __future__ import annotations

import re
from typing import Any, Final

from crossmedia.api.invalid import InvalidRequest

_CONDITION: Final = re.compile(
    r"(?:(?P<count>[1-9]\d{0,2})x)?(?P<kind>[^:@]+)(?::(?P<value>.*?))?(?:@(?P<score>[01](?:\.\d+)?))?"
)


def parse_condition(text: str, *, negate: bool = False) -> dict[str, Any]:
    """A filter as people write it, `[COUNTx]KIND[:VALUE][@SCORE]`, as it stands in a request. Raises InvalidRequest.

    >>> parse_condition("2xobject:dog@0.5")
    {'kind': 'object', 'value': 'dog', 'min_score': 0.5, 'min_count': 2, 'negate': False}
    """
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest(f"{text!r} is not a label condition", "write KIND:VALUE, 2xobject:dog, or object:dog@0.5")
    return {
        "kind": match["kind"],
        "value": match["value"] or None,
        "min_score": float(match["score"] or 0),
        "min_count": int(match["count"] or 1),
        "negate": negate,
    }
