"""Crossmedia for scripts and notebooks: a library on this machine, or a service over HTTP, with the same methods.

    library = crossmedia.open_library("data")
    library.index("photos")
    for hit in library.search("a dog on the beach")["hits"]:
        print(hit["relevance"], hit["path"])

Files to search by are named by their paths: `library.search(files=["dog.jpg"])`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossmedia.client import Client
    from crossmedia.embeddings.errors import CrossmediaError
    from crossmedia.library import Library, open_library

__all__ = ["Client", "CrossmediaError", "Library", "open_library"]

_MODULES = {
    "Client": "crossmedia.client",
    "CrossmediaError": "crossmedia.embeddings.errors",
    "Library": "crossmedia.library",
    "open_library": "crossmedia.library",
}


def __getattr__(name: str) -> Any:
    # Every module of the project imports this package first: a decoder's process must not import the service for it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
