"""What routes take from the application, and what several of them take and give."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict

from crossmedia.api.schema import ErrorEnvelope, Name
from crossmedia.api.state import State


def _state(request: Request) -> State:
    shared: State = request.app.state.crossmedia
    return shared


Shared = Annotated[State, Depends(_state)]


def _served(asset: str, shared: Shared) -> str:
    """The whole id of an asset that may be served; raises NotFound, Ambiguous, Blocked."""
    return shared.service.moderation.resolve_served(asset)


Served = Annotated[str, Depends(_served)]
"""An asset in the path of a route that hands out its content."""

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope} for status in (401, 403, 404, 409, 410, 413, 415, 422, 429, 503, 507)
}


class NewName(BaseModel):
    """What somebody is to be called."""

    model_config = ConfigDict(extra="forbid")

    name: Name
