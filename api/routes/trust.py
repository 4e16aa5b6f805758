"""/v1/trust: where a file says that it comes from, and indications of forgeries, never verdicts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import ONE, body, is_multipart, of_one
from crossmedia.indexer.provenance.facts import FactKind

router = APIRouter(prefix="/v1", tags=["trust"], responses=ERRORS)


class FactOut(BaseModel):
    """`trust` is generated, edited, composite or captured as the file declares itself, and of a C2PA manifest signed,
    signer unknown, signature invalid or manifest unreadable. `by`: what in the file says so."""

    kind: FactKind
    value: str
    by: str


class IndicationOut(BaseModel):
    """`score` in [0, 1] is the model's own; `high`: at least what is measured and told with the model. A box is x0, y0,
    x1, y1 in fractions of the picture, times are seconds."""

    kind: str
    value: str
    score: float
    high: bool
    model: str
    box: tuple[float, float, float, float] | None
    start: float | None
    end: float | None


class PublishedOut(BaseModel):
    figure: str
    of: str
    source: str


class ModelOut(BaseModel):
    """What a kind of score is of: figures as published, inside the data set it was trained on and outside of it."""

    kind: str
    of: str
    model: str
    trained_on: str
    inside: list[PublishedOut]
    outside: list[PublishedOut]
    caution: str
    high: float


class TrustOut(BaseModel):
    """`manifest`: of a file with a C2PA manifest what that says. `notes`: what could not be told, and why."""

    facts: list[FactOut]
    manifest: dict[str, Any] | None
    indications: list[IndicationOut]
    models: list[ModelOut]
    statement: str
    notes: list[str]
    took_ms: float


@router.post("/trust", response_model=TrustOut, openapi_extra=body(ONE))
async def of_file(request: Request, shared: Shared) -> dict[str, Any]:
    """What a file (multipart, one part named `file`) says of where it comes from, and how forged it looks. Nothing is
    stored."""
    if not is_multipart(request):
        raise InvalidRequest("no file", "send it as multipart/form-data, a part named file")
    return await of_one(request, shared, lambda path: shared.service.trust.of_file(path).as_dict())


@router.get("/assets/{asset}/trust", response_model=TrustOut)
def of_asset(asset: str, shared: Shared) -> dict[str, Any]:
    """The same of an indexed asset, as the passes `trust`, `forgery` and `spoof` left it."""
    return shared.service.trust.of_asset(asset).as_dict()
