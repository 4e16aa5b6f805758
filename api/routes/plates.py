"""/v1/plates: where a car was seen."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from crossmedia.api import plates
from crossmedia.api.routes.common import ERRORS, Shared

router = APIRouter(prefix="/v1/plates", tags=["plates"], responses=ERRORS)


class PlateOut(BaseModel):
    """A plate where it is seen. `distance`: characters that differ from what was asked, 0 or 1."""

    value: str
    distance: int
    score: float
    asset: str
    moment: str
    path: str
    start: float | None
    end: float | None
    box: list[float] | None
    link: str


class PlateList(BaseModel):
    plates: list[PlateOut]


@router.get("/{text}", response_model=PlateList)
def seen(text: str, shared: Shared) -> dict[str, Any]:
    """Exactly, or with one character read wrong, the nearest first. Blanks, hyphens, capitals, and O for 0 do not
    matter."""
    return {"plates": plates.seen(shared.service, text)}
