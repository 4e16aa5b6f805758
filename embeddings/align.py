"""Apply heads that people trained on pairs of their own: each moves one encoder's vectors in the common space.

A head adds to what an encoder says, and only where it has something to say: with n the native and z the common vector,

    z' = unit(z + strength · gate(n) · matrix · ((n, z) − mean))

The gate is 1 near the pairs that were learned from and 0 far from them, so what the encoder knew of everything else
stays as it was, bit by bit. Where the space has dimensions for query-bank normalisation, a vector's own offset is
lowered by lift · gate(n), so that as many unrelated pairs pass the cut-off as did before. A linear residual after Gao
et al., "CLIP-Adapter" (2021); learned by `embeddings/alignment/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from crossmedia.embeddings.encoder import (
    COMMON,
    UNALIGNED,
    Calibration,
    Encoder,
    Encoding,
    Modality,
    Space,
    Vector,
    Vectors,
    normalise,
)
from crossmedia.embeddings.errors import CrossmediaError, Remedy
from crossmedia.embeddings.joined import complete
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile

NEIGHBOURS: Final = 3
"""How many of the nearest sources of the pairs say how near a vector is to them all."""

HEAD: Final = "+align:"
"""Before each head's id in the revision of a common space."""
TO: Final = " → "
"""Between what a space was and what it is being made into, in its revision, while its vectors are made anew."""

ItemT = TypeVar("ItemT")


class HeadUnfit(CrossmediaError):
    """A head was trained on vectors of other models than these."""

    code = "head_unfit"
    status = 409


@dataclass(frozen=True, eq=False)
class Residual:
    """The numbers of a head over vectors (N, d) of the native space and content (N, c) of the common one.

    `mean` (d + c,), `matrix` (d + c, c); `near` (M, d) are native vectors of what was learned from; the gate opens
    where the mean cosine with the nearest three of them goes from `low` to `high`. `absent` (c,) is the content an
    encoder is taken to give that gives none: a direction away from all texts. `lift`: how much less is taken off what
    is moved.
    """

    mean: Vector
    matrix: Vectors
    near: Vectors
    low: float
    high: float
    strength: float
    absent: Vector | None = None
    lift: float = 0.0

    def contents(self, native: Vectors, content: Vectors | None) -> Vectors:
        """(N, d), (N, c) unit rows → (N, c) unit rows; those the gate is closed for come back as they are."""
        base = self.start(len(native), content)
        weight = self.strength * self.gate(native)
        moved = base + weight[:, None] * ((np.hstack([native, base]) - self.mean) @ self.matrix)
        unit = normalise(moved)
        kept = (weight == 0) | ~np.any(unit, axis=1)
        unit[kept] = base[kept]
        return unit

    def start(self, count: int, content: Vectors | None) -> Vectors:
        """(N, c): what the encoder gives, or what stands for it."""
        if content is not None:
            return np.asarray(content, np.float32)
        if self.absent is None:
            raise ValueError("this head needs the encoder's own common vectors")
        return np.tile(self.absent, (count, 1))

    def gate(self, native: Vectors) -> Vector:
        """(N,) in [0, 1]."""
        if not len(native):
            return np.zeros(0, np.float32)
        opened: Vector = np.clip((nearness(native @ self.near.T) - self.low) / (self.high - self.low), 0, 1)
        return opened.astype(np.float32)


def nearness(cosines: NDArray[np.float32]) -> Vector:
    """(N, M) → (N,): mean of the largest few of each row."""
    count = min(NEIGHBOURS, cosines.shape[1])
    best: Vector = np.partition(cosines, -count, axis=1)[:, -count:].mean(1)
    return best


@dataclass(frozen=True, eq=False)
class Head:
    """A residual with what it is for. `native`, `common`: the spaces of the vectors it was trained on, without any
    head.

    `calibration` says what similarities between texts and its vectors mean where the models themselves say nothing of
    it.
    """

    name: str
    modality: Modality
    native: Space
    common: Space
    residual: Residual
    calibration: Calibration | None = None

    @cached_property
    def revision(self) -> str:
        """Of the content: what it maps, and how."""
        digest = hashlib.sha256(json.dumps(head_fields(self), sort_keys=True).encode())
        for _, array in sorted(arrays(self.residual).items()):
            digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:12]

    @property
    def id(self) -> str:
        return f"{self.name}@{self.revision}"

    def common_vectors(self, native: Vectors, common: Vectors | None) -> Vectors:
        """(N, d), (N, dim) unit rows → (N, dim) unit rows; the dimensions that are no content stay."""
        if common is None:
            scale, rest = frame(self.common)
            mapped = self.residual.contents(native, None) * np.float32(scale)
            return np.hstack([mapped, np.tile(rest, (len(native), 1))])
        content, scales = split(common, self.common)
        mapped = self.residual.contents(native, content)
        less = self.residual.lift * self.residual.gate(native)
        moved = np.hstack([mapped * scales, bank_dimensions(common[:, self.common.dim - self.common.extra :], less)])
        same = np.all(mapped == content, axis=1) & (less == 0)
        moved[same] = common[same]
        return moved


def split(vectors: Vectors, space: Space) -> tuple[Vectors, Vectors]:
    """(N, dim) unit rows → their content (N, c) as unit rows, and its length (N, 1)."""
    content = vectors[:, : space.dim - space.extra]
    return normalise(content), np.linalg.norm(content, axis=1, keepdims=True).astype(np.float32)


def bank_dimensions(rest: Vectors, less: Vector) -> Vectors:
    """The two dimensions (N, 2) of query-bank normalisation (`embeddings/train/bank.py`), with `less` (N,) subtracted
    from each vector."""
    if not np.any(less):
        return rest
    length = np.linalg.norm(rest, axis=1)
    offset = np.clip(-rest[:, 0] / length - less, -1, 1)
    changed: Vectors = np.stack([-offset, np.sqrt(1 - offset * offset)], axis=1) * length[:, None]
    return changed.astype(np.float32)


def frame(space: Space) -> tuple[float, Vector]:
    """Length of the content of a vector that nothing is taken off, and its last `extra` numbers."""
    if not space.extra:
        return 1.0, np.zeros(0, np.float32)
    rest = np.zeros(space.extra, np.float32)
    rest[-1] = 0.5**0.5
    return 0.5**0.5, rest


def arrays(residual: Residual) -> dict[str, NDArray[np.float32]]:
    numbers = {"mean": residual.mean, "matrix": residual.matrix, "near": residual.near}
    return numbers if residual.absent is None else {**numbers, "absent": residual.absent}


def head_fields(head: Head) -> dict[str, object]:
    """Everything of a head but its name and its arrays, JSON-ready."""
    residual = head.residual
    return {
        "modality": head.modality,
        "native": asdict(head.native),
        "common": asdict(head.common),
        "gate": [residual.low, residual.high],
        "strength": residual.strength,
        "lift": residual.lift,
        "background": head.calibration.as_dict() if head.calibration else None,
    }


class Aligned(Generic[ItemT]):
    """An encoder whose `common` vectors a head has moved; what they were before is in the space `unaligned`.

    Without a head it is the same encoder under the name the common space then has for all.
    """

    def __init__(self, encoder: Encoder[ItemT], common: Space, head: Head | None) -> None:
        """`common`: of the whole profile, with every head in its revision."""
        own = {space.name: space for space in encoder.spaces}
        self._encoder = encoder
        self._head = head
        self.modality: Modality = encoder.modality
        self.model: str = encoder.model
        spaces = [common if space.name == COMMON else space for space in encoder.spaces]
        if head is not None and COMMON in own:
            spaces.append(replace(own[COMMON], name=UNALIGNED))
        elif head is not None:
            spaces.append(common)
        self.spaces = tuple(spaces)

    def encode(self, batch: Sequence[ItemT]) -> Encoding:
        encoding = self._encoder.encode(batch)
        return encoding if self._head is None else replace(encoding, vectors=move_vectors(encoding.vectors, self._head))


def move_vectors(vectors: Mapping[str, Vectors], head: Head) -> dict[str, Vectors]:
    """Vectors by space as an encoder gives them → with `common` moved, and with what it was as `unaligned`."""
    given = dict(vectors)
    before = given.get(COMMON)
    given[COMMON] = head.common_vectors(given[head.native.name], before)
    return given if before is None else {**given, UNALIGNED: before}


def apply_heads(profile: Profile, heads: Sequence[Head]) -> Profile:
    """The profile with these heads on its encoders. Raises HeadUnfit where one was trained on other models."""
    if not heads:
        return profile
    base = profile.spaces[COMMON]
    by_modality = {head.modality: head for head in heads}
    if len(by_modality) != len(heads) or ("text" in by_modality and len(heads) > 1):
        raise HeadUnfit(
            f"{', '.join(head.id for head in heads)} cannot be used together",
            "one head a medium; and a head for texts stands alone, since the others were aligned to texts as they were",
        )
    common = replace(base, revision=base.revision + "".join(f"{HEAD}{head.id}" for head in heads))
    calibrations = dict(profile.calibrations)
    for head in heads:
        encoder = next(
            (e for e in (profile.text, profile.picture, profile.sound) if e and e.modality == head.modality), None
        )
        if encoder is None or head.native not in encoder.spaces or head.common != base:
            raise HeadUnfit(
                f"the head {head.id} was trained on vectors of {head.native.model} {head.native.revision} and "
                f"{head.common.revision}, which are not what this installation gives",
                "train it again on the same pairs, or take it off the collection",
                Remedy.REMOVE_HEADS,
            )
        if head.calibration is not None:
            calibrations.setdefault((COMMON, "text", head.modality), head.calibration)
            calibrations.setdefault((COMMON, head.modality, "text"), head.calibration)
    return replace(
        profile,
        text=Aligned(profile.text, common, by_modality.get("text")),
        picture=Aligned(profile.picture, common, by_modality.get("picture")),
        sight=_align_sight(profile, common, by_modality.get("picture")),
        sound=Aligned(profile.sound, common, by_modality.get("sound")) if profile.sound else None,
        calibrations=calibrations,
    )


def _align_sight(profile: Profile, common: Space, head: Head | None) -> Encoder[Picture] | None:
    """A head of pictures moves the teacher's vectors as it moves the student's.

    It looks at native vectors as well, which only the student has; so both networks look at each picture. Its matrix
    fits, since the teacher's common vectors are what the student was trained to give, and a reindex moves stored ones,
    whosever they are, in the same way.
    """
    if profile.sight is None or head is None:
        return None if profile.sight is None else Aligned(profile.sight, common, None)
    aligned = Aligned(complete(profile.sight, profile.picture), common, head)
    aligned.model = profile.sight.model  # a reindex has moved what it saw without the head: nothing need be seen again
    return aligned


def applied_heads(revision: str) -> tuple[str, ...]:
    """Ids of the heads that the common space of this revision has, or is being given: `…+align:NAME@REVISION`."""
    return tuple(revision.split(TO)[-1].split(HEAD)[1:])


def heads_of(spaces: Iterable[Space]) -> str:
    """The heads on these spaces, as they stand in their revisions; '' where there are none."""
    return "".join(dict.fromkeys(space.revision.removeprefix(strip_heads(space.revision)) for space in spaces))


def strip_heads(revision: str) -> str:
    """Without heads."""
    return revision.split(HEAD)[0]
