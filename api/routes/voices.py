"""/v1/voices: who speaks in the collection, what they are called, and whether two recordings are of one person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api import voices
from crossmedia.api.routes.common import ERRORS, NewName, Renamed, Shared
from crossmedia.api.routes.files import TWO, Verified, body, of_two
from crossmedia.api.schema import Name

router = APIRouter(prefix="/v1/voices", tags=["voices"], responses=ERRORS)


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


class Merge(BaseModel):
    """`into`: one of them, or a new name; the first if left out."""

    model_config = ConfigDict(extra="forbid")

    voices: Annotated[list[Name], Field(min_length=1, max_length=100)]
    into: Name | None = None


@router.get("", response_model=VoiceList)
def several(shared: Shared) -> dict[str, Any]:
    """Those that speak most first."""
    return {"voices": voices.listed(shared.service)}


@router.post("/merge", response_model=Renamed)
def merge(wanted: Merge, shared: Shared) -> dict[str, Any]:
    """Several voices are one person's."""
    return voices.merge(shared.service, wanted.voices, wanted.into or wanted.voices[0])


@router.post("/verify", response_model=Verified, openapi_extra=body(TWO))
async def verify(request: Request, shared: Shared) -> dict[str, Any]:
    """Whether two recordings (parts named `file`) are of one speaker. Nothing is stored."""
    return await of_two(request, shared, "recordings", voices.verify)


@router.put("/{voice:path}", response_model=Renamed)
def name(voice: Name, wanted: NewName, shared: Shared) -> dict[str, Any]:
    """Give a voice another name."""
    return voices.name(shared.service, voice, wanted.name)
