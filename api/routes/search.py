"""POST /v1/search: JSON, or multipart with example files."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.schema import SearchAnswer, SearchRequest, answer_json, whole_schema
from crossmedia.api.uploads import plain_name
from crossmedia.retrieval.query import Example

router = APIRouter(prefix="/v1", tags=["search"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": whole_schema(SearchRequest)},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "query": {"type": "string", "description": "The JSON object, as text."},
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            },
        },
    }
}


@router.post("/search", response_model=SearchAnswer, responses=ERRORS, openapi_extra=_BODY)
async def search(request: Request, shared: Shared) -> JSONResponse:
    """The moments that answer, best first, each with the evidence why; none where nothing matches."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=16, max_fields=16) as form:
            spec = _parse(form.get("query") or "{}")
            files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
            gate = shared.file_gate if files else shared.gate
            answer = await gate.run(lambda: _answer(shared, spec, files))
    else:
        spec = _parse(await request.body())
        answer = await shared.gate.run(lambda: _answer(shared, spec, []))
    return JSONResponse(answer)


def _parse(body: Any) -> SearchRequest:
    if not isinstance(body, str | bytes):
        raise InvalidRequest("query: must be JSON text, not a file", "send the files as parts named file")
    return SearchRequest.of(body)


def _answer(shared: Any, spec: SearchRequest, files: list[UploadFile]) -> dict[str, Any]:
    weights = spec.weights(len(files))
    names = [plain_name(file.filename) for file in files]
    with ExitStack() as stack:
        examples: list[Example] = []
        for name, weight, file in zip(names, weights, files, strict=True):
            path, _ = stack.enter_context(shared.service.uploads.temporary(name, file.file))
            examples.append(shared.service.example(path, weight, name))
        return answer_json(shared.service.search(spec.query(examples)))
