"""What routes take from the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from api.schema import ErrorEnvelope

if TYPE_CHECKING:
    from api.server import State


def _state(request: Request) -> Any:
    return request.app.state.crossmedia


if TYPE_CHECKING:
    Shared = Annotated[State, Depends(_state)]
else:
    Shared = Annotated[Any, Depends(_state)]

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope} for status in (401, 403, 404, 409, 410, 413, 415, 422, 429, 503)
}
