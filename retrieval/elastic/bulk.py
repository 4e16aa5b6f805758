"""Writing many documents: in requests of a bounded size, what a busy server refused again, what it cannot take told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crossmedia.retrieval.elastic.connection import AGAIN, Connection, explain_status
from crossmedia.retrieval.elastic.docs import Doc, Version
from crossmedia.retrieval.store import StoreBusy

REQUEST_BYTES: Final = 4 << 20
REQUEST_DOCS: Final = 500
AT_ONCE: Final = 2
"""Requests on their way at a time: one is being read by the server while the next is made."""


class Conflict(Exception):
    """A document is no longer what it was when it was read, or is there already."""


@dataclass(frozen=True, eq=False)
class Action:
    """`doc` None deletes. `expected`: the version the document must have; "absent": it must not be there."""

    index: str
    id: str
    doc: Doc | None
    expected: Version | str | None = None

    def lines(self) -> bytes:
        # Without the demand for an alias the server would make an index of any name.
        about: dict[str, Any] = {"_index": self.index, "_id": self.id, "require_alias": True}
        if isinstance(self.expected, tuple):
            about["if_seq_no"], about["if_primary_term"] = self.expected
        if self.doc is None:
            return orjson.dumps({"delete": about}) + b"\n"
        verb = "create" if self.expected == "absent" else "index"
        options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        return orjson.dumps({verb: about}) + b"\n" + orjson.dumps(self.doc, option=options) + b"\n"


def write(connection: Connection, actions: Iterable[Action]) -> list[Action]:
    """Do all of them; returns those that met another version than expected. Raises StoreUnusable for what else failed:
    the others are written then, and writing all again is harmless."""
    requests = list(_requests(actions))
    if len(requests) == 1:
        return _send(connection, *requests[0])
    with ThreadPoolExecutor(AT_ONCE) as threads:
        sent = [threads.submit(_send, connection, *request) for request in requests]
        return [action for future in sent for action in future.result()]


def _requests(actions: Iterable[Action]) -> Iterator[tuple[list[Action], list[bytes]]]:
    some: list[Action] = []
    lines: list[bytes] = []
    size = 0
    for action in actions:
        line = action.lines()
        if some and (size + len(line) > REQUEST_BYTES or len(some) >= REQUEST_DOCS):
            yield some, lines
            some, lines, size = [], [], 0
        some.append(action)
        lines.append(line)
        size += len(line)
    if some:
        yield some, lines


def _send(connection: Connection, actions: Sequence[Action], lines: Sequence[bytes]) -> list[Action]:
    left = list(zip(actions, lines, strict=True))
    conflicts: list[Action] = []

    def send() -> None:
        """Only what was refused is sent again, later and later: a full queue is not helped by more."""
        nonlocal left
        operations: list[Any] = [line for _, line in left]  # the client takes lines as they are, too
        answer = connection.client.bulk(operations=operations)
        again: list[tuple[Action, bytes]] = []
        failure = StoreBusy("")
        for (action, line), item in zip(left, answer["items"], strict=True):
            [result] = item.values()
            status = result["status"]
            if status == 409:
                conflicts.append(action)
            elif status in AGAIN or "error" in result:
                error = result.get("error") or {}
                reason = f"{error.get('type')}: {error.get('reason')}"[:500]
                found = explain_status(status, reason, connection.address)
                # A full disk has the status of a full queue, and no hope.
                if not isinstance(found, StoreBusy):
                    raise found
                failure = found
                again.append((action, line))
        left = again
        if left:
            raise StoreBusy(f"{len(left)} of {len(actions)} documents were not taken: {failure.message}", failure.hint)

    connection.ask(send)
    return conflicts
