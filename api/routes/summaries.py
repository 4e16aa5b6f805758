"""/v1/assets/{id}/summary: what an asset is about."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.summaries import SENTENCES, summed_up

router = APIRouter(prefix="/v1", tags=["assets"], responses=ERRORS)


class SentenceOut(BaseModel):
    """A sentence that is said or written in it; `centrality` in [0, 1]: how much else is near to it."""

    text: str
    moment: str
    start: float | None
    end: float | None
    page: int | None
    centrality: float


class DescriptionOut(BaseModel):
    """A sentence that was made from labels."""

    text: str
    moment: str
    start: float | None
    end: float | None
    generated: bool


class ChapterOut(BaseModel):
    """`moment` has the key frame; `generated`: the title was made from labels, else it is said."""

    number: int
    start: float
    end: float
    title: str
    moment: str
    generated: bool


class SummaryOut(BaseModel):
    asset: str
    sentences: list[SentenceOut]
    descriptions: list[DescriptionOut]
    chapters: list[ChapterOut]


@router.get("/assets/{asset}/summary", response_model=SummaryOut)
def summed(asset: str, shared: Shared, sentences: int = Query(SENTENCES, ge=1, le=20)) -> dict[str, Any]:
    """The sentences that most of it is near to, descriptions of what it shows, and a video's chapters."""
    return summed_up(shared.service, asset, sentences)
