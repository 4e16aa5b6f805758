"""Requests that bring a file or two, which are looked at and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from fastapi import Request
from starlette.datastructures import UploadFile

from crossmedia.api.comparing import Verified
from crossmedia.api.forms import opened_form
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.state import State
from crossmedia.api.uploads import plain_name

ResultT = TypeVar("ResultT")
_FILE: Final = {"type": "string", "format": "binary"}


def multipart(file: dict[str, Any]) -> dict[str, Any]:
    """The schema of a multipart body with a part `file`."""
    return {"schema": {"type": "object", "required": ["file"], "properties": {"file": file}}}


ONE: Final = {"multipart/form-data": multipart(_FILE)}
"""The content of a request that brings a file."""
TWO: Final = {"multipart/form-data": multipart({"type": "array", "minItems": 2, "maxItems": 2, "items": _FILE})}


def body(content: dict[str, Any]) -> dict[str, Any]:
    """What a route tells of a body that it reads itself, for `openapi_extra`."""
    return {"requestBody": {"required": True, "content": content}}


async def of_two(request: Request, shared: State, what: str, verify: Callable[[Path, Path], Verified]) -> Verified:
    """What `verify` says of the two parts named `file`, which are kept nowhere; raises InvalidRequest where there are
    not two."""
    async with opened_form(request, max_files=2, max_fields=2) as form:
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if len(files) != 2:
            raise InvalidRequest(f"{len(files)} files", f"send two {what} as parts named file")

        def compare() -> Verified:
            with ExitStack() as stack:
                one, other = (
                    stack.enter_context(shared.service.runtime.uploads.temporary(plain_name(file.filename), file.file))[
                        0
                    ]
                    for file in files
                )
                return verify(one, other)

        return await shared.file_gate.run(compare)


def is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data"


async def of_one(request: Request, shared: State, look: Callable[[Path], ResultT]) -> ResultT:
    """What `look` says of the part named `file`; raises InvalidRequest where there is none."""
    async with opened_form(request, max_files=1, max_fields=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidRequest("no file", "send it as a part named file")
        name = plain_name(file.filename)

        def look_at_file() -> ResultT:
            with shared.service.runtime.uploads.temporary(name, file.file) as (path, _):
                return look(path)

        return await shared.file_gate.run(look_at_file)
