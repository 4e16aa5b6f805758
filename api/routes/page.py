"""The web page at `/` and its files, and the session by which a browser carries a key."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from crossmedia.api.guards import BadKey, address
from crossmedia.api.keys.keyring import COOKIE, SESSION_SECONDS, Keyring
from crossmedia.api.routes.common import ERRORS

router = APIRouter(tags=["page"])
FOLDER: Final = Path(__file__).parents[1] / "web"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-cache",
}
"""Nothing but the page's own files runs or is fetched. A browser asks each time whether a file has changed (ETag)."""


@router.get("/", include_in_schema=False)
def page() -> FileResponse:
    return FileResponse(FOLDER / "index.html", headers=HEADERS)


class _Files(StaticFiles):
    """The page's scripts and style sheets."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def mount(app: FastAPI) -> None:
    """Serve the page's files below `/web`."""
    app.mount("/web", _Files(directory=FOLDER), name="web")


@router.post("/v1/session", status_code=204, response_class=Response, responses=ERRORS)
def begin(request: Request) -> Response:
    """Keep a key that comes as `X-API-Key` as a cookie that scripts cannot read: pictures and players cannot send
    headers."""
    keyring: Keyring = request.app.state.keyring
    holder = keyring.holder(request.headers, address(request.scope))
    if keyring.required and holder is None:
        raise BadKey("the key is not valid", "crossmedia key add NAME makes one, or CROSSMEDIA_API_KEYS of the service")
    response = Response(status_code=204)
    if holder is not None:
        response.set_cookie(
            COOKIE,
            keyring.begin_session(holder),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return response


@router.delete("/v1/session", status_code=204, response_class=Response, responses=ERRORS)
def end(request: Request) -> Response:
    """Forget the cookie."""
    keyring: Keyring = request.app.state.keyring
    keyring.end_session(request.headers)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response
