"""What was removed leaves the server's files as well, which otherwise waits until segments are merged."""

from __future__ import annotations

from retrieval.elastic.index import Index


def everything(index: Index) -> None:
    """Merges every segment that holds something removed, and empties the log of operations.

    A server that keeps operations for a copy of a shard that lags behind (retention leases) drops them when that has caught up.
    """
    if not index.exists():
        return
    connection = index.connection
    indices = connection.client.indices
    for name in (index.name, index.previews):
        connection.ask(indices.refresh, index=name)
        connection.ask(indices.put_settings, index=name, settings={"index.merge.policy.expunge_deletes_allowed": 0})
        connection.ask(indices.forcemerge, index=name, only_expunge_deletes=True)
        connection.ask(indices.flush, index=name, force=True)
        connection.ask(indices.refresh, index=name)
