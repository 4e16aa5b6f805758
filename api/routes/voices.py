"""/v1/voices: who speaks in the collection, what they are called, and whether two recordings are of one person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api.comparing import Verified
from crossmedia.api.routes.common import ERRORS, NewName, Shared
from crossmedia.api.routes.files import TWO, body, of_two
from crossmedia.api.schema import Name, Renamed
from crossmedia.api.use_cases.voices import VoiceOut

router = APIRouter(prefix="/v1/voices", tags=["voices"], responses=ERRORS)


class VoiceList(BaseModel):
    voices: list[VoiceOut]


class Merge(BaseModel):
    """`into`: one of them, or a new name; the first if left out."""

    model_config = ConfigDict(extra="forbid")

    voices: Annotated[list[Name], Field(min_length=1, max_length=100)]
    into: Name | None = None


@router.get("")
def several(shared: Shared) -> VoiceList:
    """Those that speak most first."""
    return VoiceList(voices=shared.service.voices.list_voices())


@router.post("/merge")
def merge(wanted: Merge, shared: Shared) -> Renamed:
    """Several voices are one person's."""
    return shared.service.voices.merge(wanted.voices, wanted.into)


@router.post("/verify", openapi_extra=body(TWO))
async def verify(request: Request, shared: Shared) -> Verified:
    """Whether two recordings (parts named `file`) are of one speaker. Nothing is stored."""
    return await of_two(request, shared, "recordings", shared.service.voices.verify)


@router.put("/{voice:path}")
def name(voice: Name, wanted: NewName, shared: Shared) -> Renamed:
    """Give a voice another name."""
    return shared.service.voices.rename(voice, wanted.name)
