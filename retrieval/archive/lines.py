"""One line of JSON for each asset: everything that is held of it but vectors and pictures, which it refers to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, JsonValue, field_validator, model_validator

from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval.archive.blobs import attachment_name, thumbnail_name
from crossmedia.retrieval.archive.manifest import Natural, SpaceName, Strict
from crossmedia.retrieval.documents import PARTS, Asset, Kind, Label, Moment, Source
from crossmedia.retrieval.places import originals
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment

MAX_LINE_BYTES: Final = 256 << 20
"""Bytes of a line."""
_ID: Final = re.compile(r"(?P<asset>[0-9a-f]+)-(?:(?P<whole>[a-z]+)[0-9]{1,9}\.)?(?P<kind>[a-z]+)[0-9]{1,9}")

AssetId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]
Maker = Annotated[str, Field(pattern=r"^[^\x00]{1,200}\z")]
TextField = Literal["title", "text", "transcript", "ocr", "description"]
Whole = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Mime = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}\z")]


class AssetLine(Strict):
    id: AssetId
    media: Medium
    mime: Mime
    size: Natural
    title: str
    captured: str | None = None
    metadata: dict[str, JsonValue] = Field({})

    @field_validator("metadata")
    @classmethod
    def _is_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        json.dumps(value, allow_nan=False)
        return value


class SourceLine(Strict):
    location: str
    path: str
    collection: str
    size: Natural
    mtime_ns: Whole

    @field_validator("location")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        # A path as it was where the archive comes from; `places` says what it is here.
        if not PurePath(value).is_absolute() or ".." in PurePath(value).parts or "\x00" in value:
            raise ValueError("not an absolute path without ..")
        return value


class LabelLine(Strict):
    kind: str
    value: str
    score: float
    model: str
    box: tuple[float, float, float, float] | None = None
    start: float | None = None
    end: float | None = None
    maker: Maker | None = None


class VectorLine(Strict):
    row: Natural
    maker: Maker | None = None


class MomentLine(Strict):
    id: str
    kind: Kind
    start: float | None = None
    end: float | None = None
    page: Whole | None = None
    fields: dict[TextField, str] = Field({})
    maker: Maker | None = None
    vectors: dict[SpaceName, VectorLine] = Field({})
    """Each space's rows are referred to in their order, each once."""
    labels: tuple[LabelLine, ...] = ()
    words: tuple[tuple[str, float, float], ...] = ()
    thumbnail: bool = False
    """Whether there is one, in the part's tar."""


class DoneLine(Strict):
    enricher: Maker
    model: str
    error: dict[str, str] | None = None
    fields: tuple[TextField, ...] = ()


class ArchiveLine(Strict):
    """In the tar are the attachments, in their order, then the thumbnails in the order of the moments."""

    asset: AssetLine
    sources: Annotated[tuple[SourceLine, ...], Field(min_length=1)]
    moments: tuple[MomentLine, ...]
    attachments: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\z")], ...] = ()
    done: tuple[DoneLine, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> ArchiveLine:
        for moment in self.moments:
            told = _ID.fullmatch(moment.id)
            fits = told is not None and (told["asset"], told["kind"]) == (self.asset.id, moment.kind)
            if not fits or (told is not None and (told["whole"] is not None) != (moment.kind in PARTS)):
                raise ValueError(f"a {moment.kind} of this asset cannot have the id {moment.id[:100]!r}")
        for what, several in (
            ("moment", [moment.id for moment in self.moments]),
            ("attachment", list(self.attachments)),
            ("enricher", [done.enricher for done in self.done]),
            ("path", [(source.collection, source.location) for source in self.sources]),
        ):
            if len(set(several)) < len(several):
                raise ValueError(f"the same {what} twice")
        return self


class NamedAsset(BaseModel):
    id: AssetId


class Named(BaseModel):
    """A line of which nothing but the asset's id is looked at."""

    asset: NamedAsset


def to_line(stored_asset: StoredAsset, put: Callable[[str, Vector], int], keep: Callable[[str, bytes], None]) -> bytes:
    """`put` takes a vector of a space and returns its row, `keep` takes a thumbnail or attachment by its name in the
    tar.

    Raises ValueError (of which pydantic's ValidationError is one) for what could not be read back."""
    asset = stored_asset.asset
    for name, data in stored_asset.attachments.items():
        keep(attachment_name(asset.id, name), data)
    line = ArchiveLine(
        asset=AssetLine(
            id=asset.id,
            media=asset.media,
            mime=asset.mime,
            size=asset.size,
            title=asset.title,
            captured=asset.captured,
            metadata=dict(asset.metadata),
        ),
        sources=tuple(
            SourceLine(location=location, path=s.path, collection=s.collection, size=s.size, mtime_ns=s.mtime_ns)
            for location, s in originals(stored_asset.sources)
        ),
        moments=tuple(_to_moment(held, put, keep) for held in stored_asset.moments),
        attachments=tuple(stored_asset.attachments),
        done=tuple(
            DoneLine(enricher=d.enricher, model=d.model, error=dict(d.error) if d.error else None, fields=d.fields)  # type: ignore[arg-type]
            for d in stored_asset.done
        ),
    )
    text = line.model_dump_json(exclude_defaults=True).encode()
    if len(text) >= MAX_LINE_BYTES:
        raise ValueError(f"a line of {len(text):,} bytes")
    return text + b"\n"


def to_holding(text: bytes, row: Callable[[str, int], Vector], blob: Callable[[str], bytes]) -> StoredAsset:
    """`row` gives the vector of a space by its row, `blob` the next member of the tar, which has this name.

    Raises pydantic's ValidationError, and what these raise."""
    line = ArchiveLine.model_validate_json(text)
    asset = Asset(**{**dict(line.asset), "metadata": line.asset.metadata})
    return StoredAsset(
        asset,
        tuple(Source(**dict(source)) for source in line.sources),
        attachments={name: blob(attachment_name(asset.id, name)) for name in line.attachments},
        moments=tuple(_from_moment(asset.id, moment, row, blob) for moment in line.moments),
        done=tuple(Done(**dict(done)) for done in line.done),
    )


def _to_moment(held: StoredMoment, put: Callable[[str, Vector], int], keep: Callable[[str, bytes], None]) -> MomentLine:
    moment = held.moment
    if moment.thumbnail is not None:
        keep(thumbnail_name(moment.id), moment.thumbnail)
    return MomentLine(
        id=moment.id,
        kind=moment.kind,
        start=moment.start,
        end=moment.end,
        page=moment.page,
        fields=dict(moment.fields),  # type: ignore[arg-type]
        maker=held.maker,
        vectors={
            space: VectorLine(row=put(space, vector), maker=held.vectors[space])
            for space, vector in moment.vectors.items()
        },
        labels=tuple(
            LabelLine(
                kind=label.kind,
                value=label.value,
                score=label.score,
                model=label.model,
                box=label.box,
                start=label.start,
                end=label.end,
                maker=maker,
            )
            for label, maker in zip(moment.labels, held.labels, strict=True)
        ),
        words=tuple((word.text, word.start, word.end) for word in moment.words),
        thumbnail=moment.thumbnail is not None,
    )


def _from_moment(
    asset: str, line: MomentLine, row: Callable[[str, int], Vector], blob: Callable[[str], bytes]
) -> StoredMoment:
    labels = [{**dict(label)} for label in line.labels]
    makers = tuple(label.pop("maker") for label in labels)
    moment = Moment(
        line.id,
        asset,
        line.kind,
        line.start,
        line.end,
        line.page,
        dict[str, str](line.fields.items()),
        {space: row(space, vector.row) for space, vector in line.vectors.items()},
        tuple(Label(**label) for label in labels),
        tuple(Word(*word) for word in line.words),
        blob(thumbnail_name(line.id)) if line.thumbnail else None,
    )
    return StoredMoment(moment, line.maker, {space: vector.maker for space, vector in line.vectors.items()}, makers)
