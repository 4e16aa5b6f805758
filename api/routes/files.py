"""Requests of two files that are compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from api.invalid import InvalidRequest
from api.service import Service
from api.state import State
from api.uploads import plain_name

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string", "format": "binary"}
                        }
                    },
                }
            }
        },
    }
}  # fmt: skip


class Verified(BaseModel):
    """`probability` that both are of one person; `same` where it is one half or more."""

    probability: float
    similarity: float
    same: bool
    model: str


async def of_two(
    request: Request, shared: State, what: str, verify: Callable[[Service, Path, Path], dict[str, Any]]
) -> dict[str, Any]:
    """What `verify` says of the two parts named `file`, which are kept nowhere; raises InvalidRequest where there are not two."""
    async with request.form(max_files=2, max_fields=2) as form:
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if len(files) != 2:
            raise InvalidRequest(f"{len(files)} files", f"send two {what} as parts named file")

        def compare() -> dict[str, Any]:
            with ExitStack() as stack:
                one, other = (
                    stack.enter_context(shared.service.uploads.temporary(plain_name(file.filename), file.file))[0]
                    for file in files
                )
                return verify(shared.service, one, other)

        return await shared.file_gate.run(compare)
