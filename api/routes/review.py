"""/v1/review: what the policy wants looked at, what was decided of what, and by whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api.routes.common import ERRORS, MAX_ROW, Shared
from crossmedia.api.use_cases.moderation import DecisionOut
from crossmedia.retrieval.banks.store import Action

router = APIRouter(prefix="/v1/review", tags=["review"], responses=ERRORS)


class DecisionList(BaseModel):
    decisions: list[DecisionOut]


class NewDecision(BaseModel):
    """`by`: who decides."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "allow", "by": "Ada"}]})

    action: Action
    by: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=2_000)] = ""


@router.get("")
def several(
    shared: Shared,
    action: Action = "review",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=MAX_ROW, description="Only decisions with a smaller id: the next page.")
    ] = None,
) -> DecisionList:
    """Assets of which this is the last word, newest first."""
    return DecisionList(decisions=shared.service.moderation.queue(action, limit, before))


@router.get("/{asset}")
def history(asset: str, shared: Shared) -> DecisionList:
    """All that was decided of an asset, oldest first; nothing of it is ever changed."""
    return DecisionList(decisions=shared.service.moderation.history(asset))


@router.post("/{asset}")
def decide(asset: str, wanted: NewDecision, shared: Shared) -> DecisionOut:
    """A person's decision; it stands until there is a reason that was not there when it was made."""
    return shared.service.moderation.decide(asset, wanted.action, wanted.by, wanted.note)
