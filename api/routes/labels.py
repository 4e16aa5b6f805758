"""/v1/labels: what was recognised in the collection, counted, and the vocabulary of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.schema import MAX_SEVERAL, Name
from crossmedia.api.use_cases.labels import KindOut, LabelKindOut, known_label_kinds

router = APIRouter(prefix="/v1/labels", tags=["labels"], responses=ERRORS)


class LabelList(BaseModel):
    labels: list[KindOut]


class LabelKindList(BaseModel):
    kinds: list[LabelKindOut]


@router.get("/kinds")
def kinds(shared: Shared) -> LabelKindList:
    """Every kind of label that this service knows, whether or not the collection has any."""
    return LabelKindList(kinds=known_label_kinds(shared.service.runtime.vocabularies.kinds()))


@router.get("")
def several(
    shared: Shared,
    kind: Annotated[list[Name], Query(max_length=MAX_SEVERAL, description="Only these kinds; none: all.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of values of each kind.")] = 20,
) -> LabelList:
    """Kinds of labels with their values, those on most moments first."""
    return LabelList(labels=shared.service.labels.list_kinds(kind, limit))
