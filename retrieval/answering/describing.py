"""Describe a picture in a plain sentence made from its labels and colours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from crossmedia.embeddings.media import Picture
from crossmedia.retrieval.answering.colours import COLOURS, colour_shares, part_of_box
from crossmedia.retrieval.answering.things import labels_of
from crossmedia.retrieval.documents import Label, Moment
from crossmedia.retrieval.morphology import NUMERALS, PLURAL_ONLY, plural

MIN_DESCRIBED_SCORE: Final = 0.6
"""Score from which an object is mentioned: on a sheet of photos, most below were something else."""
MAX_OBJECT_KINDS: Final = 5
"""Kinds of objects that a description mentions."""
MIN_LARGE_SHARE: Final = 0.15
"""Share of the picture from which an area is mentioned."""
MAX_QUOTED_CHARACTERS: Final = 60
"""Characters of writing that are quoted."""
MIN_COLOUR_SHARE: Final = 0.55
"""Share of an object's middle that has to have one colour for it to be mentioned."""
ONE_COLOURED: Final = frozenset(
    "car truck bus dog cat horse bird boat motorcycle bicycle umbrella couch chair backpack suitcase kite".split()
)
"""Objects of one colour, mostly."""


@dataclass(frozen=True)
class Description:
    """A sentence, and how sure its least sure part is in [0, 1]."""

    text: str
    sureness: float


def describe(moment: Moment, picture: Picture | None = None) -> Description | None:
    """A description of a picture by its labels, with colours from its pixels; None where nothing is known of it.

    The names of people are told where faces were named.
    """
    objects = labels_of(moment, "object", None, MIN_DESCRIBED_SCORE)
    areas = [label for label in labels_of(moment, "area") if label.score >= MIN_LARGE_SHARE]
    written = [label for label in labels_of(moment, "text") if label.score >= 0.8]
    parts = [_name_counted(value, some, picture) for value, some in _group(objects)[:MAX_OBJECT_KINDS]]
    people = [label.value for label in labels_of(moment, "person") if not label.value.startswith("person ")]
    if people:
        parts = [f"{' and '.join(dict.fromkeys(people))} ({parts[0]})" if parts else " and ".join(people), *parts[1:]]
    if not parts and not areas and not written:
        return None
    sentence = _enumerate(parts) if parts else ""
    if areas:
        ground = _enumerate([label.value for label in areas[:3]])
        sentence = f"{sentence} with {ground}" if sentence else ground
    if written:
        quoted = " ".join(label.value for label in written)
        quoted = (
            quoted
            if len(quoted) <= MAX_QUOTED_CHARACTERS
            else quoted[: MAX_QUOTED_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
        )
        said = f"writing that says “{quoted}”"
        sentence = f"{sentence}; {said}" if sentence else said
    sure = min([*(label.score for label in objects[:MAX_OBJECT_KINDS]), 0.9])
    return Description(sentence[0].upper() + sentence[1:] + ".", sure**0.5)


def _group(objects: list[Label]) -> list[tuple[str, list[Label]]]:
    counted = Counter(label.value for label in objects)
    size = {value: sum(_area(x) for x in objects if x.value == value) for value in counted}
    return [(value, [x for x in objects if x.value == value]) for value in sorted(counted, key=lambda v: -size[v])]


def _name_counted(value: str, some: list[Label], picture: Picture | None) -> str:
    number = NUMERALS[len(some)] if len(some) < len(NUMERALS) else str(len(some))
    name = value if len(some) == 1 else plural(value)
    if len(some) == 1:
        colour = _colour(some[0], picture) if value in ONE_COLOURED else None
        whole = f"{colour} {name}" if colour else name
        if value in PLURAL_ONLY:
            return whole
        return f"{'an' if whole[0] in 'aeiou' else 'a'} {whole}"
    return f"{number} {name}"


def _colour(label: Label, picture: Picture | None) -> str | None:
    if picture is None or label.box is None:
        return None
    shares = colour_shares(picture, part_of_box(label.box, (0.25, 0.25, 0.75, 0.75)))
    best = int(shares.argmax())
    return list(COLOURS)[best] if shares[best] >= MIN_COLOUR_SHARE else None


def _enumerate(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _area(label: Label) -> float:
    return (label.box[2] - label.box[0]) * (label.box[3] - label.box[1]) if label.box else 0.0
