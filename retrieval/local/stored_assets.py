"""Whole assets, with who made what of them: read from a local store, and written as they were held elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from crossmedia.embeddings.encoder import Vector
from crossmedia.retrieval.documents import Label
from crossmedia.retrieval.local import reads, writes
from crossmedia.retrieval.local.database import Database
from crossmedia.retrieval.local.rows import from_blob, to_label, to_moment
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment

PAGE = 1_000


def asset_ids(database: Database) -> Iterator[str]:
    """In the order in which they came, a page at a time: no snapshot is held meanwhile."""
    last = 0
    while True:
        rows = (
            database.connection()
            .execute("SELECT id, hash FROM asset WHERE id > ? ORDER BY id LIMIT ?", (last, PAGE))
            .fetchall()
        )
        if not rows:
            return
        yield from (row["hash"] for row in rows)
        last = rows[-1]["id"]


def read(connection: sqlite3.Connection, assets: Sequence[str], heavy: bool = True) -> list[StoredAsset]:
    """All that is held of these assets, in their order; vectors, thumbnails and attachments only if `heavy`."""
    placed = reads.placed(connection, assets)
    known = [asset for asset in dict.fromkeys(assets) if asset in placed]
    moments: dict[str, list[StoredMoment]] = {asset: [] for asset in known}
    attachments: dict[str, dict[str, bytes]] = {asset: {} for asset in known}
    done: dict[str, list[Done]] = {asset: [] for asset in known}
    for some in reads.batches(known):
        of_these = f"JOIN asset a ON a.id = x.asset WHERE a.hash IN ({reads.marks(some)})"
        rows = connection.execute(f"SELECT x.*, a.hash FROM moment x {of_these} ORDER BY x.id", some).fetchall()
        for asset, held in _moments(connection, rows, heavy):
            moments[asset].append(held)
        attached = f"SELECT a.hash, x.name, x.data FROM attachment x {of_these}"
        for row in connection.execute(attached, some) if heavy else ():
            attachments[row["hash"]][row["name"]] = bytes(row["data"])
        for row in connection.execute(f"SELECT x.*, a.hash FROM enrichment x {of_these} ORDER BY x.enricher", some):
            error = json.loads(row["error"]) if row["error"] else None
            done[row["hash"]].append(Done(row["enricher"], row["model"], error, tuple(row["fields"].split())))
    return [
        StoredAsset(
            placed[asset][0], tuple(placed[asset][1]), tuple(moments[asset]), attachments[asset], tuple(done[asset])
        )
        for asset in known
    ]


def restore(connection: sqlite3.Connection, stored_asset: StoredAsset) -> None:
    """This and nothing else is held of the asset afterwards."""
    asset = writes.keep_asset(connection, stored_asset.asset)
    for table in ("moment", "attachment", "enrichment", "source"):
        connection.execute(f"DELETE FROM {table} WHERE asset = ?", (asset,))
    for held in stored_asset.moments:
        writes.keep_moment(connection, asset, held)
    connection.executemany(
        "INSERT INTO attachment VALUES (?, ?, ?)",
        [(asset, name, data) for name, data in stored_asset.attachments.items()],
    )
    for done in stored_asset.done:
        writes.keep_done(connection, asset, done)
    for source in stored_asset.sources:
        writes.keep_source(connection, asset, source)


def _moments(
    connection: sqlite3.Connection, rows: Sequence[sqlite3.Row], heavy: bool
) -> Iterator[tuple[str, StoredMoment]]:
    """Rows of `moment` with their asset's hash → that, and the moment, whole if `heavy`."""
    labels: dict[int, list[tuple[Label, str | None]]] = {}
    vectors: dict[int, dict[str, tuple[Vector, str | None]]] = {}
    thumbnails: dict[int, bytes] = {}
    for some in reads.batches([row["id"] for row in rows]):
        of_these = f"WHERE moment IN ({reads.marks(some)})"
        for row in connection.execute(f"SELECT * FROM label {of_these} ORDER BY score DESC, rowid", some):
            labels.setdefault(row["moment"], []).append((to_label(row), row["maker"]))
        if not heavy:
            continue
        for row in connection.execute(f"SELECT * FROM vector {of_these} ORDER BY id", some):
            space = row["field"].partition("/")[0]
            vectors.setdefault(row["moment"], {})[space] = (from_blob(row["data"]), row["maker"])
        for row in connection.execute(f"SELECT * FROM thumbnail {of_these}", some):
            thumbnails[row["moment"]] = bytes(row["jpeg"])
    for row in rows:
        number = row["id"]
        said, seen = labels.get(number, []), vectors.get(number, {})
        moment = to_moment(
            row,
            [label for label, _ in said],
            {space: vector for space, (vector, _) in seen.items()},
            thumbnails.get(number),
        )
        yield (
            row["hash"],
            StoredMoment(
                moment,
                row["maker"],
                {space: maker for space, (_, maker) in seen.items()},
                tuple(maker for _, maker in said),
            ),
        )
