"""/v1/voices: who speaks in the collection, what they are called, and whether two recordings are of one person."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from api import voices
from api.invalid import InvalidRequest
from api.routes.common import ERRORS, Shared
from api.schema import Name
from api.uploads import plain_name

router = APIRouter(prefix="/v1/voices", tags=["voices"], responses=ERRORS)

_BODY = {
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


class VoiceOut(BaseModel):
    """A voice and where it is heard longest."""

    name: str
    turns: int
    assets: int
    seconds: float
    asset: str
    path: str
    start: float | None
    end: float | None
    link: str


class VoiceList(BaseModel):
    voices: list[VoiceOut]


class NewName(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name


class Merge(BaseModel):
    """`into`: one of them, or a new name; the first if left out."""

    model_config = ConfigDict(extra="forbid")

    voices: Annotated[list[Name], Field(min_length=1, max_length=100)]
    into: Name | None = None


class Renamed(BaseModel):
    name: str
    labels: int


class Verified(BaseModel):
    """`probability` that both are of one speaker; `same` where it is one half or more."""

    probability: float
    similarity: float
    same: bool
    model: str


@router.get("", response_model=VoiceList)
def several(shared: Shared) -> dict[str, Any]:
    """Those that speak most first."""
    return {"voices": voices.listed(shared.service)}


@router.post("/merge", response_model=Renamed)
def merge(wanted: Merge, shared: Shared) -> dict[str, Any]:
    """Several voices are one person's."""
    return voices.merge(shared.service, wanted.voices, wanted.into or wanted.voices[0])


@router.post("/verify", response_model=Verified, openapi_extra=_BODY)
async def verify(request: Request, shared: Shared) -> dict[str, Any]:
    """Whether two recordings (parts named `file`) are of one speaker. Nothing is stored."""
    async with request.form(max_files=2, max_fields=2) as form:
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if len(files) != 2:
            raise InvalidRequest(f"{len(files)} files", "send two recordings as parts named file")

        def compare() -> dict[str, Any]:
            with ExitStack() as stack:
                one, other = (
                    stack.enter_context(shared.service.uploads.temporary(plain_name(file.filename), file.file))[0]
                    for file in files
                )
                return voices.verify(shared.service, one, other)

        return await shared.file_gate.run(compare)


@router.put("/{voice:path}", response_model=Renamed)
def name(voice: Name, wanted: NewName, shared: Shared) -> dict[str, Any]:
    """Give a voice another name."""
    return voices.name(shared.service, voice, wanted.name)
