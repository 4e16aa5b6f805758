"""Who changed what: a line of JSON for each request that does more than read, and for each change of keys."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

FILE: Final = "audit.jsonl"


class Audit:
    """A file in the data folder to which is only added, by any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def note(self, key: str, action: str, **details: Any) -> None:
        """One line: when, whose `key`, and what."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "key": key, "action": action, **details}) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())  # in one call, so that lines of several processes do not mix
        finally:
            os.close(file)
