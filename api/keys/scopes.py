"""What a request needs to be allowed to do, by its method and path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Scope: TypeAlias = Literal["read", "write", "review", "admin"]
"""Search and look; add, remove and name; decide what is shown; everything, banks, metrics and erasing people
included."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_ASKING: Final = (
    "/v1/search",
    "/v1/ask",
    "/v1/speak",
    "/v1/lookup",
    "/v1/trust",
    "/v1/people/verify",
    "/v1/voices/verify",
)
"""Requests with a body that change nothing."""


@dataclass(frozen=True)
class Holder:
    """Whoever sends a request: the name of the key, and what it allows."""

    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def scope_of(method: str, path: str) -> Scope:
    """What a request needs. One that is not known here needs `admin`.

    >>> scope_of("POST", "/v1/search"), scope_of("DELETE", "/v1/assets/ab"), scope_of("GET", "/v1/review")
    ('read', 'write', 'review')
    """
    if path == "/metrics":
        return "admin"
    if _below(path, "/v1/review"):
        return "review"
    if method in ("GET", "HEAD") or (method == "POST" and path in _ASKING):
        return "read"
    adds = method in ("POST", "DELETE") and _below(path, "/v1/assets")
    names = method in ("POST", "PUT") and (_below(path, "/v1/people") or _below(path, "/v1/voices"))
    return "write" if adds or names else "admin"


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
