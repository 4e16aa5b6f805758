"""/v1/assets: put media in, look at them, take them out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.guards import InvalidRequest
from api.routes.common import ERRORS, Shared
from api.routes.jobs import JobOut, job_json
from api.schema import asset_json
from api.uploads import below_roots
from embeddings.media import Medium
from indexer.enrich import SourceGone
from retrieval.query import Filters
from retrieval.store import NotFound

router = APIRouter(prefix="/v1", tags=["assets"], responses=ERRORS)
PLAYABLE = ("image/", "audio/", "video/", "application/pdf")
"""What a browser may show in place; everything else is handed over as a download."""


class IndexRequest(BaseModel):
    """A file or folder below one of the service's roots."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "/media/photos/2024"}]})

    path: str
    collection: str = "default"
    without: list[str] = []


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
    """Accept files (multipart, parts named `file`) or a path below a root (JSON); answers with the job that indexes them."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1000, max_fields=100) as form:
            files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
            if not files:
                raise InvalidRequest("no part named file", "send each file as a part named file")
            without = [str(name) for name in form.getlist("without")]
            shared.service.enrichers(without=without)
            kept = [await run_in_threadpool(shared.uploads.keep, file.filename, file.file) for file in files]
            payload = {
                "uploads": [{**asdict(found), "location": str(found.location)} for found in kept],
                "collection": str(form.get("collection") or "default"),
                "without": without,
            }
    else:
        try:
            named = IndexRequest.model_validate_json(await request.body())
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from error
        shared.service.enrichers(without=named.without)
        path = below_roots(named.path, shared.service.settings.roots)
        if not path.exists():
            raise NotFound(f"{named.path} does not exist", "check the spelling")
        payload = {"paths": [str(path)], "collection": named.collection, "without": named.without}
    job = await run_in_threadpool(shared.service.jobs.submit, "index", payload)
    shared.worker.wake()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_json(job)


@router.get("/assets", response_model=AssetList)
def several(
    shared: Shared,
    media: Medium | None = None,
    collection: str | None = None,
    path: str | None = None,
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0),
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
    store = shared.service.store
    found = shared.service.resolve(asset)
    sources = store.sources(found)
    store.delete([found])
    for source in sources:
        shared.uploads.discard(source.location)
    return {"deleted": True, "asset": found}


@router.get("/assets/{asset}/content", response_class=FileResponse)
def content(asset: str, shared: Shared) -> FileResponse:
    """The file's bytes; ranges are answered, so that a player can jump."""
    store = shared.service.store
    found = shared.service.resolve(asset)
    described = store.asset(found)
    for source in store.sources(found):
        path = Path(source.location)
        if described is not None and path.is_file() and path.stat().st_size == described.size:
            shown = "inline" if described.mime.startswith(PLAYABLE) and "svg" not in described.mime else "attachment"
            headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
            return FileResponse(
                path, media_type=described.mime, filename=path.name, content_disposition_type=shown, headers=headers
            )
    raise SourceGone(f"the file of {asset} is not where it was indexed", "index it again where it lies now")


@router.get("/assets/{asset}/thumbnail", response_class=Response)
def thumbnail(asset: str, shared: Shared, moment: str | None = None) -> Response:
    """A small JPEG of the asset, or of one of its moments."""
    store = shared.service.store
    found = shared.service.resolve(asset)
    wanted = [moment] if moment else [m.id for m in store.moments(found)]
    for candidate in wanted:
        if candidate.startswith(found) and (jpeg := store.thumbnail(candidate)) is not None:
            return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})
    raise NotFound(f"no thumbnail of {asset}", "sounds and texts have none")
