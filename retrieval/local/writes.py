"""What the local store writes, each function inside a transaction of the caller's."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from crossmedia.embeddings.encoder import Space, Vector
from crossmedia.retrieval.documents import (
    FIELDS,
    REVISION,
    Asset,
    Document,
    Enrichment,
    Revision,
    Source,
    modality,
)
from crossmedia.retrieval.local import browsing, reads
from crossmedia.retrieval.local.rows import asset_row, blob, label_row, words_json
from crossmedia.retrieval.store import NotFound, check_spaces
from crossmedia.retrieval.stored_asset import Done, StoredMoment, made_by


def put(connection: sqlite3.Connection, document: Document, replace: bool) -> None:
    """The asset with these moments, at this source; one that is there is only located, unless it is to be replaced."""
    row = connection.execute("SELECT id FROM asset WHERE hash = ?", (document.asset.id,)).fetchone()
    if row is not None and not replace:
        keep_source(connection, row[0], document.source)
        return
    asset = keep_asset(connection, document.asset)
    connection.execute("DELETE FROM moment WHERE asset = ?", (asset,))
    connection.execute("DELETE FROM enrichment WHERE asset = ?", (asset,))
    connection.execute("DELETE FROM attachment WHERE asset = ?", (asset,))
    for moment in document.moments:
        keep_moment(connection, asset, made_by(moment, None))
    connection.executemany(
        "INSERT INTO attachment VALUES (?, ?, ?)", [(asset, name, data) for name, data in document.attachments.items()]
    )
    keep_source(connection, asset, document.source)


def enrich(connection: sqlite3.Connection, enrichment: Enrichment) -> None:
    row = connection.execute("SELECT id FROM asset WHERE hash = ?", (enrichment.asset,)).fetchone()
    if row is None:
        return
    asset, maker = row[0], enrichment.enricher
    _retract(connection, asset, maker)
    for moment in enrichment.moments:
        keep_moment(connection, asset, made_by(moment, maker))
    touched: set[str] = set()
    for patch in enrichment.patches:
        found = connection.execute("SELECT id, kind, maker FROM moment WHERE key = ?", (patch.moment,)).fetchone()
        if found is None:
            continue
        for field, text in patch.fields.items():
            if field not in FIELDS:
                raise ValueError(f"no text field {field!r}")
            connection.execute(f"UPDATE moment SET {field} = ? WHERE id = ?", (_composed(text), found["id"]))
            touched.add(field)
        _replace(connection, found, [space for space in enrichment.replaces if space in patch.vectors], patch.vectors)
        for space, vector in patch.vectors.items():
            if space not in enrichment.replaces:
                connection.execute(
                    "INSERT INTO vector (moment, field, maker, data) VALUES (?, ?, ?, ?)",
                    (found["id"], f"{space}/{modality(space, found['kind'])}", maker, blob(vector)),
                )
        connection.executemany(_LABEL, [label_row(found["id"], label, maker) for label in patch.labels])
    done = Done(maker, enrichment.model, enrichment.error, tuple(sorted(touched)))
    keep_done(connection, asset, done)


def bind(connection: sqlite3.Connection, wanted: Sequence[Space]) -> None:
    held = reads.spaces(connection)
    check_spaces(held, wanted)
    for each in wanted:
        if each.name not in held:
            space(connection, each)


def space(connection: sqlite3.Connection, space: Space) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO space VALUES (?, ?, ?, ?, ?)",
        (space.name, space.dim, space.model, space.revision, space.preprocessing),
    )


def revise(connection: sqlite3.Connection, revision: Revision) -> None:
    row = connection.execute("SELECT id FROM asset WHERE hash = ?", (revision.asset,)).fetchone()
    if row is None:
        return
    asset = row[0]
    for found in connection.execute("SELECT id, key, kind, maker FROM moment WHERE asset = ?", (asset,)).fetchall():
        if found["key"] in revision.vectors:
            _replace(connection, found, revision.spaces, revision.vectors[found["key"]])
        if found["key"] in revision.labels:
            connection.execute("DELETE FROM label WHERE moment = ? AND maker IS NULL", (found["id"],))
            rows = [label_row(found["id"], label, None) for label in revision.labels[found["key"]]]
            connection.executemany(_LABEL, rows)
    connection.executemany(
        "DELETE FROM enrichment WHERE enricher = ? AND asset = ?", [(maker, asset) for maker in revision.undone]
    )
    connection.execute(
        "INSERT OR REPLACE INTO enrichment (asset, enricher, model, error, fields) VALUES (?, ?, ?, NULL, '')",
        (asset, REVISION, revision.model),
    )


def locate(connection: sqlite3.Connection, asset: str, source: Source, instead_of: str | None) -> None:
    row = connection.execute("SELECT id FROM asset WHERE hash = ?", (asset,)).fetchone()
    if row is None:
        raise NotFound(f"no asset {asset}", "crossmedia status lists what is indexed")
    keep_source(connection, row[0], source)
    if instead_of is not None:
        _retitle(connection, row[0], instead_of, source)
        connection.execute("DELETE FROM source WHERE collection = ? AND location = ?", (source.collection, instead_of))
        browsing.arrange(connection, row[0])


def forget(connection: sqlite3.Connection, locations: Sequence[str], collection: str) -> list[str]:
    deleted = []
    for location in locations:
        row = connection.execute(
            "SELECT s.asset, a.hash FROM source s JOIN asset a ON a.id = s.asset WHERE s.collection = ? AND "
            "s.location = ?",
            (collection, location),
        ).fetchone()
        if row is None:
            continue
        connection.execute("DELETE FROM source WHERE collection = ? AND location = ?", (collection, location))
        if _drop_if_nowhere(connection, row[0]):
            deleted.append(row[1])
        else:
            browsing.arrange(connection, row[0])
    return deleted


def delete(connection: sqlite3.Connection, asset: str) -> bool:
    return connection.execute("DELETE FROM asset WHERE hash = ?", (asset,)).rowcount > 0


def _composed(text: str | None) -> str | None:
    """Letters with their accents as one character, as queries have them."""
    return None if text is None else unicodedata.normalize("NFC", text)


_LABEL = "INSERT INTO label VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def keep_asset(connection: sqlite3.Connection, asset: Asset) -> int:
    row = connection.execute(
        """INSERT INTO asset (hash, media, mime, size, title, captured, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (hash) DO UPDATE SET media = excluded.media, mime = excluded.mime, size = excluded.size,
        title = excluded.title, captured = excluded.captured, metadata = excluded.metadata RETURNING id""",
        asset_row(asset),
    ).fetchone()
    return int(row[0])


def keep_moment(connection: sqlite3.Connection, asset: int, held: StoredMoment) -> None:
    moment = held.moment
    values = [_composed(moment.fields.get(field)) for field in FIELDS]
    row = connection.execute(
        """INSERT INTO moment (key, asset, kind, start, "end", page, title, text, transcript, ocr, description, words,
        maker) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            moment.id,
            asset,
            moment.kind,
            moment.start,
            moment.end,
            moment.page,
            *values,
            words_json(moment.words),
            held.maker,
        ),
    )
    number = row.lastrowid
    assert number is not None
    connection.executemany(
        "INSERT INTO vector (moment, field, maker, data) VALUES (?, ?, ?, ?)",
        [
            (number, f"{space}/{modality(space, moment.kind)}", held.vectors[space], blob(vector))
            for space, vector in moment.vectors.items()
        ],
    )
    rows = [label_row(number, label, maker) for label, maker in zip(moment.labels, held.labels, strict=True)]
    connection.executemany(_LABEL, rows)
    if moment.thumbnail is not None:
        connection.execute("INSERT INTO thumbnail VALUES (?, ?)", (number, moment.thumbnail))


def keep_done(connection: sqlite3.Connection, asset: int, done: Done) -> None:
    for field in done.fields:
        if field not in FIELDS:
            raise ValueError(f"no text field {field!r}")
    error = json.dumps(dict(done.error)) if done.error else None
    connection.execute(
        "INSERT INTO enrichment (asset, enricher, model, error, fields) VALUES (?, ?, ?, ?, ?)",
        (asset, done.enricher, done.model, error, " ".join(done.fields)),
    )


def _replace(
    connection: sqlite3.Connection, moment: sqlite3.Row, spaces: Sequence[str], vectors: Mapping[str, Vector]
) -> None:
    """The moment has these vectors in these spaces, and no others. They are of whom the old ones were, so that an
    enricher can still retract its own."""
    for space in spaces:
        field = f"{space}/{modality(space, moment['kind'])}"
        old = connection.execute("SELECT maker FROM vector WHERE moment = ? AND field = ?", (moment["id"], field))
        row = old.fetchone()
        connection.execute("DELETE FROM vector WHERE moment = ? AND field = ?", (moment["id"], field))
        if space in vectors:
            connection.execute(
                "INSERT INTO vector (moment, field, maker, data) VALUES (?, ?, ?, ?)",
                (moment["id"], field, row["maker"] if row else moment["maker"], blob(vectors[space])),
            )


def _retract(connection: sqlite3.Connection, asset: int, maker: str) -> None:
    """Remove everything an enricher has said of an asset."""
    connection.execute("DELETE FROM moment WHERE asset = ? AND maker = ?", (asset, maker))
    for table in ("vector", "label"):
        connection.execute(
            f"DELETE FROM {table} WHERE maker = ? AND moment IN (SELECT id FROM moment WHERE asset = ?)",
            (maker, asset),
        )
    row = connection.execute(
        "SELECT fields FROM enrichment WHERE enricher = ? AND asset = ?", (maker, asset)
    ).fetchone()
    for field in row[0].split() if row else ():
        connection.execute(f"UPDATE moment SET {field} = NULL WHERE asset = ?", (asset,))
    connection.execute("DELETE FROM enrichment WHERE enricher = ? AND asset = ?", (maker, asset))


def keep_source(connection: sqlite3.Connection, asset: int, source: Source) -> None:
    row = connection.execute(
        "SELECT asset FROM source WHERE collection = ? AND location = ?", (source.collection, source.location)
    ).fetchone()
    connection.execute(
        """INSERT INTO source (location, path, collection, asset, size, mtime_ns) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (collection, location) DO UPDATE SET path = excluded.path, asset = excluded.asset,
        size = excluded.size, mtime_ns = excluded.mtime_ns""",
        (source.location, source.path, source.collection, asset, source.size, source.mtime_ns),
    )
    browsing.arrange(connection, asset)
    if row is not None and row[0] != asset and not _drop_if_nowhere(connection, row[0]):
        browsing.arrange(connection, row[0])


def _retitle(connection: sqlite3.Connection, asset: int, old: str, source: Source) -> None:
    """A file that was called by its name is called by its new one."""
    before, after = PurePath(old).name, PurePath(source.path).name
    connection.execute("UPDATE asset SET title = ? WHERE id = ? AND title = ?", (after, asset, before))
    connection.execute(
        "UPDATE moment SET title = replace(title, ?, ?) WHERE asset = ? AND title IS NOT NULL", (before, after, asset)
    )


def _drop_if_nowhere(connection: sqlite3.Connection, asset: int) -> bool:
    return (
        connection.execute(
            "DELETE FROM asset WHERE id = ? AND NOT EXISTS (SELECT 1 FROM source WHERE source.asset = asset.id)",
            (asset,),
        ).rowcount
        > 0
    )
