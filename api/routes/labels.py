"""/v1/labels: what was recognised in the collection, counted, and the vocabulary of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from crossmedia.api import labels
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.schema import MAX_SEVERAL, Name, ValueOut

router = APIRouter(prefix="/v1/labels", tags=["labels"], responses=ERRORS)


class KindOut(BaseModel):
    """A kind of label: how many values it has, and those on most moments."""

    kind: str
    values: int
    top: list[ValueOut]


class LabelList(BaseModel):
    labels: list[KindOut]


class LabelKindOut(BaseModel):
    """What is known of a kind of label: `title` stands above its values; `said`: a query finds values that it says;
    `facet`: worth offering beside what a search finds; `recognised`: worth listing with an asset; `values`: the closed
    set of them, null where anything can be one."""

    kind: str
    title: str
    said: bool
    facet: bool
    recognised: bool
    values: list[str] | None


class LabelKindList(BaseModel):
    kinds: list[LabelKindOut]


@router.get("/kinds", response_model=LabelKindList)
def kinds() -> dict[str, Any]:
    """Every kind of label that this service knows, whether or not the collection has any."""
    return {"kinds": labels.vocabulary()}


@router.get("", response_model=LabelList)
def several(
    shared: Shared,
    kind: Annotated[list[Name], Query(max_length=MAX_SEVERAL, description="Only these kinds; none: all.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=1000, description="Values of each kind at most.")] = 20,
) -> dict[str, Any]:
    """Kinds of labels with their values, those on most moments first."""
    return {"labels": labels.listed(shared.service, kind, limit)}
