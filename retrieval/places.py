"""Places of files that an archive names: its own, until the files are seen here.

What an archive says of places is true of another machine at best. Taken for places here, it could put a stranger's
asset where a file of ours lies, or have any file of this machine served.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from crossmedia.retrieval.documents import Source

_SCHEME: Final = "imported:"
_ASSET: Final = 64
"""Characters of an asset's id."""


def imported(asset: str, location: str) -> str:
    """The place of an asset's file that was at this absolute path where the archive comes from. No other asset's place
    is the same, and no path of this machine.

    >>> imported("a" * 64, "/photos/a.png")[-16:]
    'aa:/photos/a.png'
    """
    return f"{_SCHEME}{asset}:{location}"


def original(location: str) -> str:
    """The path that an imported place was; a path of this machine comes back as it is.

    >>> original(imported("a" * 64, "/photos/a.png")), original("/photos/b.png")
    ('/photos/a.png', '/photos/b.png')
    """
    return location if is_here(location) else location[len(_SCHEME) + _ASSET + 1 :]


def is_here(location: str) -> bool:
    """Whether a place is a path of this machine."""
    return PurePath(location).is_absolute()


def originals(sources: tuple[Source, ...]) -> list[tuple[str, Source]]:
    """Each place as the path that it is or was, once in a collection; what is seen here comes before what is not."""
    by_path = {
        (source.collection, original(source.location)): source
        for source in sorted(sources, key=lambda source: is_here(source.location))
    }
    kept = set(map(id, by_path.values()))
    return [(original(source.location), source) for source in sources if id(source) in kept]
