"""/v1/assets/{id}/summary: what an asset is about."""

from __future__ import annotations

from fastapi import APIRouter, Query

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.use_cases.summarizing import SENTENCES, SummaryOut

router = APIRouter(prefix="/v1", tags=["assets"], responses=ERRORS)


@router.get("/assets/{asset}/summary")
def summarize(asset: str, shared: Shared, sentences: int = Query(SENTENCES, ge=1, le=20)) -> SummaryOut:
    """The sentences that most of it is near to, descriptions of what it shows, and a video's chapters."""
    return shared.service.summarizing.summarize(asset, sentences)
