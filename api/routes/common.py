"""What routes take from the application, and what several of them take and give."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request
from pydantic import BaseModel, ConfigDict

from crossmedia.api.schema import ErrorEnvelope, Name
from crossmedia.api.state import State
from crossmedia.retrieval.store import NotFound

WHOLE_ID: Final = re.compile(r"[0-9a-f]{64}")


def _state(request: Request) -> State:
    shared: State = request.app.state.crossmedia
    return shared


Shared = Annotated[State, Depends(_state)]


def _served(asset: str, shared: Shared) -> str:
    """The whole id of an asset that may be served; raises NotFound, Ambiguous, Blocked."""
    return shared.service.moderation.resolve_served(asset)


Served = Annotated[str, Depends(_served)]
"""An asset in the path of a route that hands out its content."""


def _served_whole(asset: Annotated[str, Path(description="The whole id.")], shared: Shared) -> str:
    """As `_served`, and the beginning of an id is not enough: what guesses one character guesses no file."""
    if not WHOLE_ID.fullmatch(asset):
        raise NotFound(f"no asset {asset[:64]}", "files are served by the whole id of their asset")
    return _served(asset, shared)


ServedWhole = Annotated[str, Depends(_served_whole)]
"""As `Served`, for routes that hand out files and pictures: named by the whole id."""

MAX_ROW = 2**63 - 1
"""The largest number that a database takes as one of its rows."""

_RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {
        "description": "Seconds after which the same request may succeed; absent where waiting does not help.",
        "schema": {"type": "integer"},
    }
}

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope, **({"headers": _RETRY_AFTER} if status in (429, 503) else {})}
    for status in (400, 401, 403, 404, 409, 410, 413, 415, 421, 422, 429, 501, 502, 503, 507)
}


class NewName(BaseModel):
    """What somebody is to be called."""

    model_config = ConfigDict(extra="forbid")

    name: Name
