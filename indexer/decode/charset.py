"""Bytes → text: which character set, and whether they are text at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

import cchardet

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_SHARE: Final = 0.002
_FOREIGN: Final = re.compile(rb"[\x80-\xff]+")
_HANZI: Final = re.compile(rb"(?:[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe])+")
"""The 3,755 commonest Chinese characters and their punctuation, as GB 2312 writes them."""
_HANGUL: Final = re.compile(rb"(?:[\xb0-\xc8][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe])+")
"""The 2,350 Korean syllables and the punctuation of KS X 1001."""
_FEW_BYTES: Final = 8
"""So few bytes outside ASCII tell hardly anything of the alphabet they are of."""
_SURE: Final = 0.7
"""Confidence of the detector from which it is believed without a warning."""
_NULS_OF_ASCII: Final = 0.4
"""Of every second byte of UTF-16: with fewer zeros than that it holds no words in Latin letters."""
_HAN: Final = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]")
_HAN_SHARE: Final = 0.8
_SUPERSETS: Final = {
    "ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
}
"""Programs write the larger set and call it by the name of the smaller."""


@dataclass(frozen=True)
class Charset:
    """A character set, by the name of its Python codec; `sure`: or only the likeliest of several that would do."""

    name: str
    sure: bool = True


def guess(data: bytes, *, whole: bool = True) -> Charset | None:
    """The character set of `data`, or None where the bytes are no text. With `whole` False the last character may be
    cut off.

    A byte order mark decides; else valid UTF-8; else UTF-16 where every second byte is zero or all is East Asian; else
    what uchardet's models of languages find likeliest. More than a trace of control characters is never text.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return Charset(name) if _reads(data, name, whole) else None
    if _reads(data, "utf-8", whole):
        return Charset("utf-8")
    for name, low in (("utf-16-le", data[1::2]), ("utf-16-be", data[0::2])):
        if low.count(0) > _NULS_OF_ASCII * len(low) and _reads(data, name, whole):
            return Charset(name)
    detected, confidence = _detect(data)
    runs = _FOREIGN.findall(data if whole else data[: data.rfind(b"\n") + 1] or data)
    few = sum(map(len, runs)) < _FEW_BYTES
    sure = confidence >= _SURE and not few
    # The detector takes Korean for Chinese that nobody would write, and a few Chinese characters among Latin letters
    # for pairs of accented or Cyrillic ones.
    if not few and all(map(_HANGUL.fullmatch, runs)) and _reads(data, "cp949", whole):
        return Charset("cp949")
    if not sure and all(map(_HANZI.fullmatch, runs)) and _reads(data, "gb18030", whole):
        return Charset("gb18030", sure=False)
    if detected is not None and _reads(data, detected, whole):
        return Charset(detected, sure)
    for name in ("utf-16-le", "utf-16-be"):
        if _is_han(data, name, whole):
            return Charset(name, sure=False)
    return None


def _detect(data: bytes) -> tuple[str | None, float]:
    """The codec that uchardet finds likeliest, and its confidence in [0, 1]."""
    detected = cchardet.detect(data)
    label = (detected["encoding"] or "").lower()
    try:
        name = codecs.lookup(_SUPERSETS.get(label, label)).name
    except LookupError:
        return None, 0.0  # none, or one that Python does not know
    return name, float(detected["confidence"] or 0.0)


def _is_han(data: bytes, name: str, whole: bool) -> bool:
    if not _reads(data, name, whole):
        return False
    text = data.decode(name, "ignore")
    return len(_HAN.findall(text)) >= _HAN_SHARE * len(text) > 0


def _reads(data: bytes, name: str, whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder(name)("strict").decode(data, whole)
    except UnicodeError:
        return False
    return len(_CONTROL.findall(text)) <= _CONTROL_SHARE * len(text)


def clean(text: str) -> str:
    """Line ends as `\\n`, and no control characters but tab and line feed."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").replace("\x1b", ""))


def doubt(name: str) -> str:
    """The warning of a text whose character set is a guess."""
    return f"read as {name}, which is a guess: save it as UTF-8 if letters are wrong"
