"""What stands before every route: the size of a body, the key, the error envelope."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossmedia.api.full_disk import FULL
from crossmedia.api.invalid import InvalidRequest, first_reason
from crossmedia.api.uploads import UploadTooLarge
from crossmedia.embeddings.errors import CrossmediaError, DiskFull

log = logging.getLogger("crossmedia.http")
OPEN_PATHS = ("/", "/healthz", "/readyz", "/v1/session")
"""What needs no key: health, and the page, which is nothing without the API behind it. A session is made with a key."""
OPEN_BELOW = "/web/"
COOKIE = "crossmedia"
SLACK = 1 << 20
"""Bytes a request may have beside the files in it; one without files may have no more than these."""


class BadKey(CrossmediaError):
    """The service asks for a key, and none or a wrong one was sent."""

    code = "unauthorised"
    status = 401


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
    return JSONResponse({"error": error.as_dict()}, status or error.status, {**(headers or {}), **more})


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
    """Asks for one of the keys, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, where keys are set."""

    def __init__(self, app: ASGIApp, keys: tuple[str, ...]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._keys and not own_page(scope["method"], Headers(scope=scope)):
            refused = envelope(
                ForeignPage("requests from other web sites are not accepted", "set CROSSMEDIA_API_KEYS and send a key")
            )
            await refused(scope, receive, send)
            return
        path: str = scope.get("path", "")
        if scope["type"] == "http" and self._keys and path not in OPEN_PATHS and not path.startswith(OPEN_BELOW):
            headers = Headers(scope=scope)
            session = known_session(headers, self._keys) and own_page(scope["method"], headers)
            if not (known_key(headers, self._keys) or session):
                refused = envelope(BadKey("this service requires a key", "send it as Authorization: Bearer KEY"))
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def known_key(headers: Headers, keys: Sequence[bytes]) -> bytes | None:
    """The key that a request carries, if it is one of these."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = (headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")).encode()
    return next((key for key in keys if secrets.compare_digest(given, key)), None)


def session_of(key: bytes) -> str:
    """What a browser keeps instead of a key: it follows from the key, and the key does not follow from it."""
    return hmac.new(key, b"crossmedia session", hashlib.sha256).hexdigest()


def known_session(headers: Headers, keys: Sequence[bytes]) -> bool:
    """Whether a request carries the session of one of the keys. `SameSite=Strict` keeps foreign pages from sending
    it."""
    given = cookie_parser(headers.get("cookie", "")).get(COOKIE, "").encode()
    return any(secrets.compare_digest(given, session_of(key).encode()) for key in keys)


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
        if error.errno not in FULL:
            return await broken(request, error)
        return envelope(DiskFull("the disk is full"))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s", request.method, request.url.path, exc_info=error)
        return envelope(InternalError("the service failed on this request", "see the traceback in its log"))
