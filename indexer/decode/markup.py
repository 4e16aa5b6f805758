"""Read HTML as a sequence of tags and texts, in time and memory that grow with its length alone.

A tree costs more: whether a tag may close a paragraph is looked up among all that are open, an attribute is compared
with all before it, and a node takes a hundred bytes. For the words of a page in their order no tree is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final, Literal, NamedTuple

# Possessive, and whatever is never closed lasts to the end as in browsers: nothing is read twice.
_TOKEN: Final = re.compile(
    r"""(?P<text>(?:[^<]++|<(?![a-z!?/]))++)
    |<!--(?:-?+>|(?P<comment>.*?)(?:--!?>|\Z))
    |<(?P<slash>/?+)(?P<name>[a-z][^\s/>]*+)(?P<inside>(?>=\s*+"[^"]*+"|=\s*+'[^']*+'|[^>])*+)(?:>|\Z)
    |<[!?/][^>]*+(?:>|\Z)""",
    re.I | re.S | re.X,
)
_ATTRIBUTE: Final = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>]|\Z)", re.I)
    for name in ("script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title")
}
"""Elements without elements inside, by name; what ends each of them."""
_WITH_ENTITIES: Final = frozenset(("textarea", "title"))


class Tag(NamedTuple):
    """`<name …>`, or `</name>` as an `end`; lower case. `inside`: what is written between the name and the `>`."""

    name: str
    end: bool
    inside: str

    @property
    def closed(self) -> bool:
        """Whether it ends itself, as in XML."""
        return self.inside.endswith("/")

    def has(self, attribute: str) -> bool:
        """Whether it bears an attribute of that name (lower case)."""
        # Only the tags that may bear it are taken apart.
        return attribute in self.inside.lower() and any(
            match[1].lower() == attribute for match in _ATTRIBUTE.finditer(self.inside)
        )


class Text(NamedTuple):
    """Characters, their entities resolved; `within` names the element of plain characters that they are all of."""

    characters: str
    within: Literal["", "script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title", "plaintext"] = (
        ""
    )


def tokens(markup: str) -> Iterator[Tag | Text]:
    """The tags and texts of a page in their order, without comments and declarations. Elements of plain characters
    are their start tag, one `Text` and their end tag."""
    at = 0
    while at < len(markup):
        match = _TOKEN.match(markup, at)
        assert match is not None  # one of the branches takes any character
        at = match.end()
        name = match["name"]
        if name is None:
            if match["text"] is not None:
                yield Text(unescape(match["text"]))
            continue
        tag = Tag(name.lower(), bool(match["slash"]), match["inside"])
        yield tag
        if tag.end:
            continue
        if tag.name == "plaintext":
            yield Text(markup[at:], "plaintext")
            return
        ending = _RAW.get(tag.name)
        if ending is not None:
            end = ending.search(markup, at)
            stop = end.start() if end else len(markup)
            raw = markup[at:stop]
            yield Text(unescape(raw) if tag.name in _WITH_ENTITIES else raw, tag.name)  # type: ignore[arg-type]
            at = stop
