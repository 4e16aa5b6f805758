"""/v1/assets: put media in, look at them, take them out."""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from crossmedia.api.forms import opened_form
from crossmedia.api.ingest import files_json, is_short
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Served, ServedWhole, Shared
from crossmedia.api.routes.content import Content
from crossmedia.api.routes.jobs import JobOut, job_json
from crossmedia.api.schema import AssetOut, Name
from crossmedia.api.uploads import UploadedPart, below_roots
from crossmedia.api.use_cases.pointing import MAX_WORDS, WhereOut
from crossmedia.embeddings.media import Medium
from crossmedia.indexer.enrichers.registry import require
from crossmedia.indexer.queue import Job
from crossmedia.indexer.scan import ScannedFile
from crossmedia.retrieval.captions import MEDIA_TYPES, TranscriptFormat
from crossmedia.retrieval.query import Filters

router = APIRouter(prefix="/v1", tags=["assets"], responses=ERRORS)
MAX_FILES = 1000
DAY = {"Cache-Control": "max-age=86400"}


class IndexRequest(BaseModel):
    """A file or folder below one of the service's roots."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "/media/photos/2024"}]})

    path: str
    collection: Name = "default"
    without: list[Name] = Field([], max_length=100)


class AssetList(BaseModel):
    assets: list[AssetOut]


class Deleted(BaseModel):
    """An asset that is no longer indexed."""

    deleted: Literal[True] = True
    asset: str


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
        declared = request.headers.get("content-length", "0")
        shared.service.runtime.uploads.require_room(int(declared) if declared.isdigit() else 0)
        async with opened_form(request, max_files=MAX_FILES, max_fields=MAX_FILES + 100) as form:
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
    parts = [UploadedPart.of(file.filename, path, file.file) for file, path in zip(files, paths, strict=True)]
    about = {
        "collection": str(form.get("collection") or "default"),
        "without": [str(name) for name in form.getlist("without")],
    }
    require(about["without"])

    def accept(kept: list[ScannedFile]) -> Job:
        payload = {"uploads": files_json(kept), **about}
        return shared.service.runtime.jobs.submit("index", payload, short=is_short(kept))

    return shared.service.runtime.uploads.keep(parts, accept)


def _name(shared: Shared, named: IndexRequest) -> Job:
    require(named.without)
    path = below_roots(named.path, shared.service.runtime.settings.roots)
    roots = list(shared.service.runtime.settings.roots)
    payload = {"paths": [str(path)], "within": roots, "collection": named.collection, "without": named.without}
    return shared.service.runtime.jobs.submit("index", payload)


@router.get("/assets")
def several(
    shared: Shared,
    media: Medium | None = None,
    collection: Name | None = None,
    path: Name | None = None,
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0, le=2**31),
) -> AssetList:
    """Assets in the order they came."""
    filters = Filters(media=(media,) if media else (), collection=collection, path=path)
    return AssetList(assets=shared.service.assets.list_assets(filters, limit, offset))


@router.get("/assets/{asset}")
def one(asset: str, shared: Shared) -> AssetOut:
    """What is known of an asset: where it lies, its moments, their words and labels."""
    return shared.service.assets.get(asset)


@router.delete("/assets/{asset}")
def delete(asset: str, shared: Shared) -> Deleted:
    """Remove it from the index, and its file if it was uploaded; files indexed by path stay where they are."""
    resolved = shared.service.assets.resolve_for_deletion(asset)
    shared.service.assets.delete([resolved])
    return Deleted(asset=resolved)


@router.get("/assets/{asset}/transcript", response_class=Response)
def transcript(asset: Served, shared: Shared, format: TranscriptFormat = "json") -> Response:
    """What is said in it and when: `json` with words and speakers, `vtt` or `srt` subtitles, plain `text`."""
    words = shared.service.assets.transcript(asset, format)
    return JSONResponse(words) if isinstance(words, dict) else Response(words, media_type=MEDIA_TYPES[format])


@router.get("/assets/{asset}/preview", response_class=Response)
def preview(asset: ServedWhole, shared: Shared) -> Response:
    """A video in small: its key frames as an animated WebP."""
    return Response(shared.service.assets.preview(asset), media_type="image/webp", headers=DAY)


@router.get("/assets/{asset}/masks/{name}", response_class=Response)
def area(asset: ServedWhole, name: Name, shared: Shared) -> Response:
    """Where in the picture an area is (`sky`, `grass`, …): a grey PNG, 255 there and 0 elsewhere, its longer side at
    most 1,024; of a video the key frame that has most of it."""
    png = io.BytesIO()
    shared.service.assets.mask(asset, name).save(png, "PNG")
    return Response(png.getvalue(), media_type="image/png")


@router.get("/assets/{asset}/where")
async def where(
    asset: Served,
    words: Annotated[str, Query(min_length=1, max_length=MAX_WORDS, description="What to look for.")],
    shared: Shared,
    moment: Annotated[Name | None, Query(description="Of a video: the key frame or shot to look at.")] = None,
) -> WhereOut:
    """Where words are in a picture, as a map of cells with the best place; of a video in the key frame that is most
    like them. The file is looked at anew, which takes a second or so."""
    return await shared.file_gate.run(lambda: shared.service.pointing.where(asset, words, moment))


@router.get("/assets/{asset}/motion", response_class=Response)
def motion(asset: str, shared: Shared) -> Response:
    """How much moves in a video: `times` in s and the `energy` in [0, 1] at each."""
    return Response(shared.service.assets.motion(asset), media_type="application/json")


@router.head("/assets/{asset}/content", include_in_schema=False)
@router.get("/assets/{asset}/content", response_class=FileResponse)
def content(asset: ServedWhole, shared: Shared) -> Content:
    """The file's bytes; ranges are answered, so that a player can jump."""
    file = shared.service.assets.file(asset)
    shown = "inline" if file.inline else "attachment"
    return Content(file.path, media_type=file.mime, filename=file.path.name, content_disposition_type=shown)


@router.get("/assets/{asset}/thumbnail", response_class=Response)
def thumbnail(
    asset: ServedWhole,
    shared: Shared,
    moment: str | None = None,
    at: Annotated[float | None, Query(ge=0, description="Of a video: what is seen at this second.")] = None,
) -> Response:
    """A small JPEG of the asset, or of one of its moments."""
    return Response(shared.service.assets.thumbnail(asset, moment, at), media_type="image/jpeg", headers=DAY)
