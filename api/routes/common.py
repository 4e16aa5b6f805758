"""What routes take from the application."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from api.schema import ErrorEnvelope
from api.state import State


def _state(request: Request) -> State:
    shared: State = request.app.state.crossmedia
    return shared


Shared = Annotated[State, Depends(_state)]

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope} for status in (401, 403, 404, 409, 410, 413, 415, 422, 429, 503)
}
