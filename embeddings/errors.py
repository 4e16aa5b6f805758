"""The base class of errors that are foreseen, the same in every room."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import Final


class Remedy(StrEnum):
    """What a person can do about a failure. Each face says it in its own words (`api/remedies.py`): a command, a
    request, a method."""

    INDEX = "index"
    PRUNE = "prune"
    ENRICH = "enrich"
    REINDEX = "reindex"
    REMOVE_HEADS = "remove heads"
    ALIGN = "align"
    MERGE = "merge"
    SKIP_BAD = "skip bad"
    SORT_HASHES = "sort hashes"
    OTHER_DATA = "other data"
    LIST_BANKS = "list banks"
    LIST_MODELS = "list models"
    CHECK = "check"


class CrossmediaError(Exception):
    """A failure a person can act on: what happened (`message`) and what to do about it (`hint`, `remedy`).

    `code` is stable and machine-readable (`snake_case`), `status` the HTTP status a service answers with. The hint is
    plain English that fits wherever it is read; where something of ours mends it, `remedy` says what.
    """

    code = "error"
    status = 500

    def __init__(self, message: str, hint: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.remedy = remedy

    def as_dict(self) -> dict[str, str]:
        """The envelope's inside, the same in a job's report, on the command line and over HTTP."""
        remedy = {"remedy": self.remedy.value} if self.remedy else {}
        return {"code": self.code, "message": self.message, "hint": self.hint, **remedy}

    def __reduce__(self) -> tuple[type[CrossmediaError], tuple[str, str, Remedy | None]]:
        return type(self), (self.message, self.hint, self.remedy)


class ModelMissing(CrossmediaError):
    """A model's files are nowhere on the resolution path; the hint is the command that brings them."""

    code = "model_missing"
    status = 503


class ModelCorrupt(CrossmediaError):
    """A model file does not have the SHA-256 its card names."""

    code = "model_corrupt"
    status = 503


class DependencyMissing(CrossmediaError):
    """An optional package is not installed; the hint is the command that installs it."""

    code = "dependency_missing"
    status = 503


FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT)
"""What the operating system says where a disk, or somebody's share of it, is full."""


class NoRoom(CrossmediaError):
    """A disk is full, here or on a server; what was to be written can be written when there is room again."""

    code = "no_room"
    status = 507


class DiskFull(NoRoom):
    """There is no room for what is to be written; nothing of it was."""

    code = "disk_full"

    def __init__(self, message: str, hint: str = "free some disk space, then try again") -> None:
        super().__init__(message, hint)
