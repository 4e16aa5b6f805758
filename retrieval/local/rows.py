"""Rows of the database as documents, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.documents import FIELDS, Asset, Label, Moment, Source


def asset_row(asset: Asset) -> tuple[Any, ...]:
    return (
        asset.id,
        asset.media,
        asset.mime,
        asset.size,
        asset.title,
        asset.captured,
        json.dumps(dict(asset.metadata), ensure_ascii=False),
    )


def to_asset(row: sqlite3.Row) -> Asset:
    return Asset(
        row["hash"], row["media"], row["mime"], row["size"], row["title"], row["captured"], json.loads(row["metadata"])
    )


def to_source(row: sqlite3.Row) -> Source:
    return Source(row["location"], row["path"], row["collection"], row["size"], row["mtime_ns"])


def words_json(words: Sequence[Word]) -> str | None:
    return (
        json.dumps([[w.text, round(w.start, 3), round(w.end, 3)] for w in words], ensure_ascii=False) if words else None
    )


def label_row(moment: int, label: Label, maker: str | None) -> tuple[Any, ...]:
    box = json.dumps(label.box) if label.box else None
    return (moment, label.kind, label.value, label.score, label.model, box, label.start, label.end, maker)


def to_label(row: sqlite3.Row) -> Label:
    x = json.loads(row["box"]) if row["box"] else None
    return Label(
        row["kind"],
        row["value"],
        row["score"],
        row["model"],
        (x[0], x[1], x[2], x[3]) if x else None,
        row["start"],
        row["end"],
    )


def to_moment(
    row: sqlite3.Row,
    labels: Iterable[Label],
    vectors: Mapping[str, Vector] | None = None,
    thumbnail: bytes | None = None,
) -> Moment:
    """A row of `moment` joined with its asset's hash."""
    return Moment(
        id=row["key"],
        asset=row["hash"],
        kind=row["kind"],
        start=row["start"],
        end=row["end"],
        page=row["page"],
        fields={f: row[f] for f in FIELDS if row[f]},
        vectors=vectors or {},
        labels=tuple(labels),
        words=tuple(Word(*w) for w in json.loads(row["words"])) if row["words"] else (),
        thumbnail=thumbnail,
    )


def blob(vector: Vector) -> bytes:
    return np.ascontiguousarray(vector, dtype=np.float32).tobytes()


def from_blob(data: bytes) -> Vector:
    return np.frombuffer(data, dtype=np.float32)
