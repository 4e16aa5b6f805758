"""The one error shape every room raises for a foreseeable failure."""

from __future__ import annotations


class CrossmediaError(Exception):
    """A failure a person can act on: what happened (`message`) and what to do about it (`hint`).

    `code` is stable and machine-readable (`snake_case`), `status` the HTTP status a service answers with.
    """

    code = "error"
    status = 500

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """The envelope's inside, the same in a job's report, on the command line and over HTTP."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def __reduce__(self) -> tuple[type[CrossmediaError], tuple[str, str]]:
        return type(self), (self.message, self.hint)


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


class DiskFull(CrossmediaError):
    """There is no room for what is to be written; nothing of it was."""

    code = "disk_full"
    status = 507

    def __init__(self, message: str, hint: str = "free some disk space, then try again") -> None:
        super().__init__(message, hint)
