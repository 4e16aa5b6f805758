"""What is stored: assets, their moments, and the labels on them. Values without behaviour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from crossmedia.embeddings.encoder import Modality, Space, Vector
from crossmedia.embeddings.media import Medium
from crossmedia.embeddings.profile import Word

Kind: TypeAlias = Literal[
    "picture", "shot", "frame", "speech", "passage", "turn", "sound", "paragraph", "region", "face"
]
"""A still; a stretch of video between two cuts, and one of its key frames where it has several; a sentence spoken, and
a run of them; a stretch in which one person speaks; a sound; a piece of text; a part of a picture or key frame that is
looked at by itself, and a face in it: those two lie inside another moment (`part_id`)."""

MODALITY: Final[Mapping[Kind, Modality]] = {
    "picture": "picture",
    "shot": "picture",
    "frame": "picture",
    "speech": "text",
    "passage": "text",
    "turn": "voice",
    "sound": "sound",
    "paragraph": "text",
    "region": "region",
    "face": "face",
}
"""What the vectors of a moment were made from, the sentence vectors of its words apart."""

PARTS: Final[frozenset[Kind]] = frozenset(("region", "face"))
"""Kinds of what lies inside another moment."""
TIMED: Final = ("audio", "video")
"""Media that have a length."""
ADDED: Final[frozenset[Kind]] = PARTS | {"speech", "passage", "turn"}
"""Kinds that enrichers add to an asset; the others are there from the first pass."""

REVISION: Final = "reindex"
"""What a store's `pending` knows revisions by, beside the names of enrichers."""

PREVIEW: Final = "preview"
"""The attachment that shows a video in small: an animated WebP."""
MOTION: Final = "motion"
"""The attachment that tells how much moves in a video: JSON, `{"times": [s, …], "energy": [0..1, …]}`."""

FIELDS: Final = ("title", "text", "transcript", "ocr", "description")
"""The full-text fields of a moment. A `description` was made from labels; everything else stands or is said in the
asset."""

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in fractions of width and height."""


@dataclass(frozen=True)
class Label:
    """Something a model says of a moment. `score` in [0, 1]; `model` is its id and revision; times in seconds."""

    kind: str
    value: str
    score: float
    model: str
    box: Box | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, eq=False)
class Moment:
    """A still, a page's paragraph, or a time span of an asset: what a search finds.

    `id` is `moment_id(asset, kind, number)`: the same content cut the same way gets the same id again.
    `fields` maps names of `FIELDS` to text, `vectors` names of spaces to unit vectors; `thumbnail` is a small JPEG.
    """

    id: str
    asset: str
    kind: Kind
    start: float | None = None
    end: float | None = None
    page: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()
    words: tuple[Word, ...] = ()
    thumbnail: bytes | None = None


@dataclass(frozen=True)
class Source:
    """Where an asset's bytes lie, in a collection. `size` and `mtime_ns` as seen when they were read.

    `location` is the absolute path, which identifies the source; `path` is how it was named when it was indexed (the
    folder given, and the way from there), which people see and filter by.
    """

    location: str
    path: str
    collection: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Asset:
    """One file's content. `id` is the SHA-256 of its bytes in hex; `captured` an ISO 8601 date where one is known.

    `metadata` is JSON-ready: width, height, seconds, pages, gps, camera, …
    """

    id: str
    media: Medium
    mime: str
    size: int
    title: str
    captured: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def coordinates(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, where the file says them; None for what no decoder wrote, since metadata
        of an archive may be anything."""
        gps: Any = self.metadata.get("gps")
        try:
            lat, lon = float(gps["lat"]), float(gps["lon"])
        except (KeyError, TypeError, ValueError):
            return None
        return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None

    @property
    def seconds(self) -> float | None:
        """How long a sound or a video lasts (`seconds_of`)."""
        return seconds_of(self.media, self.metadata)


@dataclass(frozen=True, eq=False)
class Document:
    """The unit of writing: an asset, where it lies, its moments, and what else is kept with it by name (`PREVIEW`,
    `MOTION`)."""

    asset: Asset
    source: Source
    moments: tuple[Moment, ...]
    attachments: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Patch:
    """What an enricher adds to a moment that exists."""

    moment: str
    fields: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, eq=False)
class Enrichment:
    """One enricher's whole result for one asset: new moments and patches; replaces what it said before.

    `error` is the reason (code, message, hint) where the enricher could not read this asset; it is not retried until
    its model changes. `spaces`: those that its vectors are of; a store takes vectors of no others.

    `replaces`: names of spaces in which a patch's vector takes the place of the moment's own, of whichever maker. It is
    of that maker then: what the enricher says later may replace it again, and never leaves the moment without one.
    """

    asset: str
    enricher: str
    model: str
    moments: tuple[Moment, ...] = ()
    patches: tuple[Patch, ...] = ()
    error: Mapping[str, str] | None = None
    spaces: tuple[Space, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Revision:
    """Vectors of an asset made anew, its moments and their words kept.

    The moments that `vectors` (moment → space → vector) names have exactly these vectors in `spaces` afterwards, the
    others what they had. `labels` replaces what the first pass said of the moments it names. `model` is the version
    that made it, as an enrichment's. `undone`: enrichers that have not seen the asset afterwards, since vectors that
    they had put in the place of others (`Enrichment.replaces`) are not there any more.
    """

    asset: str
    model: str
    spaces: tuple[str, ...]
    vectors: Mapping[str, Mapping[str, Vector]]
    labels: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)
    undone: tuple[str, ...] = ()


def seconds_of(media: str, metadata: Mapping[str, Any]) -> float | None:
    """How long a sound or a video lasts; None of other media, and where nothing sensible is known: metadata of an
    archive may be anything."""
    seconds = metadata.get("seconds")
    if media not in TIMED or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return float(seconds) if abs(seconds) < 1e12 and math.isfinite(seconds) else None


def moment_id(asset: str, kind: Kind, number: int) -> str:
    """The deterministic id of an asset's `number`-th moment of a kind."""
    return f"{asset}-{kind}{number}"


def part_id(moment: str, kind: Kind, number: int) -> str:
    """The id of the `number`-th part of a kind that lies in a moment: it tells which, so that a hit shows the whole."""
    return f"{moment}.{kind}{number}"


def whole_of(moment: str) -> str:
    """The moment that this one lies in: itself, unless it is a part.

    >>> whole_of("ab-frame3.region0"), whole_of("ab-picture0")
    ('ab-frame3', 'ab-picture0')
    """
    return moment.rsplit(".", 1)[0] if kind_of(moment) in PARTS else moment


def asset_of(moment: str) -> str:
    """The asset that the id of a moment tells."""
    return moment.rsplit("-", 1)[0]


def kind_of(moment: str) -> str:
    """The kind that the id of a moment tells."""
    return moment.rsplit("-", 1)[1].rsplit(".", 1)[-1].rstrip("0123456789")


def modality(space: str, kind: Kind) -> Modality:
    """What the vector of this space in a moment of this kind was made from: a picture's `text` is made from its
    words."""
    return "text" if space == "text" else MODALITY[kind]
