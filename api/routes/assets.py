"""/v1/assets: put media in, look at them, take them out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from crossmedia.api.ingest import files_json
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.content import Content
from crossmedia.api.routes.jobs import JobOut, job_json
from crossmedia.api.schema import Name, asset_json
from crossmedia.api.uploads import Part, below_roots, within
from crossmedia.embeddings.catalog import sha256
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.enrich import SourceGone
from crossmedia.indexer.enrichers.registry import require
from crossmedia.indexer.queue import Job
from crossmedia.indexer.scan import Found
from crossmedia.retrieval.captions import MEDIA_TYPES, Format, written
from crossmedia.retrieval.documents import MOTION, PREVIEW, Moment, Source
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import NotFound

router = APIRouter(prefix="/v1", tags=["assets"], responses=ERRORS)
MAX_FILES = 1000
PLAYABLE = ("image/", "audio/", "video/", "application/pdf")
"""What a browser may show in place; everything else is handed over as a download."""


class IndexRequest(BaseModel):
    """A file or folder below one of the service's roots."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "/media/photos/2024"}]})

    path: str
    collection: Name = "default"
    without: list[Name] = Field([], max_length=100)


class AssetList(BaseModel):
    assets: list[dict[str, Any]]


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": IndexRequest.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "path": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "What each file is to be called, in their order; their names if left out.",
                        },
                        "collection": {"type": "string", "default": "default"},
                        "without": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
        },
    }
}


@router.post("/assets", status_code=202, response_model=JobOut, openapi_extra=_BODY)
async def put(request: Request, shared: Shared, response: Response) -> dict[str, Any]:
    """Accept files (multipart, parts named `file`) or a path below a root (JSON); answers with the job that indexes
    them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=MAX_FILES, max_fields=MAX_FILES + 100) as form:
            job = await run_in_threadpool(_keep, shared, form)
    else:
        try:
            named = IndexRequest.model_validate_json(await request.body())
        except ValidationError as error:
            raise InvalidRequest.of(error) from error
        job = await run_in_threadpool(_name, shared, named)
    shared.wake()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_json(job)


def _keep(shared: Shared, form: FormData) -> Job:
    files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
    paths: list[Any] = form.getlist("path") or [None] * len(files)
    if not files:
        raise InvalidRequest("no part named file", "send each file as a part named file")
    if len(paths) != len(files) or any(isinstance(path, UploadFile) for path in paths):
        raise InvalidRequest(f"{len(paths)} paths for {len(files)} files", "send one for each, or none")
    parts = [Part.of(file.filename, path, file.file) for file, path in zip(files, paths, strict=True)]
    about = {
        "collection": str(form.get("collection") or "default"),
        "without": [str(name) for name in form.getlist("without")],
    }
    require(about["without"])

    def accept(kept: list[Found]) -> Job:
        return shared.service.jobs.submit("index", {"uploads": files_json(kept), **about})

    return shared.service.uploads.keep(parts, accept)


def _name(shared: Shared, named: IndexRequest) -> Job:
    require(named.without)
    path = below_roots(named.path, shared.service.settings.roots)
    roots = list(shared.service.settings.roots)
    payload = {"paths": [str(path)], "within": roots, "collection": named.collection, "without": named.without}
    return shared.service.jobs.submit("index", payload)


@router.get("/assets", response_model=AssetList)
def several(
    shared: Shared,
    media: Medium | None = None,
    collection: Name | None = None,
    path: Name | None = None,
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0, le=2**31),
) -> dict[str, Any]:
    """Assets in the order they came."""
    filters = Filters(media=(media,) if media else (), collection=collection, path=path)
    return {
        "assets": [
            asset_json(a, shared.service.store.sources(a.id), [])
            for a in shared.service.store.assets(filters, limit, offset)
        ]
    }


@router.get("/assets/{asset}", response_model=dict[str, Any])
def one(asset: str, shared: Shared) -> dict[str, Any]:
    """What is known of an asset: where it lies, its moments, their words and labels."""
    store = shared.service.store
    found = shared.service.resolve(asset)
    described = store.asset(found)
    if described is None:
        raise NotFound(f"no asset {asset}", "it was removed just now")
    return asset_json(described, store.sources(found), store.moments(found))


@router.delete("/assets/{asset}", response_model=dict[str, Literal[True] | str])
def delete(asset: str, shared: Shared) -> dict[str, Any]:
    """Remove it from the index, and its file if it was uploaded; files indexed by path stay where they are."""
    found = shared.service.resolve(asset)
    shared.service.delete([found])
    return {"deleted": True, "asset": found}


@router.get("/assets/{asset}/transcript", response_class=Response)
def transcript(asset: str, shared: Shared, format: Format = "json") -> Response:
    """What is said in it and when: `json` with words and speakers, `vtt` or `srt` subtitles, plain `text`."""
    told = written(shared.service.store.moments(_served(shared, asset)), format)
    return JSONResponse(told) if isinstance(told, dict) else Response(told, media_type=MEDIA_TYPES[format])


@router.get("/assets/{asset}/preview", response_class=Response)
def preview(asset: str, shared: Shared) -> Response:
    """A video in small: its key frames as an animated WebP."""
    webp = shared.service.store.attachment(_served(shared, asset), PREVIEW)
    if webp is None:
        raise NotFound(f"no preview of {asset}", "only videos of several key frames have one")
    return Response(webp, media_type="image/webp", headers={"Cache-Control": "max-age=86400"})


@router.get("/assets/{asset}/masks/{name}", response_class=Response)
def area(asset: str, name: Name, shared: Shared) -> Response:
    """Where in the picture an area is (`sky`, `grass`, …): a grey PNG, 255 there and 0 elsewhere, its longer side at
    most 1,024; of a video the key frame that has most of it."""
    # Opening the networks costs time and memory that an index without pictures has no use for.
    from crossmedia.api.masks import mask
    from crossmedia.embeddings.segmentation import shared_segmenter

    service = shared.service
    segmenter = shared_segmenter(service.catalog, service.settings.threads)
    drawn = mask(service.store, service.pool, segmenter, _served(shared, asset), name)
    png = io.BytesIO()
    drawn.save(png, "PNG")
    return Response(png.getvalue(), media_type="image/png")


@router.get("/assets/{asset}/motion", response_class=Response)
def motion(asset: str, shared: Shared) -> Response:
    """How much moves in a video: `times` in s and the `energy` in [0, 1] at each."""
    curve = shared.service.store.attachment(shared.service.resolve(asset), MOTION)
    if curve is None:
        raise NotFound(f"no motion curve of {asset}", "only videos have one")
    return Response(curve, media_type="application/json")


@router.head("/assets/{asset}/content", include_in_schema=False)
@router.get("/assets/{asset}/content", response_class=FileResponse)
def content(asset: str, shared: Shared) -> Content:
    """The file's bytes; ranges are answered, so that a player can jump."""
    store, roots = shared.service.store, shared.service.settings.roots
    found = _served(shared, asset)
    described = store.asset(found)
    for source in store.sources(found):
        path = Path(source.location)
        # A link may have been put where the file was: it is followed only to what the service may read anyway.
        if path.resolve() != path and not within(path.resolve(), roots):
            continue
        if described is not None and unchanged(path, source, asset=described.id):
            shown = "inline" if described.mime.startswith(PLAYABLE) and "svg" not in described.mime else "attachment"
            return Content(path, media_type=described.mime, filename=path.name, content_disposition_type=shown)
    raise SourceGone(f"the file of {asset} is not where it was indexed", "index it again where it lies now")


def _served(shared: Shared, asset: str) -> str:
    """The asset whose id starts so; raises NotFound, Ambiguous, Blocked."""
    found = shared.service.resolve(asset)
    shared.service.moderation.require_served(found)
    return found


def unchanged(path: Path, source: Source, asset: str) -> bool:
    """Whether the asset's bytes lie there still: as long as they were, and last written when they were, or the same all
    the same. Where an imported archive says that they lie, any file may be of their length."""
    try:
        status = path.stat()
        if not path.is_file() or status.st_size != source.size:
            return False
        return status.st_mtime_ns == source.mtime_ns or sha256(path) == asset
    except OSError:
        return False


@router.get("/assets/{asset}/thumbnail", response_class=Response)
def thumbnail(
    asset: str,
    shared: Shared,
    moment: str | None = None,
    at: Annotated[float | None, Query(ge=0, description="Of a video: what is seen at this second.")] = None,
) -> Response:
    """A small JPEG of the asset, or of one of its moments."""
    store = shared.service.store
    found = _served(shared, asset)
    if moment is None and at is not None:
        moment = _seen_at(store.moments(found), at)
    jpeg = store.cover(found) if moment is None else store.thumbnail(moment) if moment.startswith(found) else None
    if jpeg is None:
        raise NotFound(f"no thumbnail of {asset}", "sounds and texts have none")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})


def _seen_at(moments: list[Moment], second: float) -> str | None:
    """The key frame, or the shot that has only one, that is seen at a second; None where nothing is seen."""
    seen = [(m.start, m.kind == "frame", m.id) for m in moments if m.kind in ("shot", "frame") and m.start is not None]
    before = [one for one in seen if one[0] <= second]
    return (max(before) if before else min(seen, default=(0.0, False, None)))[2]
