"""/v1/lookup: whether something is known. /v1/banks: what there is to be known by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import ONE, body, is_multipart, of_one
from crossmedia.api.schema import Name
from crossmedia.api.use_cases.known_content import BankOut, CopyOut, Lookup

router = APIRouter(prefix="/v1", tags=["known content"], responses=ERRORS)


class LookupRequest(BaseModel):
    """A hash (`KIND:HASH`; a bare one is looked up as whatever its form can be), or the id of an indexed asset."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"hash": "pdq:" + "0f" * 32}]})

    hash: Annotated[str, Field(max_length=1 << 20)] | None = None
    asset: Name | None = None


class BankList(BaseModel):
    banks: list[BankOut]


class CopyList(BaseModel):
    indexed: list[CopyOut]


_CONTENT = {"application/json": {"schema": LookupRequest.model_json_schema()}, **ONE}


@router.post("/lookup", openapi_extra=body(_CONTENT))
async def lookup(request: Request, shared: Shared) -> Lookup:
    """What is known of a file (multipart, one part named `file`), a hash or an indexed asset (JSON). Nothing is
    stored."""
    banks = shared.service.banks
    if not is_multipart(request):
        wanted = _parse(await request.body())
        if wanted.hash is not None:
            text = wanted.hash
            return await shared.gate.run(lambda: banks.lookup_hash(text))
        asset = wanted.asset or ""
        return await shared.gate.run(lambda: banks.lookup_asset(asset))
    return await of_one(request, shared, banks.lookup_file)


@router.get("/banks")
def several(shared: Shared) -> BankList:
    """Every bank, by name."""
    return BankList(banks=shared.service.banks.list_banks())


@router.get("/banks/{name}/matches")
def matches(name: str, shared: Shared) -> CopyList:
    """What of the collection is near a hash of this bank, whichever of the two was there first."""
    return CopyList(indexed=shared.service.banks.matches(name))


def _parse(body: bytes) -> LookupRequest:
    try:
        wanted = LookupRequest.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest.of(error) from error
    if (wanted.hash is None) == (wanted.asset is None):
        raise InvalidRequest(
            "name a hash or an asset", 'send {"hash": …} or {"asset": …}, or a file as multipart/form-data'
        )
    return wanted
