"""What mends a failure, in the words of each face: a command, or what the service offers over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crossmedia.embeddings.errors import CrossmediaError, Remedy

COMMANDS: Final[Mapping[Remedy, str]] = {
    Remedy.INDEX: "crossmedia index PATH",
    Remedy.PRUNE: "crossmedia index PATH --prune",
    Remedy.ENRICH: "crossmedia enrich",
    Remedy.REINDEX: "crossmedia reindex",
    Remedy.REMOVE_HEADS: "crossmedia reindex --builtin",
    Remedy.ALIGN: "crossmedia align train PAIRS.csv",
    Remedy.MERGE: "--merge",
    Remedy.SKIP_BAD: "--skip-bad",
    Remedy.SORT_HASHES: "--skip-bad leaves them out, --kind says what they are",
    Remedy.OTHER_DATA: "--data FOLDER",
    Remedy.LIST_BANKS: "crossmedia bank list",
    Remedy.LIST_MODELS: "crossmedia models",
    Remedy.CHECK: "crossmedia doctor",
}
REQUESTS: Final[Mapping[Remedy, str]] = {
    Remedy.INDEX: "POST /v1/assets",
    Remedy.ENRICH: "GET /v1/jobs shows what is pending",
    Remedy.SORT_HASHES: "?skip_bad=true",
    Remedy.LIST_BANKS: "GET /v1/banks",
    Remedy.CHECK: "GET /readyz",
}
"""What a request can mend. The rest is for whoever runs the service."""


def command_hint(error: CrossmediaError) -> str:
    """The hint with the command, for whoever reads it in a terminal."""
    return _join(error.hint, COMMANDS.get(error.remedy) if error.remedy else None)


def request_hint(error: CrossmediaError) -> str:
    """The hint with the request, for whoever calls the service."""
    return _join(error.hint, REQUESTS.get(error.remedy) if error.remedy else None)


def _join(hint: str, words: str | None) -> str:
    if not words:
        return hint
    return f"{hint}: {words}" if hint else words
