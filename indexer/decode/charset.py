"""Bytes → text: which character set, and whether they are text at all."""

from __future__ import annotations

import codecs
import re
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE: Final = 0.002
_HIGH_SHARE: Final = 0.3
"""A western text in cp1252 has far fewer accented letters than this; arbitrary bytes have more."""


def guess(data: bytes, *, whole: bool = True) -> str | None:
    """The character set of `data` (a Python codec name), or None where the bytes are no text.

    A byte order mark decides; else valid UTF-8; else cp1252 if the bytes look like western prose. NUL and more than a
    trace of control characters are never text. With `whole` False the last character may be cut off.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name if _reads(data, name, whole) else None
    if b"\x00" in data:
        return None
    if _reads(data, "utf-8", whole):
        return "utf-8"
    high = sum(byte >= 0x80 for byte in data)
    if high <= _HIGH_SHARE * len(data) and _reads(data, "cp1252", whole):
        return "cp1252"
    return None


def _reads(data: bytes, name: str, whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(name)("strict").decode(data, whole)
    except UnicodeError:
        return False
    return len(_CONTROL.findall(text)) <= _CONTROL_SHARE * len(text)


def clean(text: str) -> str:
    """Line ends as `\\n`, and no control characters but tab and line feed."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").replace("\x1b", ""))
