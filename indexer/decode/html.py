"""Decode web pages: the words that a reader sees, one paragraph for each block."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import webencodings

from crossmedia.indexer.decode.charset import Charset, clean, guess
from crossmedia.indexer.decode.errors import Corrupt
from crossmedia.indexer.decode.markup import Tag, Text, tokens
from crossmedia.indexer.decode.text import one_page, read_bytes
from crossmedia.indexer.decode.types import Decoded, Limits

_BLOCK_NAMES: Final = (
    "address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody tfoot thead "
    "tr ul"
)
_BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_CELLS: Final = frozenset(("td", "th"))
_ROWS: Final = frozenset(("tr", "tbody", "tfoot", "thead"))
_TERMS: Final = frozenset(("dt", "dd"))
_HEADINGS: Final = frozenset(("h1", "h2", "h3"))
_HIDDEN: Final = frozenset(("noscript", "template", "svg", "object", "canvas", "select"))
_UNSEEN_TEXTS: Final = frozenset(("script", "style", "iframe", "noembed", "noframes", "title"))
_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_SIBLINGS: Final = {
    "li": {"li"},
    **dict.fromkeys(_TERMS, _TERMS),
    **dict.fromkeys(_CELLS, _CELLS | _ROWS),
    **dict.fromkeys(_ROWS, _ROWS),
    "option": {"option", "optgroup"},
    "p": _BLOCKS - {"br", "option", "tbody", "tfoot", "thead", "tr"},
    "svg": _BLOCKS - {"option"},
    "select": {"select", "input", "textarea"},
}
"""What begins after these elements, not in them, though they were not closed."""
_LISTS: Final = frozenset(("ul", "ol", "dl", "table", "select"))
"""Inside of one of them siblings are others'."""
_META_CHARSET: Final = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)


def decode_html(path: Path, mime: str, limits: Limits) -> Decoded:
    """One page without a number; the title is the document's, else its first heading's. Raises like `decode_text`."""
    data = read_bytes(path, limits)
    text, charset = _decode_text(data, path)
    title, paragraphs = read_page(clean(text))
    return one_page(path, mime, title, paragraphs, charset)


def read_page(markup: str) -> tuple[str | None, list[str]]:
    """The title and the paragraphs of a page."""
    reader = _Reader()
    paragraphs = list(reader.paragraphs(markup))
    return reader.title or reader.heading or None, paragraphs


def _decode_text(data: bytes, path: Path) -> tuple[str, Charset]:
    """By byte order mark or valid UTF-8, else what the page's own head declares, as browsers read it, else a guess."""
    guessed = guess(data)
    if guessed is not None and guessed.name.startswith("utf"):
        return data.decode(guessed.name), guessed
    declared = _META_CHARSET.search(data[:4096])
    known = webencodings.lookup(declared[1].decode("ascii")) if declared else None
    if known is not None and known.name != "replacement":
        return webencodings.decode(data, known)[0], Charset(known.name)
    if guessed is None:
        raise Corrupt(f"{path.name} holds binary data", "save the page again")
    return data.decode(guessed.name), guessed


class _Reader:
    """Reads one page. Afterwards `title` and `heading` are its title and the words of its first heading, or empty."""

    def __init__(self) -> None:
        self.title = ""
        self.heading = ""
        self._open: defaultdict[str, int] = defaultdict(int)
        """How many elements of each name are open: without a tree, so that nesting costs nothing."""
        self._hidden = ""
        """Name of the outermost element at hand that nobody sees."""
        self._inside: defaultdict[str, int] = defaultdict(int)
        """As `_open`, of what is inside of it."""

    def paragraphs(self, markup: str) -> Iterator[str]:
        """The words that are seen, in reading order, one paragraph between two borders of blocks."""
        words: list[str] = []
        headed: list[str] | None = None
        for token in tokens(markup):
            if isinstance(token, Text):
                if token.within == "title" and not self.title and not self._hidden:
                    self.title = " ".join(token.characters.split())
                if not self._hidden and token.within not in _UNSEEN_TEXTS:
                    words.append(token.characters)
                    if headed is not None:
                        headed.append(token.characters)
                continue
            if not self._seen(token):
                continue
            if token.name in _CELLS:
                words.append(" ")
            if token.name in _BLOCKS:
                if line := " ".join("".join(words).split()):
                    yield line
                words = []
            if token.name in _HEADINGS:
                if headed is not None and not self.heading:
                    self.heading = " ".join("".join(headed).split())
                headed = [] if not token.end and not self.heading else None
        if line := " ".join("".join(words).split()):
            yield line
        if headed and not self.heading:
            self.heading = " ".join("".join(headed).split())

    def _seen(self, tag: Tag) -> bool:
        """Follows what is open; False for a tag inside of something hidden."""
        if self._hidden and not self._ends_hidden(tag):
            return False
        if tag.end:
            if self._open[tag.name]:
                self._open[tag.name] -= 1
        elif tag.name not in _VOID and not (tag.closed and tag.name in _HIDDEN):
            if tag.name in _HIDDEN or tag.has("hidden"):
                self._hidden = tag.name
                self._inside.clear()
            else:
                self._open[tag.name] += 1
        return True

    def _ends_hidden(self, tag: Tag) -> bool:
        """Whether a tag stands behind what is hidden: it closes it, or what is around it, or begins what cannot be in
        it."""
        name = tag.name
        if not tag.end:
            begins_sibling = name in _SIBLINGS.get(self._hidden, ()) and not any(self._inside[one] for one in _LISTS)
            if begins_sibling:
                self._hidden = ""
                return True
            if name not in _VOID and not tag.closed:
                self._inside[name] += 1
            return False
        if self._inside[name]:
            self._inside[name] -= 1
            return False
        if name == self._hidden:
            self._hidden = ""
            return name in _BLOCKS or name in _CELLS
        if self._open[name]:
            self._hidden = ""
            return True
        return False
