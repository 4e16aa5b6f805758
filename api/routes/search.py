"""POST /v1/search: JSON, or multipart with example files."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from api.guards import InvalidRequest
from api.routes.common import ERRORS, Shared
from api.schema import SearchAnswer, SearchRequest, answer_json
from api.uploads import plain_name
from retrieval.query import Example

router = APIRouter(prefix="/v1", tags=["search"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": SearchRequest.model_json_schema(ref_template="#/components/schemas/{model}")
            },
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
_BODY["requestBody"]["content"]["application/json"]["schema"].pop("$defs", None)  # type: ignore[index]


@router.post("/search", response_model=SearchAnswer, responses=ERRORS, openapi_extra=_BODY)
async def search(request: Request, shared: Shared) -> JSONResponse:
    """The moments that answer, best first, each with the evidence why; none where nothing matches."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=16, max_fields=16) as form:
            spec = _parse(form.get("query") or "{}")
            files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
            answer = await shared.gate.run(lambda: _answer(shared, spec, files))
    else:
        spec = _parse(await request.body())
        answer = await shared.gate.run(lambda: _answer(shared, spec, []))
    return JSONResponse(answer)


def _parse(body: Any) -> SearchRequest:
    if not isinstance(body, str | bytes):
        raise InvalidRequest("query: must be JSON text, not a file", "send the files as parts named file")
    try:
        return SearchRequest.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _answer(shared: Any, spec: SearchRequest, files: list[UploadFile]) -> dict[str, Any]:
    with ExitStack() as stack:
        examples: list[Example] = []
        for file in files:
            name = plain_name(file.filename)
            path, _ = stack.enter_context(shared.uploads.temporary(name, file.file))
            examples.append(shared.service.example(path, name=name))
        return answer_json(shared.service.search(spec.query(examples)))
