"""`serve`: the HTTP service."""

from __future__ import annotations

import gc
import logging
from contextlib import nullcontext
from typing import Annotated, Final

import typer

from crossmedia.api.commands.context import Data, fail, service
from crossmedia.embeddings.errors import CrossmediaError


class OpenToNetwork(CrossmediaError):
    """Others could reach the service, and nothing would ask who they are."""

    code = "open_to_network"


OLDEST_THRESHOLD: Final = 100
"""Collections of the middle generation before one of the oldest (`gc.set_threshold`); Python's own is 10."""


def _freeze() -> None:
    """Spare the garbage collector what lives as long as the server, and let it look through the rest more rarely.

    Looking through everything stopped every search for an eighth of a second, after each thousand searches.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, OLDEST_THRESHOLD)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Open it to the network although requests need no key.")
    ] = False,
    data: Data = None,
) -> None:
    """Start the HTTP service and the web page."""
    import uvicorn

    from crossmedia.api.hosts import is_loopback
    from crossmedia.api.keys.keyring import Keyring
    from crossmedia.api.lock import sole_server
    from crossmedia.api.server import create_app

    with service(data) as opened:
        settings = opened.runtime.settings
        if not (is_loopback(host) or Keyring.of(settings).required or insecure):
            raise OpenToNetwork(
                f"everybody who reaches {host} could read, change and delete everything",
                "make keys with crossmedia key add NAME, or set CROSSMEDIA_API_KEYS=KEY, or use --insecure",
            )
        opened.runtime.store  # noqa: B018 -- one that cannot be opened ends this with what to do
    # A signal ends the program inside `run`: what is open here then would not be closed.
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("crossmedia").setLevel(logging.INFO)
    try:
        with nullcontext() if settings.queue else sole_server(settings.data):
            application = create_app(settings, host, warmed=_freeze)
            uvicorn.run(application, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
    except CrossmediaError as error:
        fail(error)
