"""/v1/lookup: whether something is known. /v1/banks: what there is to be known by."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from crossmedia.api.forms import opened_form
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.routes.common import ERRORS, Shared
from crossmedia.api.routes.files import ONE, body, is_multipart, of_one
from crossmedia.api.schema import Name
from crossmedia.api.uploads import plain_name
from crossmedia.api.use_cases.known_content import Banked, BankOut, CopyOut, Loaded, Lookup
from crossmedia.retrieval.banks.store import Action

RequestT = TypeVar("RequestT", bound=BaseModel)
router = APIRouter(prefix="/v1", tags=["known content"], responses=ERRORS)


class LookupRequest(BaseModel):
    """A hash (`KIND:HASH`; a bare one is looked up as whatever its form can be), or the id of an indexed asset."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"hash": "pdq:" + "0f" * 32}]})

    hash: Annotated[str, Field(max_length=1 << 20)] | None = None
    asset: Name | None = None


class BankList(BaseModel):
    banks: list[BankOut]


class NewBank(BaseModel):
    """An empty bank; `action`: what is to be done with what matches."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "press", "action": "allow"}]})

    name: Name
    action: Action = "review"


class NewHashes(BaseModel):
    """What is banked: hashes (`KIND:HASH`) and ids of indexed assets; files come as multipart/form-data instead."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"what": ["pdq:" + "0f" * 32]}]})

    what: Annotated[list[Annotated[str, Field(max_length=1 << 20)]], Field(min_length=1, max_length=1_000)]
    tags: Annotated[str, Field(max_length=1_000)] = ""


class CopyList(BaseModel):
    indexed: list[CopyOut]


_HASHES = {
    "application/json": {"schema": NewHashes.model_json_schema()},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {
                "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                "tags": {"type": "string"},
                "crops": {"type": "boolean", "default": False},
            },
        }
    },
}
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


@router.post("/banks", status_code=201)
def create(wanted: NewBank, shared: Shared) -> BankOut:
    """Create an empty bank."""
    return shared.service.banks.create(wanted.name, wanted.action)


@router.post("/banks/{name}/hashes", openapi_extra=body(_HASHES))
async def add(name: str, request: Request, shared: Shared) -> Banked:
    """Bank hashes and hashes of assets (JSON), or those of files (parts named `file`), which are not kept. All or none.

    `crops`: pictures also as they are without 5 and 10 % of their sides.
    """
    banks = shared.service.banks
    if not is_multipart(request):
        wanted = _parse_body(NewHashes, await request.body())
        return await shared.gate.run(lambda: banks.add(name, wanted.what, tags=wanted.tags))
    async with opened_form(request, max_files=100, max_fields=10) as form:
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if not files:
            raise InvalidRequest("no part named file", "send each file as a part named file")
        tags, crops = str(form.get("tags") or ""), form.get("crops") == "true"

        def bank() -> Banked:
            with ExitStack() as stack:
                uploads = shared.service.runtime.uploads
                paths = [
                    stack.enter_context(uploads.temporary(plain_name(file.filename), file.file))[0] for file in files
                ]
                return banks.add(name, paths, tags=tags, crops=crops)

        return await shared.file_gate.run(bank)


@router.post("/banks/{name}/table", openapi_extra=body(ONE))
async def load(name: str, request: Request, shared: Shared, skip_bad: bool = False) -> Loaded:
    """Read hashes from a table (a part named `file`) as threatexchange and hasher-matcher-actioner write them: all of
    it, or nothing where a line is broken and `skip_bad` is not set."""
    return await of_one(request, shared, lambda path: shared.service.banks.load(name, path, skip_bad=skip_bad))


@router.get("/banks/{name}/matches")
def matches(name: str, shared: Shared) -> CopyList:
    """What of the collection is near a hash of this bank, whichever of the two was there first."""
    return CopyList(indexed=shared.service.banks.matches(name))


def _parse_body(model: type[RequestT], body: bytes) -> RequestT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise InvalidRequest.of(error) from error


def _parse(body: bytes) -> LookupRequest:
    wanted = _parse_body(LookupRequest, body)
    if (wanted.hash is None) == (wanted.asset is None):
        raise InvalidRequest(
            "name a hash or an asset", 'send {"hash": …} or {"asset": …}, or a file as multipart/form-data'
        )
    return wanted
