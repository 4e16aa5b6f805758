"""A query becomes legs: independent searches, each in one space or in the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from crossmedia.embeddings.encoder import COMMON, FACE, IDENTITIES, VOICE, Calibration, Modality, Vector, Vectors
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.retrieval.naming import NamedWords, find_names
from crossmedia.retrieval.relevance import UNKNOWN

WORDS: Final = "words"
LABELS: Final = "labels"
NATIVE: Final[Mapping[Modality, str]] = {
    "text": "text",
    "picture": "picture",
    "sound": "sound",
    "voice": VOICE,
    "face": FACE,
}
"""Where like is compared with like; the common space serves what has no native one."""
TARGETS: Final[tuple[Modality, ...]] = ("picture", "text", "sound", "voice", "face")


class UnknownLeg(CrossmediaError):
    """A search was restricted to a leg that does not exist."""

    code = "unknown_leg"
    status = 422


class EmptyQuery(CrossmediaError):
    """Nothing to search for."""

    code = "empty_query"
    status = 422


@dataclass(frozen=True, eq=False)
class QueryPart:
    """One thing wanted (weight > 0) or unwanted (< 0), as vectors by (space, modality it was made from).

    Several vectors under one key are views of the same thing (key frames of a clip): a target is as near as it is to
    the nearest of them. `text` is what the words leg searches for; `name` is what evidence calls this part.
    """

    weight: float
    name: str
    vectors: Mapping[tuple[str, Modality], Sequence[Vector]]
    text: str | None = None


@dataclass(frozen=True, eq=False)
class Unwanted:
    """`direction · target − offset`: log-odds beyond those of an unrelated target."""

    direction: Vector
    offset: float


@dataclass(frozen=True, eq=False)
class VectorLeg:
    """Search one space among targets of one modality.

    The log-odds of relevance are `direction · target − offset`, also when several parts are wanted: of one part they
    are `slope · (cosine − bias)` of its calibration, of several their weighted mean. Each of the `unwanted` takes its
    own off, as far as they exceed those of an unrelated target: being unlike what is not wanted earns nothing. `unit`
    is what the store is asked for; with something unwanted it leans away from that, and the candidates are ranked
    again.
    """

    space: str
    target: Modality
    direction: Vector
    offset: float
    share: float
    part: str
    unwanted: tuple[Unwanted, ...] = ()
    like_with_like: Calibration | None = None
    """Their calibration, where the query is one example of the target's modality and nothing is said in it."""

    @property
    def name(self) -> str:
        return self.space

    @property
    def of_parts(self) -> bool:
        """Whether it finds what lies inside other moments."""
        return self.target == "face"

    @property
    def within(self) -> Modality | None:
        """Parts of its targets that may be nearer than the whole: small things in a picture."""
        return "region" if (self.space, self.target) == (COMMON, "picture") else None

    @property
    def unit(self) -> Vector:
        leaning = self.direction - np.sum([u.direction for u in self.unwanted], axis=0, dtype=np.float32)
        away = leaning if np.any(leaning) else self.direction
        return away / np.float32(np.linalg.norm(away))

    def log_odds(self, targets: Vectors) -> Vector:
        """(N, dim) unit rows → (N,)."""
        odds = targets @ self.direction - np.float32(self.offset)
        for unwanted in self.unwanted:
            odds = odds - np.maximum(0, targets @ unwanted.direction - np.float32(unwanted.offset))
        return odds

    def similarity(self, targets: Vectors) -> Vector:
        """Cosines with what is wanted; several parts count by their weights."""
        return targets @ self.direction / np.float32(np.linalg.norm(self.direction))


@dataclass(frozen=True)
class WordsLeg:
    """Search the texts for the words of the wanted parts, leaving out those that hold an unwanted phrase."""

    text: str
    without: tuple[str, ...]
    share: float
    name: Literal["words"] = WORDS


@dataclass(frozen=True)
class LabelsLeg:
    """Search for what bears labels that the wanted parts name."""

    naming: NamedWords
    share: float
    name: Literal["labels"] = LABELS


Leg = VectorLeg | WordsLeg | LabelsLeg


def plan(
    parts: Sequence[QueryPart],
    spaces: Sequence[str],
    calibrations: Mapping[tuple[str, Modality, Modality], Calibration],
    only: Sequence[str] | None = None,
) -> list[Leg]:
    """The legs of a query over a collection with these spaces; `only` restricts them by name.

    Who somebody is, is searched for only where `only` names it: a spoken question asks for no voice. A leg that can
    express only some of the wanted parts counts with the share of their weight (`share`).
    """
    known = [*spaces, WORDS, LABELS]
    for name in only or ():
        if name not in known:
            raise UnknownLeg(f"no leg {name!r}", f"legs of this collection: {', '.join(known)}")
    wanted = [part for part in parts if part.weight > 0]
    unwanted = [part for part in parts if part.weight < 0]
    if not wanted:
        raise EmptyQuery(
            "nothing to search for",
            "give words, an example file or asset, or filters; what is unwanted is not enough",
        )
    legs: list[Leg] = []
    for target in TARGETS:
        native = NATIVE[target]
        covered = native in spaces and all((native, target) in part.vectors for part in wanted)
        for space in spaces:
            if native in IDENTITIES and (space != native or only is None):
                continue
            # The common space compares like with like only where no native space can express the whole query, but for
            # pictures: it finds more of the same kind, the native one copies.
            if space == COMMON and covered and target != "picture" and (only is None or native in only):
                continue
            if space != COMMON and space != native:
                continue
            legs.extend(_views(space, target, wanted, unwanted, calibrations))
    texts = [part for part in wanted if part.text]
    if texts:
        said = " ".join(str(part.text) for part in texts)
        legs.append(WordsLeg(said, tuple(part.text for part in unwanted if part.text), _share(texts, wanted)))
        if (named := find_names(said)).phrases:
            legs.append(LabelsLeg(named, _share(texts, wanted)))
    return [leg for leg in legs if only is None or leg.name in only]


def _views(
    space: str,
    target: Modality,
    wanted: Sequence[QueryPart],
    unwanted: Sequence[QueryPart],
    calibrations: Mapping[tuple[str, Modality, Modality], Calibration],
) -> Iterator[VectorLeg]:
    """A leg for each view of the parts; parts with fewer views than another repeat theirs."""
    expressed = [(part, made_from) for part in wanted if (made_from := _made_from(part, space, target)) is not None]
    for view in range(max((len(part.vectors[space, made_from]) for part, made_from in expressed), default=0)):
        leg = _compose(space, target, view, wanted, expressed, unwanted, calibrations)
        if leg is not None:
            yield leg


def _compose(
    space: str,
    target: Modality,
    view: int,
    wanted: Sequence[QueryPart],
    expressed: Sequence[tuple[QueryPart, Modality]],
    unwanted: Sequence[QueryPart],
    calibrations: Mapping[tuple[str, Modality, Modality], Calibration],
) -> VectorLeg | None:
    total = sum(part.weight for part, _ in expressed)
    direction: Vector | None = None
    offset = 0.0
    for part, made_from in expressed:
        calibration = calibrations.get((space, made_from, target), UNKNOWN)
        factor = calibration.slope * part.weight / total
        views = part.vectors[space, made_from]
        scaled = calibration.compared(views[view % len(views)]) * np.float32(factor)
        direction = scaled if direction is None else direction + scaled
        offset += factor * calibration.bias
    if direction is None or not np.any(direction):
        return None
    against = []
    for part in unwanted:
        modality = _made_from(part, space, target)
        if modality is not None:
            calibration = calibrations.get((space, modality, target), UNKNOWN)
            factor = calibration.slope * -part.weight
            against += [
                Unwanted(calibration.compared(v) * np.float32(factor), factor * calibration.mean)
                for v in part.vectors[space, modality]
            ]
    name = " + ".join(part.name for part, _ in expressed)
    share = _share([p for p, _ in expressed], wanted)
    like_with_like = None
    if len(wanted) == 1 and wanted[0].text is None and expressed[0][1] == target and space not in IDENTITIES:
        like_with_like = calibrations.get((space, target, target), UNKNOWN)
    return VectorLeg(space, target, direction, offset, share, name, tuple(against), like_with_like)


def _made_from(part: QueryPart, space: str, target: Modality) -> Modality | None:
    """Which of a part's vectors to compare with this target: of its own modality if there is one."""
    preferred: tuple[Modality, ...] = (target, "text", "picture", "sound")
    return next((modality for modality in preferred if part.vectors.get((space, modality))), None)


def _share(some: Sequence[QueryPart], wanted: Sequence[QueryPart]) -> float:
    return sum(part.weight for part in some) / sum(part.weight for part in wanted)
