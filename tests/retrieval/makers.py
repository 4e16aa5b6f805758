"""Documents for store and engine tests, made from words and numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossmedia.embeddings.encoder import Space, Vector, normalise
from crossmedia.embeddings.heads import Heads
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.archive import export
from crossmedia.retrieval.documents import (
    Asset,
    Document,
    Enrichment,
    Kind,
    Label,
    Moment,
    Patch,
    Revision,
    Source,
    moment_id,
)
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.store import Store

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


@dataclass
class Decided:
    """A journal of decisions in memory."""

    id: str = "journal"
    entries: list[tuple[str, bool]] = field(default_factory=list)

    def block(self, *names: str) -> None:
        self.entries += [(asset_id(name), True) for name in names]

    def unblock(self, *names: str) -> None:
        self.entries += [(asset_id(name), False) for name in names]

    def last(self) -> int:
        return len(self.entries)

    def since(self, entry: int) -> tuple[int, Mapping[str, bool]]:
        return len(self.entries), dict(self.entries[entry:])


def eventful(store: Store) -> None:
    """A photo, a clip and a page to which everything has happened: put, located, enriched, revised."""
    photo, clip = asset_id("photo"), asset_id("clip")
    shots = tuple(
        moment(
            clip,
            "shot",
            n,
            start=4.0 * n,
            end=4.0 + 3.0 * n,
            vectors={"common": unit(20 + n), "sound": unit(30 + n)},
            labels=(
                Label("scene", "street", 0.25 + n / 3, "m@1"),
                Label("sound", "music", 0.5, "m@1", None, 0.5, 2.25),
            ),
            thumbnail=b"shot" * (n + 1),
        )
        for n in range(2)
    )
    page = moment(
        asset_id("page"), "paragraph", page=3, fields={"title": "page", "text": "İstanbul “naïve” \u2028 日本"}
    )
    store.put(
        [
            document(
                "photo", vector=unit(1), captured="2024-05-01T10:00:00", labels=(Label("scene", "harbour", 0.9, "m@1"),)
            ),
            document("clip", media="video", moments=shots, attachments={"preview": b"webp", "motion": b"{}"}),
            document("page", media="text", collection="papers", moments=(page,)),
            *(document(f"p{n}", vector=unit(100 + n)) for n in range(20)),
        ]
    )
    store.locate(photo, Source("/disk/copies/photo", "copies/photo", "default", 5, 1 << 60))
    exit_sign = Label("text", "exit", 0.8, "o@1", box=(0.1, 0.2, 0.30000000000000004, 0.4))
    sign = Patch(f"{photo}-picture0", {"ocr": "exit sign"}, {"text": unit(4)}, (exit_sign,))
    spoken = moment(
        clip,
        "speech",
        0,
        start=1.5,
        end=2.5,
        fields={"transcript": "hello there"},
        vectors={"text": unit(3)},
        words=(Word("hello", 1.5, 2.0), Word("there", 2.0, 2.5)),
    )
    turn = moment(
        clip, "turn", 0, start=1.0, end=3.0, labels=(Label("speaker", "voice 1b2c-1", 0.9, "s@1", None, 1.0, 3.0),)
    )
    who = Patch(spoken.id, labels=(Label("speaker", "voice 1b2c-1", 0.9, "s@1"),))
    store.enrich(
        [
            Enrichment(photo, "ocr", "o@1", patches=(sign,), spaces=tuple(SPACES)),
            Enrichment(clip, "transcript", "t@1", moments=(spoken,), spaces=tuple(SPACES)),
            Enrichment(clip, "speakers", "s@1", moments=(turn,), patches=(who,)),
            Enrichment(clip, "ocr", "o@1", error={"code": "x", "message": "y", "hint": ""}),
        ]
    )
    store.revise([Revision(photo, "v2", ("common",), {f"{photo}-picture0": {"common": unit(50)}})])
    store.relabel("speaker", "voice 1b2c-1", "Ada")


def write_archive(room: Path) -> Path:
    """An archive of one part, of an eventful store."""
    store = LocalStore(room / "store")
    store.bind(SPACES)
    eventful(store)
    export(store, room / "archive", Heads(room / "heads"))
    store.close()
    return room / "archive"
