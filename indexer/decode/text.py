"""Decode plain text and Markdown into paragraphs."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import Final

from crossmedia.indexer.decode.charset import Charset, clean, doubt, guess
from crossmedia.indexer.decode.errors import Corrupt, EmptyFile, TooLarge
from crossmedia.indexer.decode.types import Decoded, Limits, Page

_BYTES_A_CHARACTER: Final = 4
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?=\s)")
_UNDERLINE: Final = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
_FENCE: Final = re.compile(r"^ {0,3}(```|~~~)")
_RULE: Final = re.compile(r"^ {0,3}([-*_])(\s*\1){2,}\s*$")
_WRAPPED: Final = 200
"""Without blank lines, a text whose lines are longer than this has a paragraph a line."""


def decode_text(path: Path, mime: str, limits: Limits) -> Decoded:
    """One page without a number. Markdown's first heading is the title. Metadata: `charset`, `characters`.

    Raises `TooLarge`, `EmptyFile` (nothing but white space) and `Corrupt` (binary bytes after a beginning of text).
    """
    text, charset = read_text(path, limits)
    title, paragraphs = markdown(text) if mime == "text/markdown" else (None, plain(text))
    return one_page(path, mime, title, paragraphs, charset)


def one_page(path: Path, mime: str, title: str | None, paragraphs: list[str], charset: Charset) -> Decoded:
    """A text without pages. Raises `EmptyFile` if it has no paragraph."""
    if not paragraphs:
        raise EmptyFile(f"{path.name} has no words", "leave it out")
    metadata = {"charset": charset.name, "characters": sum(map(len, paragraphs))}
    warnings = () if charset.sure else (doubt(charset.name),)
    return Decoded("text", mime, (Page(None, tuple(paragraphs)),), title=title, metadata=metadata, warnings=warnings)


def read_text(path: Path, limits: Limits) -> tuple[str, Charset]:
    """The file's text with clean line ends, and its character set."""
    data = read_bytes(path, limits)
    charset = guess(data)
    if charset is None:
        raise Corrupt(f"{path.name} begins as text but holds binary data", "save it as UTF-8 text")
    text = clean(data.decode(charset.name))
    if len(text) > limits.characters:
        raise _too_long(path, limits)
    return text, charset


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The file's bytes, never more than `limits.characters` characters can take."""
    most = limits.characters * _BYTES_A_CHARACTER
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise _too_long(path, limits)
    return data


def _too_long(path: Path, limits: Limits) -> TooLarge:
    return TooLarge(
        f"{path.name} has more than the {limits.characters:,} characters allowed",
        "split it, or raise the limit on characters",
    )


def plain(text: str) -> list[str]:
    """Paragraphs of a plain text, white space collapsed."""
    lines = text.strip().split("\n")
    if all(map(str.strip, lines)) and median(map(len, lines)) > _WRAPPED:
        return [" ".join(line.split()) for line in lines]
    return _blocks(lines)


def _blocks(lines: list[str]) -> list[str]:
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1] += line.split()
        elif blocks[-1]:
            blocks.append([])
    return [" ".join(words) for words in blocks if words]


def markdown(text: str) -> tuple[str | None, list[str]]:
    """The first heading, and the paragraphs; a heading and a fenced block are paragraphs of their own."""
    title: str | None = None
    out: list[str] = []
    held: list[str] = []
    fence: str | None = None

    def flush() -> None:
        out.extend(_blocks(held))
        held.clear()

    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in (None, mark[1]):
            flush()
            fence = None if fence else mark[1]
            continue
        if fence:
            held += [line] if line.strip() else []
            continue
        heading = _heading(line)
        underlined = held and held[-1].strip() and _UNDERLINE.match(line)
        if heading is not None or underlined:
            words = heading if heading is not None else held.pop().strip()
            flush()
            title = title or words or None
            out += [words] if words else []
        elif not _RULE.match(line):
            held.append(line)
    flush()
    return title, out


def _heading(line: str) -> str | None:
    """The words of a Markdown heading, without the number signs that may close it; None where the line is none.

    >>> _heading("## The *title* ##"), _heading("#hashtag"), _heading("# C# #")
    ('The *title*', None, 'C#')
    """
    mark = _HEADING.match(line)
    if mark is None:
        return None
    words = line[mark.end() :].strip()
    body = words.rstrip("#")
    return body.rstrip() if body != words and (not body or body[-1].isspace()) else words
