"""The encoder protocol: a batch of decoded media in, unit vectors of one or several spaces out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
Vectors: TypeAlias = NDArray[np.float32]
COMMON: Final = "common"
"""The name of the space that every medium shares."""
UNALIGNED: Final = "unaligned"
"""The name of the space that keeps what was in `common` before an aligned head mapped it; it is never searched."""
VOICE: Final = "voice"
"""The name of the space that identifies voices."""
FACE: Final = "face"
"""The name of the space that identifies faces."""
IDENTITIES: Final = frozenset((VOICE, FACE))
"""Spaces that tell who something is of, not what it is: searched only where a query asks for it. In a collection of one
person's recordings any two vectors belong together, so random pairs say nothing there."""
Modality: TypeAlias = Literal["text", "picture", "sound", "voice", "region", "face"]
"""What a vector was made from; `region` is a part of a picture. A video moment has pictures and sounds; each of its
vectors has one modality."""


@dataclass(frozen=True)
class Space:
    """Identity of a vector space. Two vectors are comparable only if their spaces are equal in every field.

    The last `extra` of the `dim` dimensions are no content: they hold what query-bank normalisation takes off a vector.
    It follows from the rest and is not stored with a collection.
    """

    name: str
    dim: int
    model: str
    revision: str
    preprocessing: str
    extra: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Calibration:
    """How similarities are distributed when query and target are unrelated, and where relatedness begins.

    `mean`, `std`: of the cosine of unrelated pairs. `bias`: the cosine whose relevance is 0.5; `slope`: of the
    logistic there, per unit of cosine. Measured on held-out pairs by `embeddings/train/calibrate.py`; text queries that
    have nothing to do with the targets are those of `embeddings/queries.py`. `blind`: how many of the last dimensions
    the query is compared without.
    """

    mean: float
    std: float
    bias: float
    slope: float
    blind: int = 0

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """What `as_dict` gave. Raises KeyError or TypeError where it is anything else."""
        values = dict(stored)
        return cls(bias=values.pop("middle"), **values)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready. The bias is stored as `middle`, its name in the first heads and archives."""
        return {"mean": self.mean, "std": self.std, "middle": self.bias, "slope": self.slope, "blind": self.blind}

    def compared(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors (…, dim) as this pair of modalities compares them; no longer of unit length where it is blind."""
        return zero_last(queries, self.blind)

    def among(self, mean: float, share: float) -> Calibration:
        """The same pair of modalities in a collection whose unrelated pairs have another mean cosine.

        Where everything is nearer to everything, an answer must be nearer still: `bias` keeps its place between the
        mean and 1, the cosine of a thing with itself. `share` in [0, 1]: how far the collection's mean is trusted.
        """
        room = (1 - self.mean - share * (mean - self.mean)) / (1 - self.mean)
        mean, bias = 1 - (1 - self.mean) * room, 1 - (1 - self.bias) * room
        return replace(self, mean=mean, bias=bias, slope=self.slope / room)

    def similarity(self, relevance: float) -> float:
        """The cosine that has this relevance, strictly between 0 and 1."""
        return self.bias + float(np.log(relevance / (1 - relevance))) / self.slope

    def relevance(self, similarity: float) -> float:
        """Cosine in [-1, 1] → relevance in [0, 1], increasing."""
        return float(1.0 / (1.0 + np.exp(-np.clip(self.slope * (similarity - self.bias), -60, 60))))


@dataclass(frozen=True)
class Encoding:
    """One batch's result: per space an (N, dim) float32 array of unit rows, and per item its classes, best first."""

    vectors: Mapping[str, Vectors]
    classes: Sequence[Sequence[tuple[str, float]]] = field(default_factory=tuple)


ItemT = TypeVar("ItemT", contravariant=True)


class Encoder(Protocol[ItemT]):
    """One network, run once a batch; `spaces` are the vector fields it fills, `modality` what it reads.

    `encode` of an empty batch gives (0, dim) arrays. It never raises on the content of a valid item: silence, an
    empty string or a black picture have a vector too.
    """

    @property
    def modality(self) -> Modality: ...

    @property
    def spaces(self) -> tuple[Space, ...]: ...

    @property
    def model(self) -> str: ...

    def encode(self, batch: Sequence[ItemT]) -> Encoding: ...


def zero_last(vectors: NDArray[np.float32], last: int) -> NDArray[np.float32]:
    """Vectors (…, dim) with zeros in so many of their last dimensions."""
    if not last:
        return vectors
    rest = vectors.copy()
    rest[..., -last:] = 0
    return rest


def normalise(matrix: NDArray[np.floating]) -> Vectors:
    """Rows scaled to unit length; a zero row stays zero."""
    rows = np.asarray(matrix, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: Vectors = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return unit


def pool(rows: Vectors, extra: int = 0) -> Vector:
    """(N, dim) unit rows of one thing → the unit vector in their middle.

    Content and the last `extra` dimensions (`Space.extra`) keep the shares that they have in the rows: a mean of
    directions is shorter than each of them, and would weigh less beside what is no content.
    """
    middle = rows.mean(axis=0)
    content = rows.shape[1] - extra
    for part in (slice(0, content), slice(content, None)):
        length = np.linalg.norm(middle[part])
        if length > 0:
            middle[part] *= np.linalg.norm(rows[:, part], axis=1).mean() / length
    return normalise(middle)
