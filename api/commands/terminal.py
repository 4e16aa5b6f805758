"""What is printed: names and texts of files may hold characters that a terminal obeys, and these are shown, not
sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters (C0 but tab and newline, DEL, C1), and those that change the direction of what stands around
them."""
REPLACEMENT: Final = "\ufffd"


def visible(text: str) -> str:
    """The text with a replacement character for each that a terminal would obey and not show.

    >>> visible("a\\x1b[31mb")
    'a\ufffd[31mb'
    """
    return UNSEEN.sub(REPLACEMENT, text)


def visible_json(text: str) -> str:
    """The same JSON, with those characters written as escapes: whoever reads it gets them."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Terminal(Console):
    """A console whose texts are `visible`; only its own styles and movements of the cursor are sent."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
