"""Which enrichers there are, and which of them run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from crossmedia.api.settings import Settings
from crossmedia.embeddings.errors import CrossmediaError

ENRICHERS: Final = (
    "transcript", "speakers", "sounds", "objects", "regions", "areas", "faces", "ocr", "plates", "descriptions", "hashes",
    "trust", "nudity", "abuse", "forgery", "spoof",
)  # fmt: skip
"""In the order in which they look at an asset."""
ASKED: Final = ("forgery", "spoof")
"""Indications, that run only where they are named, or the setting `indications` says so."""
OPTIONAL: Final[Mapping[str, str]] = {"nudity": "nudenet", "abuse": "profanity_check"}
"""Those that run where their package is installed, and are not missed elsewhere."""


class UnknownEnricher(CrossmediaError):
    """There is no enricher of that name."""

    code = "unknown_enricher"
    status = 422


def check(names: Sequence[str]) -> None:
    """Raises UnknownEnricher."""
    for name in names:
        if name not in ENRICHERS:
            raise UnknownEnricher(f"no enricher {name!r}", f"there are: {', '.join(ENRICHERS)}")


def wanted(settings: Settings, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """The names of those that are to run: what is named in `only`, or all but what nobody turned on, none that is left
    out. Raises UnknownEnricher."""
    check((*only, *without))
    left_out = {*without, *settings.without}
    return [name for name in ENRICHERS if name not in left_out and (name in only if only else _on(name, settings))]


def _on(name: str, settings: Settings) -> bool:
    if name == "faces":
        return settings.faces
    if name in ASKED:
        return settings.indications
    return name not in OPTIONAL or find_spec(OPTIONAL[name]) is not None
