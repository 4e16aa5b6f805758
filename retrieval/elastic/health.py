"""How the cluster is, told for a person."""

from __future__ import annotations

from collections.abc import Sequence

from crossmedia.retrieval.elastic.connection import FAILURES, Connection, explain
from crossmedia.retrieval.health import Health

WAIT = "1s"


def of(connection: Connection, indexes: Sequence[str]) -> Health:
    """The state of the collection's indexes; `red` too where the cluster cannot be reached."""
    try:
        state = connection.client.cluster.health(index=list(indexes), timeout=WAIT) if indexes else None
        info = connection.client.cluster.health(timeout=WAIT)
    except FAILURES as error:
        told = explain(error, connection.address)
        return Health("red", told.message, told.hint)
    nodes = info["number_of_data_nodes"]
    where = f"{connection.address}, {nodes} {'node' if nodes == 1 else 'nodes'}"
    if state is None:
        return Health("green", f"{where}: nothing is indexed yet")
    status = state["status"]
    missing = state["unassigned_shards"]
    if status == "red":
        return Health(
            "red",
            f"{where}: {missing} shards are missing: part of the index can be neither searched nor written",
            "start the nodes that hold them, or restore a snapshot",
        )
    if status == "yellow":
        return Health(
            "yellow",
            f"{where}: {missing} replicas have no node",
            "add a node; on a single one set replicas=0 in the address",
        )
    return Health("green", where)
