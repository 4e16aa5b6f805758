"""What stands before every route: the size of a body, the key, the error envelope."""

from __future__ import annotations

import logging
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.uploads import UploadTooLarge
from embeddings.errors import CrossmediaError

log = logging.getLogger("crossmedia.http")
OPEN_PATHS = ("/healthz", "/readyz")
SLACK = 1 << 20
"""Bytes a request may have beside the files in it."""


class BadKey(CrossmediaError):
    """The service asks for a key, and none or a wrong one was sent."""

    code = "unauthorised"
    status = 401


class InvalidRequest(CrossmediaError):
    """The request's form is off."""

    code = "invalid_request"
    status = 422


class HttpFailure(CrossmediaError):
    """What the framework refuses: an unknown route, a wrong method."""

    code = "http_error"


class InternalError(CrossmediaError):
    """A fault of ours; its trace is in the log, never in the answer."""

    code = "internal"


def envelope(error: CrossmediaError, status: int | None = None) -> JSONResponse:
    headers = {"Retry-After": str(error.retry_after)} if hasattr(error, "retry_after") else None
    return JSONResponse({"error": error.as_dict()}, status or error.status, headers)


class BodyLimit:
    """Refuses a body over the limit: by its declared length before it is read, by its bytes while it is."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit + SLACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await envelope(self._error())(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise self._error()
            return message

        await self._app(scope, counted, send)

    def _error(self) -> UploadTooLarge:
        return UploadTooLarge(
            f"the request is larger than {self._limit:,} bytes",
            'index large files by path: POST /v1/assets with {"path": …}',
        )


class KeyCheck:
    """Asks for one of the keys, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, where keys are set."""

    def __init__(self, app: ASGIApp, keys: tuple[str, ...]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._keys and scope["path"] not in OPEN_PATHS:
            headers = dict(scope["headers"])
            given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            if not any(secrets.compare_digest(given, key) for key in self._keys):
                refused = envelope(BadKey("this service asks for a key", "send it as Authorization: Bearer KEY"))
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def install_handlers(app: FastAPI) -> None:
    """Every failure leaves as `{"error": {"code", "message", "hint"}}`."""

    @app.exception_handler(CrossmediaError)
    async def ours(request: Request, error: CrossmediaError) -> JSONResponse:
        return envelope(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return envelope(InvalidRequest(f"{place}: {first['msg']}", "/docs describes every request"))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return envelope(HttpFailure(str(error.detail), "/docs lists what there is"), error.status_code)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s", request.method, request.url.path, exc_info=error)
        return envelope(InternalError("the service failed on this request", "its log has the trace"))
