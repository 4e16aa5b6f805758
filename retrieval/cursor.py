"""Where a page of results ended, as a text that goes on with it.

A cursor is made of what its order needs, never of a number of hits to skip: what comes or goes meanwhile shifts
nothing. Sorted results go on after a value and an id. Results by relevance have no such value, since each file that is
added changes the ranks of others, so their cursor tells what was shown, by six bytes of a hash each: the next page is
the best of the rest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Never

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.order import By, Order, Position
from crossmedia.retrieval.query import Query

VERSION: Final = 1
MARK_BYTES: Final = 6
MAX_SHOWN: Final = 10_000
"""Hits by relevance that can be gone on after."""
MAX_LENGTH: Final = 100_000
"""Characters of a cursor: of the longest there is, and no more."""
MAX_TEXT: Final = 5_000
"""Characters of a name, a date or the ids in a cursor."""
_CHECK_BYTES: Final = 4


class BadCursor(CrossmediaError):
    """A cursor that is broken, of another search, or of another version."""

    code = "bad_cursor"
    status = 400


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: at a `position`, and there after a moment (its key), or of results by relevance what was
    `shown`."""

    position: Position | None = None
    moment: str = ""
    shown: frozenset[bytes] = frozenset()


def mark(shown: str) -> bytes:
    """What is kept of the id of a moment or an asset that was shown."""
    return hashlib.sha256(shown.encode()).digest()[:MARK_BYTES]


def encode(cursor: Cursor, query: Query, order: Order) -> str:
    """The cursor of a page of this query."""
    position = cursor.position
    place = [] if position is None else [position.value, position.asset, cursor.moment]
    head = json.dumps([VERSION, fingerprint(query), str(order), *place], separators=(",", ":")).encode()
    content = head + b"\0" + b"".join(sorted(cursor.shown))
    check = zlib.crc32(content).to_bytes(_CHECK_BYTES, "big")
    return base64.urlsafe_b64encode(check + content).rstrip(b"=").decode()


def decode(text: str, query: Query, order: Order) -> Cursor:
    """Where a page of this query ended. Raises BadCursor."""
    try:
        if len(text) > MAX_LENGTH:
            raise ValueError(text[:10])
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        check, content = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if zlib.crc32(content).to_bytes(_CHECK_BYTES, "big") != check:
            raise ValueError(text[:10])
        head, _, marks = content.partition(b"\0")
        version, asked, sort, *place = json.loads(head, parse_constant=_refuse)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadCursor("the cursor is broken", "give it whole, as it came, or begin again without one") from error
    if version != VERSION:
        raise BadCursor("the cursor is of another version", "begin again without one")
    if asked != fingerprint(query):
        raise BadCursor("the cursor is of another search", "give it with the search that it came from")
    if sort != str(order):
        raise BadCursor(
            f"the cursor goes on with results by {str(sort)[:20]}, not by {order}",
            "give it with the order that it came from, or begin again without one",
        )
    return Cursor(*_place(place, order.by), frozenset(_marks(marks)))


def fingerprint(query: Query) -> str:
    """Of everything that says what is searched for. How many hits a page has is not among it, nor what is left out
    for everybody."""
    examples = [(e.asset, e.weight, e.name, type(e.media).__name__) for e in query.examples]
    filters = replace(query.filters, excluded_assets=(), journal=None)
    asked = (query.texts, query.negatives, examples, filters, query.legs, query.min_relevance, query.fold, query.group)
    return hashlib.sha256(repr(asked).encode("utf-8", "replace")).hexdigest()[:12]


def _place(parts: list[Any], by: By) -> tuple[Position | None, str]:
    """Position and moment; raises BadCursor for what is neither."""
    if by == "relevance" and not parts:
        return None, ""
    match parts:
        case [value, str(asset), str(moment)] if by != "relevance" and _fits(value, by) and _is_text(asset + moment):
            return Position(value, asset), moment
    raise BadCursor("the cursor is broken", "give it whole, as it came, or begin again without one")


def _fits(value: Any, by: By) -> bool:
    if value is None:
        return True
    if by in ("date", "name"):
        return isinstance(value, str) and _is_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 1 << 63 and (by == "length" or isinstance(value, int))


def _is_text(value: str) -> bool:
    return len(value) <= MAX_TEXT and not any(0xD800 <= ord(c) < 0xE000 for c in value)


def _marks(data: bytes) -> Iterable[bytes]:
    if len(data) % MARK_BYTES or len(data) > MARK_BYTES * MAX_SHOWN:
        raise BadCursor("the cursor is broken", "give it whole, as it came, or begin again without one")
    return (data[at : at + MARK_BYTES] for at in range(0, len(data), MARK_BYTES))


def _refuse(constant: str) -> Never:
    raise ValueError(constant)
