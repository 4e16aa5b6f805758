"""The names by which a request may call this service.

Without this check, a web site whose name is made to lead to this machine (DNS rebinding) could read everything: to a
browser, its page and the service are then one site.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crossmedia.api.guards import envelope
from crossmedia.embeddings.errors import CrossmediaError

ANY: Final = "*"


class ForeignHost(CrossmediaError):
    """A request calls the service by a name that is not its own."""

    code = "foreign_host"
    status = 421


class HostCheck:
    """Answers requests whose Host is a loopback name, what the service listens on, or one of `names`; 421 otherwise.

    `bound`: the address or name it listens on. If that is all addresses, any number address is accepted: no web site
    has one of this machine, so none can be led here. `names` may hold `*`, which accepts every name.
    """

    def __init__(self, app: ASGIApp, bound: str, names: Sequence[str] = ()) -> None:
        self._app = app
        self._any_address = not bound or (_is_address(bound) and ip_address(bound).is_unspecified)
        self._any_name = ANY in names
        own = (socket.gethostname(),) if self._any_address else (bound,)
        self._names = {_normalise(name) for name in (*own, *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._any_name:
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1 or not self._accepts(_without_port(hosts[0])):
                refused = ForeignHost(
                    "this service is not known by the name in the Host header",
                    "the service accepts further names with CROSSMEDIA_HOSTS=NAME",
                )
                await envelope(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _accepts(self, host: str) -> bool:
        name = _normalise(host)
        return name in self._names or is_loopback(name) or (self._any_address and _is_address(name))


def is_loopback(host: str) -> bool:
    """Whether an address or name leads to this machine only.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    """`[::1]:8000` → `[::1]`; what is no host comes back as it is."""
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or (port.isascii() and port.isdigit())) and not name.endswith(":") else host


def _normalise(host: str) -> str:
    """Names in lower case without the dot of the root; IPv6 addresses without brackets."""
    host = host.lower().removesuffix(".")
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host
