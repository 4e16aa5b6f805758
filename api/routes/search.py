"""POST /v1/search: JSON, or multipart with example files."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from crossmedia.api.forms import opened_form
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.schema import SearchAnswer, SearchRequest, search_answer, whole_schema
from crossmedia.api.state import State
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


@router.post("/search", responses=ERRORS, openapi_extra=_BODY)
async def search(request: Request, shared: Shared) -> SearchAnswer:
    """The moments that answer, best first or as they are to be sorted, each with the evidence why; none where nothing
    matches. Without texts and examples: everything that meets the filters. `next` leads to the next page."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with opened_form(request, max_files=16, max_fields=16) as form:
            spec = _parse(form.get("query") or "{}")
            files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
            gate = shared.file_gate if files else shared.gate
            return await gate.run(lambda: _answer(shared, spec, files))
    spec = _parse(await request.body())
    return await shared.gate.run(lambda: _answer(shared, spec, []))


def _parse(body: Any) -> SearchRequest:
    if not isinstance(body, str | bytes):
        raise InvalidRequest("query: must be JSON text, not a file", "send the files as parts named file")
    return SearchRequest.of(body)


def _answer(shared: State, spec: SearchRequest, files: list[UploadFile]) -> SearchAnswer:
    weights = spec.weights(len(files))
    names = [plain_name(file.filename) for file in files]
    with ExitStack() as stack:
        examples: list[Example] = []
        for name, weight, file in zip(names, weights, files, strict=True):
            path, _ = stack.enter_context(shared.service.runtime.uploads.temporary(name, file.file))
            examples.append(shared.service.searching.example(path, weight, name))
        return search_answer(shared.service.searching.search(spec.query(examples)))
