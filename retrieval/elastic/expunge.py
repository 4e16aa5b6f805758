"""What was removed leaves the server's files as well, which otherwise waits until segments are merged."""

from __future__ import annotations

import time
from typing import Any, Final

from crossmedia.retrieval.elastic.index import Index
from crossmedia.retrieval.store import StoreUnusable

PATIENCE: Final = 120.0
"""Seconds. The server keeps what was removed for copies of a shard that lag behind (retention leases), and looks every
half minute whether it still has to."""
WAIT: Final = 3.0
_ALL: Final = {"index.merge.policy.expunge_deletes_allowed": 0}


def everything(index: Index) -> None:
    """Merges every segment that holds something removed, until none does, and empties the log of operations: half a
    minute mostly.

    Raises StoreUnusable where the server keeps it for longer than `PATIENCE`; what was removed is removed then all the
    same.
    """
    if not index.exists():
        return
    connection, names = index.connection, [index.name, index.previews]
    indices = connection.client.indices
    connection.ask(indices.put_settings, index=names, settings=_ALL)
    until = time.monotonic() + PATIENCE
    while True:
        connection.ask(indices.refresh, index=names)
        connection.ask(indices.forcemerge, index=names, only_expunge_deletes=True)
        connection.ask(indices.flush, index=names, force=True)
        if not left(index):
            break
        if time.monotonic() > until:
            raise StoreUnusable(
                "the server still holds what was removed, for a copy of a shard that lags behind",
                "try again when the whole cluster is there",
            )
        time.sleep(WAIT)
    connection.ask(indices.put_settings, index=names, settings=dict.fromkeys(_ALL))


def left(index: Index) -> int:
    """How many documents the server still holds that were removed or replaced."""
    names = [index.name, index.previews]
    told: Any = index.connection.ask(index.connection.client.indices.stats, index=names, metric="docs")
    return int(told["_all"]["total"].get("docs", {}).get("deleted", 0))
