"""Decode web pages: the words that a reader sees, one paragraph for each block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import webencodings
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crossmedia.indexer.decode.charset import Charset, clean, guess
from crossmedia.indexer.decode.errors import Corrupt
from crossmedia.indexer.decode.text import one_page, read_bytes
from crossmedia.indexer.decode.types import Decoded, Limits

_HIDDEN: Final = "script, style, noscript, template, svg, iframe, object, canvas, select, head, [hidden]"
_BLOCK_NAMES: Final = (
    "address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody tfoot thead "
    "tr ul"
)
_BLOCKS: Final = frozenset(_BLOCK_NAMES.split())
_CELLS: Final = frozenset(("td", "th"))
_HEADINGS: Final = "h1, h2, h3"
_META_CHARSET: Final = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)


def decode_html(path: Path, mime: str, limits: Limits) -> Decoded:
    """One page without a number; the title is the document's, else its first heading's. Raises like `decode_text`."""
    data = read_bytes(path, limits)
    text, charset = _decode_text(data, path)
    tree = LexborHTMLParser(clean(text))
    titled = tree.css_first("title") or tree.css_first(_HEADINGS)
    title = " ".join(titled.text().split()) if titled else ""
    for node in tree.css(_HIDDEN):
        node.decompose()
    paragraphs = list(_paragraphs(tree.root)) if tree.root else []
    return one_page(path, mime, title or None, paragraphs, charset)


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


def _paragraphs(root: LexborNode) -> Iterator[str]:
    words: list[str] = []
    for part in _walk(root):
        if part is not None:
            words.append(part)
        elif words:
            if line := " ".join("".join(words).split()):
                yield line
            words = []
    if line := " ".join("".join(words).split()):
        yield line


def _walk(root: LexborNode) -> Iterator[str | None]:
    """Pieces of text in reading order, None at each border of a block. Iterative: pages may nest without end."""
    node: LexborNode | None = root
    while node is not None:
        tag = node.tag
        if tag == "-text":
            yield node.text(deep=False)
        if tag in _BLOCKS:
            yield None
        following = node.first_child if tag != "-text" else None
        while following is None and node is not None:
            if node.tag in _BLOCKS:
                yield None
            elif node.tag in _CELLS:
                yield " "
            if node.parent is None or node.mem_id == root.mem_id:
                return
            following = node.next
            if following is None:
                node = node.parent
        node = following
