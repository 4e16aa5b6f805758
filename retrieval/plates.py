"""Car plates by what stands on them: exactly, or with one character read wrong."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.documents import Box
from crossmedia.retrieval.query import Filters, LabelFilter
from crossmedia.retrieval.store import Store

PLATE: Final = label_kinds.PLATE.name
"""The kind of label that says what stands on a plate: capitals and digits, nothing between them."""
WRONG: Final = 1
"""Characters that may be read wrong, be missing or be too many."""
MIN_PLATE_CHARACTERS: Final = 3
MAX_PLATE_CHARACTERS: Final = 16
_FOLDS: Final = str.maketrans("OQI", "001")
MAX_PLATE_ASSETS: Final = 10_000
"""Assets that are looked through for one plate."""


class BadPlate(CrossmediaError):
    """What is given cannot be on a plate."""

    code = "bad_plate"
    status = 422


@dataclass(frozen=True)
class PlateSighting:
    """A plate where it is seen. `distance`: characters that differ; `start`, `end`: seconds; `box`: fractions of the
    picture."""

    asset: str
    moment: str
    value: str
    distance: int
    score: float
    box: Box | None
    start: float | None
    end: float | None


def plain(text: str) -> str:
    """Capital letters and digits only; without accents, as plates are.

    >>> plain("m-äb 12·34")
    'MAB1234'
    """
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKD", text).upper())


def folded(text: str) -> str:
    """As plates are compared: O and Q are 0, I is 1, which on many plates are the same letter.

    >>> folded("wb-oi7")
    'WB017'
    """
    return plain(text).translate(_FOLDS)


def distance(one: str, other: str) -> int:
    """Characters to change, add or leave out to make one text the other (Levenshtein), as they stand.

    >>> distance("RK755AJ", "RK75AJ"), distance("AB123", "AB124")
    (1, 1)
    """
    row = list(range(len(other) + 1))
    for n, character in enumerate(one, 1):
        before, row[0] = row[0], n
        for m, wanted in enumerate(other, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (character != wanted))
    return row[-1]


def find(store: Store, text: str, wrong: int = WRONG) -> list[PlateSighting]:
    """Where a plate is seen with at most `wrong` characters read wrong, the nearest and then the surest first.

    Capitals, blanks, hyphens and O for 0 do not count. Raises BadPlate for what has fewer than 3 or more than 16
    characters.
    """
    wanted = folded(text)
    if not MIN_PLATE_CHARACTERS <= len(wanted) <= MAX_PLATE_CHARACTERS:
        raise BadPlate(
            f"{text!r} is not a licence plate",
            f"give {MIN_PLATE_CHARACTERS} to {MAX_PLATE_CHARACTERS} letters and digits, such as AB 123 CD",
        )
    apart = {found.value: distance(wanted, folded(found.value)) for found in store.labelled(PLATE)}
    near = {value: d for value, d in apart.items() if d <= wrong}
    assets = {
        asset.id
        for value in near
        for asset in store.assets(Filters(labels=(LabelFilter(PLATE, value),)), MAX_PLATE_ASSETS)
    }
    seen = [
        PlateSighting(asset, moment.id, label.value, near[label.value], label.score, label.box, label.start, label.end)
        for asset in sorted(assets)
        for moment in store.moments(asset)
        for label in moment.labels
        if label.kind == PLATE and label.value in near
    ]
    return sorted(seen, key=lambda one: (one.distance, -one.score, one.asset, one.start or 0.0))
