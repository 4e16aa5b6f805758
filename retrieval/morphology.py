"""English nouns and numerals: the plural of a noun, what a plural may be the plural of, numbers written as words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

IRREGULAR_PLURALS: Final = dict(
    pair.split("/")
    for pair in """
    person/people man/men woman/women child/children mouse/mice goose/geese knife/knives leaf/leaves wolf/wolves
    sheep/sheep bus/buses glass/glasses
    """.split()
)
"""Singular → plural, also where the rule for plurals would guess a second singular (`buse`)."""
PLURAL_ONLY: Final = frozenset(("skis", "scissors"))
"""Nouns that are named in the plural, even one of them."""
NUMERALS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
"""Numbers as they are written in front of a noun, by their value."""
MAX_COUNT: Final = 20
"""The largest number that is understood as a count of things."""
_SINGULARS: Final = {plural: singular for singular, plural in IRREGULAR_PLURALS.items()}
_COUNTS: Final = {word: count for count, word in enumerate(NUMERALS) if count} | {"couple": 2, "pair": 2, "several": 3}


def plural(noun: str) -> str:
    """The plural of a noun of one or more words, lower case.

    >>> plural("dog"), plural("knife"), plural("wine glass"), plural("scissors")
    ('dogs', 'knives', 'wine glasses', 'scissors')
    """
    if noun in PLURAL_ONLY:
        return noun
    return IRREGULAR_PLURALS.get(noun) or noun + ("es" if noun.endswith(("s", "ch", "sh", "x")) else "s")


def singulars(word: str) -> Iterator[str]:
    """What a word, lower case, may be the plural of; nothing if it is no plural.

    >>> list(singulars("boxes")), list(singulars("people")), list(singulars("grass"))
    (['boxe', 'box'], ['person'], [])
    """
    if word in _SINGULARS:
        yield _SINGULARS[word]
    elif word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    elif word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        yield word[:-1]
        if word.endswith("es"):
            yield word[:-2]


def parse_number(word: str) -> int | None:
    """The count that a word means, in digits up to `MAX_COUNT` or as a word; None if it means none.

    >>> parse_number("20"), parse_number("two"), parse_number("couple"), parse_number("1000")
    (20, 2, 2, None)
    """
    if word.isascii() and word.isdigit() and len(word) <= 2:
        return int(word) if 1 <= int(word) <= MAX_COUNT else None
    return _COUNTS.get(word)
