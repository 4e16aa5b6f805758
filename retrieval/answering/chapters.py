"""The chapters of a video: its scenes, each with a title, a key frame and its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.answering.describing import describe
from crossmedia.retrieval.answering.summary import summarise
from crossmedia.retrieval.answering.things import labels_of
from crossmedia.retrieval.documents import Moment

MAX_TITLE_CHARACTERS: Final = 60
"""Characters of a title."""


@dataclass(frozen=True)
class Chapter:
    """`number` from 1; times in s; `moment`: the shot that shows it longest, whose thumbnail is its key frame.
    `generated`: its title was made from labels; else it is said in it."""

    number: int
    start: float
    end: float
    title: str
    moment: str
    generated: bool


def chapters(moments: Sequence[Moment], profile: Profile) -> list[Chapter]:
    """In time; none of what has no scenes."""
    shots: dict[str, list[Moment]] = {}
    for moment in moments:
        for label in labels_of(moment, "chapter"):
            shots.setdefault(label.value, []).append(moment)
    spans = sorted((min(_start(m) for m in some), max(_end(m) for m in some), some) for some in shots.values())
    chapters = []
    for number, (start, end, some) in enumerate(spans, start=1):
        longest = max(some, key=lambda m: _end(m) - _start(m))
        spoken = [m for m in moments if m.kind == "speech" and start <= (_start(m) + _end(m)) / 2 < end]
        said = summarise(spoken, profile, 1)
        seen = describe(longest)
        title = said[0].text if said else seen.text.rstrip(".") if seen else f"Chapter {number}"
        chapters.append(Chapter(number, start, end, shorten(title), longest.id, not said))
    return chapters


def shorten(text: str, most: int = MAX_TITLE_CHARACTERS) -> str:
    """A text of at most so many characters, cut between words.

    >>> shorten("one two three", 9)
    'one two…'
    """
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _start(moment: Moment) -> float:
    return moment.start or 0.0


def _end(moment: Moment) -> float:
    return moment.end or _start(moment)
