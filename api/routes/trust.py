"""/v1/trust: provenance: where a file says it comes from, and indications of forgeries, never verdicts."""

from __future__ import annotations

from fastapi import APIRouter, Request

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import ONE, body, is_multipart, of_one
from crossmedia.api.use_cases.trust import TrustOut

router = APIRouter(prefix="/v1", tags=["trust"], responses=ERRORS)


@router.post("/trust", openapi_extra=body(ONE))
async def of_file(request: Request, shared: Shared) -> TrustOut:
    """What a file (multipart, one part named `file`) says of where it comes from, and how forged it looks. Nothing is
    stored."""
    if not is_multipart(request):
        raise InvalidRequest("no file", "send it as multipart/form-data, a part named file")
    return await of_one(request, shared, shared.service.trust.of_file)


@router.get("/assets/{asset}/trust")
def of_asset(asset: str, shared: Shared) -> TrustOut:
    """The same of an indexed asset, as the passes `trust`, `forgery` and `spoof` left it."""
    return shared.service.trust.of_asset(asset)
