"""/v1/people: whose faces are in the collection, what they are called, when they appear, and how they are forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api.comparing import Verified
from crossmedia.api.routes.common import ERRORS, NewName, Shared
from crossmedia.api.routes.files import TWO, body, of_two
from crossmedia.api.schema import Name, Renamed
from crossmedia.api.use_cases.people import Appearances, Joined, Moved, PersonOut

router = APIRouter(prefix="/v1/people", tags=["people"], responses=ERRORS)


class PersonList(BaseModel):
    people: list[PersonOut]


class Merge(BaseModel):
    """`into`: one of them, or a new name; the first if left out."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[Name], Field(min_length=1, max_length=100)]
    into: Name | None = None


class Split(BaseModel):
    """Which faces (moments) and assets of somebody are another's, called `to`; none: the smaller of two groups."""

    model_config = ConfigDict(extra="forbid")

    person: Name
    to: Name | None = None
    faces: Annotated[list[Name], Field(max_length=10_000)] = []
    assets: Annotated[list[Name], Field(max_length=1_000)] = []


@router.get("")
def several(shared: Shared) -> PersonList:
    """Those who are seen most first."""
    return PersonList(people=shared.service.people.list_people())


@router.post("/merge")
def merge(wanted: Merge, shared: Shared) -> Renamed:
    """Several are one person."""
    return shared.service.people.merge(wanted.people, wanted.into)


@router.post("/split")
def split(wanted: Split, shared: Shared) -> Moved:
    """Some of somebody's faces are another's."""
    return shared.service.people.split(wanted.person, wanted.to, wanted.faces, wanted.assets)


@router.post("/regroup")
def regroup(shared: Shared) -> Joined:
    """Merge unnamed people who are the same; indexing does so as well."""
    return shared.service.people.regroup()


@router.post("/verify", openapi_extra=body(TWO))
async def verify(request: Request, shared: Shared) -> Verified:
    """Whether two pictures (parts named `file`) show one person. Nothing is stored."""
    return await of_two(request, shared, "pictures", shared.service.people.verify)


@router.get("/{person:path}")
def appearances(person: Name, shared: Shared) -> Appearances:
    """Show when and where a person appears."""
    return shared.service.people.appearances(person)


@router.put("/{person:path}")
def name(person: Name, wanted: NewName, shared: Shared) -> Renamed:
    """Give somebody another name."""
    return shared.service.people.rename(person, wanted.name)


@router.delete("/{person:path}")
def forget(person: Name, shared: Shared) -> Moved:
    """Remove somebody's faces with vectors, thumbnails and labels, in files as well. Takes as long as copying the
    store."""
    return shared.service.people.forget(person)
