"""What a caller got wrong, told in the envelope and not as a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from crossmedia.embeddings.errors import CrossmediaError


class _Invalid(Protocol):
    """pydantic's errors and FastAPI's."""

    def errors(self) -> Sequence[Any]: ...


class InvalidRequest(CrossmediaError):
    """The request's form is off."""

    code = "invalid_request"
    status = 422

    @classmethod
    def of(cls, error: ValidationError) -> InvalidRequest:
        """The first thing that is wrong with a request."""
        return cls(first_reason(error), "the service's /docs describes every request, --help every option")


def first_reason(error: _Invalid) -> str:
    """`field: what is wrong with it`."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
