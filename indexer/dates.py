"""When something was made, where its file does not say so: by its name, else by the file's own time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

_NAMED: Final = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)"
    r"(?:(?:[-_. T]|\s+at\s+)?(\d\d)([-_.:h]?)(\d\d)\6(\d\d)(?:\.?\d{3})?)?(?!\d)"
)
"""20150102, 2015-01-02, 2015_01_02, and a time after it: 030405, 03.04.05, `at 03.04.05`, with milliseconds."""


def date_in_name(name: str) -> str | None:
    """The date, and the time if there is one, that a phone, a camera or a person wrote into a file's name, as ISO 8601.

    >>> date_in_name("IMG_20150102_030405.jpg"), date_in_name("VID-20210504-WA0001.mp4")
    ('2015-01-02T03:04:05', '2021-05-04')
    >>> date_in_name("Screenshot 2021-05-04 at 12.13.14.png"), date_in_name("scan 20159999.png")
    ('2021-05-04T12:13:14', None)
    """
    for match in _NAMED.finditer(name):
        day = "-".join(match.group(1, 3, 4))
        try:
            if match[5] is None:
                return date.fromisoformat(day).isoformat()
            return datetime.fromisoformat(f"{day}T{':'.join(match.group(5, 7, 8))}").isoformat()
        except ValueError:
            continue
    return None


def date_of_file(ns: int) -> str | None:
    """A file's time in ns since 1970 as ISO 8601; None where it is before the year 1 or after 9999."""
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None
