"""/v1/plates: where a car was seen."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.use_cases.plates import PlateOut

router = APIRouter(prefix="/v1/plates", tags=["plates"], responses=ERRORS)


class PlateList(BaseModel):
    plates: list[PlateOut]


@router.get("/{text}")
def find(text: str, shared: Shared) -> PlateList:
    """Exactly, or with one character read wrong, the nearest first. Blanks, hyphens, capitals, and O for 0 do not
    matter."""
    return PlateList(plates=shared.service.plates.find(text))
