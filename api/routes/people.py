"""/v1/people: whose faces are in the collection, what they are called, when they appear, and how they are forgotten."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from crossmedia.api import people
from crossmedia.api.routes.common import ERRORS, NewName, Renamed, Shared
from crossmedia.api.routes.files import TWO, Verified, body, of_two
from crossmedia.api.schema import Name

router = APIRouter(prefix="/v1/people", tags=["people"], responses=ERRORS)


class PersonOut(BaseModel):
    """Somebody, and the face that shows them best."""

    name: str
    faces: int
    assets: int
    seconds: float
    asset: str
    path: str
    moment: str
    start: float | None
    end: float | None
    link: str
    thumbnail: str


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


class Moved(BaseModel):
    """How many faces are split off, or forgotten."""

    name: str
    faces: int


class Joined(BaseModel):
    joined: int


class SpanOut(BaseModel):
    start: float
    end: float
    link: str


class FaceOut(BaseModel):
    """`shown_in`: the moment of the picture, shot or key frame; `box`: x0, y0, x1, y1 in fractions of it."""

    moment: str
    shown_in: str
    box: list[float] | None
    thumbnail: str


class Appearance(BaseModel):
    asset: str
    path: str
    media: str
    spans: list[SpanOut]
    faces: list[FaceOut]


class Appearances(BaseModel):
    name: str
    appearances: list[Appearance]


@router.get("", response_model=PersonList)
def several(shared: Shared) -> dict[str, Any]:
    """Those who are seen most first."""
    return {"people": people.listed(shared.service)}


@router.post("/merge", response_model=Renamed)
def merge(wanted: Merge, shared: Shared) -> dict[str, Any]:
    """Several are one person."""
    return people.merge(shared.service, wanted.people, wanted.into or wanted.people[0])


@router.post("/split", response_model=Moved)
def split(wanted: Split, shared: Shared) -> dict[str, Any]:
    """Some of somebody's faces are another's."""
    return people.split(shared.service, wanted.person, wanted.to, wanted.faces, wanted.assets)


@router.post("/regroup", response_model=Joined)
def regroup(shared: Shared) -> dict[str, int]:
    """Join people without a name who are one; every indexing does it as well."""
    return people.regroup(shared.service)


@router.post("/verify", response_model=Verified, openapi_extra=body(TWO))
async def verify(request: Request, shared: Shared) -> dict[str, Any]:
    """Whether two pictures (parts named `file`) show one person. Nothing is stored."""
    return await of_two(request, shared, "pictures", people.verify)


@router.get("/{person:path}", response_model=Appearances)
def appearances(person: Name, shared: Shared) -> dict[str, Any]:
    """When and where somebody appears."""
    return people.appearances(shared.service, person)


@router.put("/{person:path}", response_model=Renamed)
def name(person: Name, wanted: NewName, shared: Shared) -> dict[str, Any]:
    """Give somebody another name."""
    return people.name(shared.service, person, wanted.name)


@router.delete("/{person:path}", response_model=Moved)
def forget(person: Name, shared: Shared) -> dict[str, Any]:
    """Remove somebody's faces with vectors, thumbnails and labels, in files as well. Takes as long as copying the
    store."""
    return people.forget(shared.service, person)
