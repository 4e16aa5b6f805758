"""The report of an index run: what became of each file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.scan import ScannedFile

FileState: TypeAlias = Literal["added", "unchanged", "copied", "moved", "failed"]


class BadFileName(CrossmediaError):
    """A file's name is not valid text."""

    code = "bad_file_name"
    status = 422


class ChangedWhileRead(CrossmediaError):
    """A file was still being written."""

    code = "changed_while_read"
    status = 409


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file: `copied` and `moved` are known content at a new place."""

    path: str
    state: FileState
    asset: str | None = None
    error: CrossmediaError | None = None
    location: str | None = None
    """The absolute path, which tells apart what is shown under one name."""
    warnings: tuple[str, ...] = ()
    """What of it was lost while the rest was kept."""


@dataclass
class Report:
    """What became of all of them."""

    counts: dict[FileState, int] = field(
        default_factory=lambda: {"added": 0, "unchanged": 0, "copied": 0, "moved": 0, "failed": 0}
    )
    failed: list[FileOutcome] = field(default_factory=list)
    assets: dict[str, str] = field(default_factory=dict)
    """Path → asset id of everything that is now indexed."""
    damaged: list[FileOutcome] = field(default_factory=list)
    """Indexed, with warnings."""
    gone: list[str] = field(default_factory=list)
    """Paths that were indexed below the same folders and are no longer there."""
    pruned: bool = False

    def add(self, outcome: FileOutcome) -> None:
        self.counts[outcome.state] += 1
        if outcome.asset is not None:
            self.assets[outcome.path] = outcome.asset
        if outcome.error is not None:
            self.failed.append(outcome)
        if outcome.warnings:
            self.damaged.append(outcome)

    def as_dict(self) -> dict[str, Any]:
        failed = [{"path": o.path, "error": o.error.as_dict()} for o in self.failed if o.error]
        return {
            **{str(state): count for state, count in self.counts.items()},
            "failures": failed,
            "warnings": [{"path": o.path, "warnings": list(o.warnings)} for o in self.damaged],
            "gone": self.gone,
            "pruned": self.pruned,
        }


def path_text(path: str) -> str:
    """A path as text, also where its bytes are no valid text."""
    return os.fsencode(path).decode(errors="replace")


def outcome(
    found: ScannedFile,
    state: FileState,
    asset: str | None = None,
    error: CrossmediaError | None = None,
    warnings: tuple[str, ...] = (),
) -> FileOutcome:
    """Of a file that was found."""
    return FileOutcome(path_text(found.path), state, asset, error, str(found.location), warnings)
