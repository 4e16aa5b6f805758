"""`serve`: the HTTP service."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from crossmedia.api.commands.context import Data, out, service


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    data: Data = None,
) -> None:
    """Start the HTTP service and the web page."""
    with service(data) as opened:
        settings = opened.runtime.settings
        opened.runtime.store  # noqa: B018 -- one that cannot be opened ends this with what to do
    # A signal ends the program inside `run`: what is open here then would not be closed.
    if host not in ("127.0.0.1", "localhost", "::1") and not settings.api_keys:
        out.print("[yellow]note[/] open to the network without a key; CROSSMEDIA_API_KEYS=… requires one")
    import uvicorn

    from crossmedia.api.server import create_app

    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("crossmedia").setLevel(logging.INFO)
    uvicorn.run(create_app(settings), host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
