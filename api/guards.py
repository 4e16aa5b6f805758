"""What stands before every route: the size of a body, the key, the error envelope."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossmedia.api.damage import find_damage
from crossmedia.api.invalid import InvalidRequest, first_reason
from crossmedia.api.keys.audit import Audit
from crossmedia.api.keys.keyring import Keyring
from crossmedia.api.keys.scopes import Holder, scope_of
from crossmedia.api.remedies import request_hint
from crossmedia.api.uploads import UploadTooLarge
from crossmedia.embeddings.errors import FULL_DISK, CrossmediaError, DiskFull

log = logging.getLogger("crossmedia.http")
OPEN_PATHS = ("/", "/healthz", "/readyz", "/v1/session")
"""What needs no key: health, and the page, which is nothing without the API behind it. A session is made with a key."""
OPEN_BELOW = "/web/"
SLACK = 1 << 20
"""Bytes a request may have beside the files in it; one without files may have no more than these."""


class BadKey(CrossmediaError):
    """The service asks for a key, and none or a wrong one was sent."""

    code = "unauthorised"
    status = 401


class ScopeMissing(CrossmediaError):
    """A key is valid, and not for what was asked."""

    code = "scope_missing"
    status = 403


class ForeignPage(CrossmediaError):
    """A browser sends what a page of another site wants changed here, where no key guards it."""

    code = "foreign_page"
    status = 403


class HttpFailure(CrossmediaError):
    """What the framework refuses: an unknown route, a wrong method."""

    code = "http_error"


class InternalError(CrossmediaError):
    """A fault of ours; its trace is in the log, never in the answer."""

    code = "internal"


def envelope(
    error: CrossmediaError, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    more = {"Retry-After": str(error.retry_after)} if hasattr(error, "retry_after") else {}
    return JSONResponse(error_body(error), status or error.status, {**(headers or {}), **more})


def error_body(error: CrossmediaError) -> dict[str, dict[str, str]]:
    """The JSON object of a failure."""
    return {"error": {**error.as_dict(), "hint": request_hint(error)}}


class BodyLimit:
    """Refuses a body over the limit: by its declared length before it is read, by its bytes while it is."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        files = headers.get(b"content-type", b"").strip().lower().startswith(b"multipart/form-data")
        limit = SLACK + (self._limit if files else 0)
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await envelope(_too_large(limit))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, counted, send)


def _too_large(limit: int) -> UploadTooLarge:
    return UploadTooLarge(
        f"the request is larger than {limit:,} bytes",
        'send files as multipart/form-data; index large ones by path: POST /v1/assets with {"path": …}',
    )


class KeyCheck:
    """Asks for a key whose scopes allow the request, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, where there
    are keys; what does more than read is noted."""

    def __init__(self, app: ASGIApp, keyring: Keyring, audit: Audit) -> None:
        self._app = app
        self._keyring = keyring
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope.get("path", "")
        try:
            if not self._keyring.required:
                _require_own_page(scope)
                holder = None
            elif path in OPEN_PATHS or path.startswith(OPEN_BELOW):
                holder = None
            else:
                holder = self._holder(scope)
        except CrossmediaError as error:
            await envelope(error)(scope, receive, send)
            return
        needed = scope_of(scope["method"], path)
        if holder is None or (needed == "read" and holder.may(needed)):
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._audit.note(
                    holder.name, scope["method"], path=path, status=message["status"], address=address(scope)
                )
            await send(message)

        if holder.may(needed):
            await self._app(scope, receive, noted)
            return
        missing = ScopeMissing(f"the key of {holder.name} is not for this", f"it needs the scope {needed}")
        await envelope(missing)(scope, receive, noted)

    def _holder(self, scope: Scope) -> Holder:
        headers = Headers(scope=scope)
        holder = self._keyring.session_holder(headers) if own_page(scope["method"], headers) else None
        holder = holder or self._keyring.holder(headers, address(scope))
        if holder is None:
            raise BadKey("this service requires a key", "send it as Authorization: Bearer KEY")
        return holder


def _require_own_page(scope: Scope) -> None:
    if not own_page(scope["method"], Headers(scope=scope)):
        raise ForeignPage("requests from other web sites are not accepted", "set CROSSMEDIA_API_KEYS and send a key")


def address(scope: Scope) -> str:
    """Where a request comes from; of a socket file nothing."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class SameOrigin:
    """Tells browsers that no page of another site may show or play what is answered here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)


def own_page(method: str, headers: Headers) -> bool:
    """Whether a request that carries no key may be the page's own, or no page's at all.

    A browser takes other ports of a host for the same site, so a page of another service there could send the cookie
    along; it tells who asks."""
    if method in ("GET", "HEAD"):
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def install_handlers(app: FastAPI) -> None:
    """Every failure leaves as `{"error": {"code", "message", "hint"}}`."""

    @app.exception_handler(CrossmediaError)
    async def ours(request: Request, error: CrossmediaError) -> JSONResponse:
        return envelope(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return envelope(InvalidRequest(first_reason(error), "/docs describes every request"))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return envelope(HttpFailure(str(error.detail), "/docs lists all requests"), error.status_code, error.headers)

    @app.exception_handler(OSError)
    async def full(request: Request, error: OSError) -> JSONResponse:
        if error.errno not in FULL_DISK:
            return await broken(request, error)
        return envelope(DiskFull("the disk is full"))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        if damage := await run_in_threadpool(find_damage, request.app.state.crossmedia.service.runtime.settings.data):
            log.error("%s %s: %s (%s: %s)", request.method, request.url.path, damage, type(error).__name__, error)
            return envelope(damage)
        log.exception("%s %s", request.method, request.url.path, exc_info=error)
        return envelope(InternalError("the service failed on this request", "see the traceback in its log"))
