"""What is asked and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from crossmedia.embeddings.media import Media, Medium
from crossmedia.retrieval.documents import Box, Kind
from crossmedia.retrieval.likeness import Likeness
from crossmedia.retrieval.order import Order

DEFAULT_MIN_RELEVANCE: Final = 0.5
"""The cut-off: below it a hit is as likely unrelated as related, by the leg's calibration."""


@dataclass(frozen=True)
class LabelFilter:
    """A moment passes if it has `min_count` labels of this kind (and value, if given) scoring at least `min_score`
    each; with `negate`, if it has not."""

    kind: str
    value: str | None = None
    min_score: float = 0.0
    min_count: int = 1
    negate: bool = False


@dataclass(frozen=True)
class Filters:
    """Conditions a hit must meet, all of them. An empty tuple or None does not restrict.

    `path`: a path prefix, or a glob if it holds `*` or `?`. `after`, `before`: ISO dates compared with the date of
    capture (or of the file). `start`, `end`: seconds; the moment must overlap them.
    """

    media: tuple[Medium, ...] = ()
    kinds: tuple[Kind, ...] = ()
    collection: str | None = None
    path: str | None = None
    after: str | None = None
    before: str | None = None
    labels: tuple[LabelFilter, ...] = ()
    assets: tuple[str, ...] = ()
    excluded_assets: tuple[str, ...] = ()
    """Assets that are left out."""
    journal: str | None = None
    """Id of a journal that the store follows (`Store.follow`): what it blocks is left out."""
    start: float | None = None
    end: float | None = None

    def admits(self, path: str, collection: str) -> bool:
        """Whether a source meets the conditions on where an asset lies."""
        fits = self.path is None or fnmatchcase(path, path_pattern(self.path))
        return fits and self.collection in (None, collection)


def path_pattern(path: str) -> str:
    """The glob that a path filter stands for: a prefix unless it holds a wildcard.

    `[` is taken literally, since paths hold it more often than patterns do.
    """
    literal = path.replace("[", "[[]")
    return literal if any(c in path for c in "*?") else literal + "*"


@dataclass(frozen=True, eq=False)
class Example:
    """Something to search by: a decoded medium, or the id of an indexed asset. A negative `weight` pushes away."""

    media: Media | None = None
    asset: str | None = None
    weight: float = 1.0
    name: str = ""


@dataclass(frozen=True, eq=False)
class Query:
    """`texts` are wanted, `negatives` unwanted; `legs` None means every leg that applies. Without texts and examples,
    everything that meets the filters is listed: a moment of each asset.

    `min_relevance` None is the default cut-off, 0 switches it off. An example alone always answers with what is nearest
    to it in its own medium, unless a cut-off is given. `fold` drops hits that show the same thing as a better one;
    `group` keeps the best moment of each asset. `facets`: kinds of labels that are counted on all that was found.

    `sort`: in which order the hits come; None is the best first, of a listing the newest. `cursor`: the `Answer.next`
    of an earlier page of the same query, which this one goes on after.
    """

    texts: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    filters: Filters = field(default_factory=Filters)
    k: int = 10
    legs: tuple[str, ...] | None = None
    min_relevance: float | None = None
    fold: bool = True
    group: bool = False
    facets: tuple[str, ...] = ()
    sort: Order | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Why a hit is a hit: one leg's say. `rank` counts from 1 within the leg; `text` is what matched, if words did.

    `start`, `end`: where in the asset the words are spoken; `page`: where they stand; `query`: which part of the
    query (its text, or the example's name), or for the words leg the words that matched, as they stand there. `moment`:
    which moment says so: the hit's own, a part of it, or one that lies with it in time. `boxes`: where in the picture
    it is seen.
    """

    leg: str
    similarity: float
    relevance: float
    rank: int
    text: str | None = None
    query: str | None = None
    start: float | None = None
    end: float | None = None
    page: int | None = None
    moment: str = ""
    boxes: tuple[Box, ...] = ()
    generated: bool = False
    """Whether the text was made from labels, and stands or is said nowhere."""
    likeness: Likeness | None = None
    """How like an example of its own medium it is, None where that was not asked."""


@dataclass(frozen=True)
class Hit:
    """A moment that answers, with its relevance in [0, 1] and the evidence, strongest first.

    `start`, `end`: the stretch that all of the evidence lies in.
    """

    asset: str
    moment: str
    path: str
    media: Medium
    title: str
    start: float | None
    end: float | None
    page: int | None
    relevance: float
    evidence: tuple[Evidence, ...]
    more: int = 0
    """How many further moments were folded into this hit."""
    likeness: Likeness | None = None
    """How like the example it is, by the leg that says most; None where none of its own medium was given."""


@dataclass(frozen=True)
class FacetCount:
    """On how many moments of how many assets a label of this kind and value stands."""

    kind: str
    value: str
    moments: int
    assets: int


@dataclass(frozen=True)
class Answer:
    """The hits in the order that was asked for, and the time it took."""

    hits: tuple[Hit, ...]
    took_ms: float
    notes: tuple[str, ...] = ()
    """What the searcher should know: a leg left out because its model is absent, speech that was not understood."""
    facets: tuple[FacetCount, ...] = ()
    """The labels of the kinds asked for on all that was found, by kind, those on most moments first."""
    next: str | None = None
    """What goes on after the last hit (`Query.cursor`); None where that was the last of all."""
