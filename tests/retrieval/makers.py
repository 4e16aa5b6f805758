"""Documents for store and engine tests, made from words and numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from embeddings.encoder import Space, Vector, normalise
from retrieval.documents import Asset, Document, Kind, Label, Moment, Source, moment_id

DIM = 16
SPACES = [Space(name, DIM, "test", "1", "none") for name in ("common", "picture", "sound", "text")]


def unit(seed: int, dim: int = DIM) -> Vector:
    return normalise(np.random.default_rng(seed).standard_normal(dim))


def asset_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def moment(asset: str, kind: Kind = "picture", number: int = 0, **values: Any) -> Moment:
    return Moment(moment_id(asset, kind, number), asset, kind, **values)


def document(
    name: str,
    *,
    collection: str = "default",
    media: Any = "image",
    captured: str | None = None,
    moments: tuple[Moment, ...] | None = None,
    vector: Vector | None = None,
    labels: tuple[Label, ...] = (),
    text: str | None = None,
    folder: str = "photos",
    attachments: Mapping[str, bytes] | None = None,
) -> Document:
    asset = asset_id(name)
    if moments is None:
        vectors = {} if vector is None else {"common": vector, "picture": vector}
        fields = {"title": name, **({"ocr": text} if text else {})}
        moments = (moment(asset, vectors=vectors, labels=labels, fields=fields, thumbnail=b"jpeg" + name.encode()),)
    return Document(
        Asset(asset, media, "image/jpeg", len(name), name, captured, {"width": 4}),
        Source(f"/disk/{folder}/{name}", f"{folder}/{name}", collection, len(name), 1),
        moments,
        attachments or {},
    )
