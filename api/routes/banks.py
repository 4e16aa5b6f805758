"""/v1/lookup: whether something is known. /v1/banks: what there is to be known by."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import ONE, body, is_multipart, of_one
from crossmedia.api.schema import Name
from crossmedia.retrieval.banks.hashes import HashKind
from crossmedia.retrieval.banks.store import Action

router = APIRouter(prefix="/v1", tags=["known content"], responses=ERRORS)


class LookupRequest(BaseModel):
    """A hash (`KIND:HASH`; a bare one is looked up as whatever its form can be), or the id of an indexed asset."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"hash": "pdq:" + "0f" * 32}]})

    hash: Annotated[str, Field(max_length=1 << 20)] | None = None
    asset: Name | None = None


class HashOut(BaseModel):
    """`quality`: of PDQ; below 50 it is not compared. `start`: the second of a video's key frame."""

    kind: HashKind
    hash: str
    quality: int | None
    start: float | None


class MatchOut(BaseModel):
    """An entry of a bank. `distance`: PDQ in bits of 256 (up to 31), TLSH its own (up to 30), Chromaprint the share of
    bits (up to 0.1), the others 0. `action`: what the bank wants done. `hash` is the bank's, `looked_up` yours."""

    bank: str
    action: Action
    kind: HashKind
    distance: float
    quality: int | None
    hash: str
    looked_up: str
    start: float | None
    tags: str


class Lookup(BaseModel):
    """`notes`: what could not be compared, and why."""

    hashes: list[HashOut]
    matches: list[MatchOut]
    notes: list[str]
    took_ms: float


class BankOut(BaseModel):
    name: str
    action: Action
    enabled: bool
    hashes: dict[HashKind, int]
    created: float


class BankList(BaseModel):
    banks: list[BankOut]


class CopyOut(BaseModel):
    """A moment of the collection; of the bytes of a whole file `moment` is null."""

    asset: str
    path: str
    moment: str | None
    start: float | None
    kind: HashKind
    hash: str
    known: str
    distance: float
    quality: int | None


class CopyList(BaseModel):
    indexed: list[CopyOut]


_CONTENT = {"application/json": {"schema": LookupRequest.model_json_schema()}, **ONE}


@router.post("/lookup", response_model=Lookup, openapi_extra=body(_CONTENT))
async def lookup(request: Request, shared: Shared) -> dict[str, Any]:
    """What is known of a file (multipart, one part named `file`), a hash or an indexed asset (JSON). Nothing is
    stored."""
    banks = shared.service.banks
    if not is_multipart(request):
        wanted = _parse(await request.body())
        if wanted.hash is not None:
            text = wanted.hash
            return (await shared.gate.run(lambda: banks.lookup_hash(text))).as_dict()
        asset = wanted.asset or ""
        return (await shared.gate.run(lambda: banks.lookup_asset(asset))).as_dict()
    return await of_one(request, shared, lambda path: banks.lookup_file(path).as_dict())


@router.get("/banks", response_model=BankList)
def several(shared: Shared) -> dict[str, Any]:
    """Every bank, by name."""
    return {"banks": shared.service.banks.listed()}


@router.get("/banks/{name}/matches", response_model=CopyList)
def matches(name: str, shared: Shared) -> dict[str, Any]:
    """What of the collection is near a hash of this bank, whichever of the two was there first."""
    return {"indexed": shared.service.banks.matches(name)}


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
