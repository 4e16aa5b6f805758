"""Several encoders of one modality as one: a profile's sentence vectors and its words for pictures, from two networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from embeddings.encoder import Encoder, Encoding, Modality, Space, Vectors
from embeddings.errors import CrossmediaError

ItemT = TypeVar("ItemT")


class SpaceClash(CrossmediaError):
    """Encoders that cannot be joined: two fill the same space, or they read different things."""

    code = "space_clash"
    status = 422


class Joined(Generic[ItemT]):
    """Fills the spaces of all `encoders`, at least one; classes are those of the first that has any.

    Raises `SpaceClash`.
    """

    def __init__(self, *encoders: Encoder[ItemT]) -> None:
        self._encoders = encoders
        self.modality: Modality = encoders[0].modality
        self.spaces: tuple[Space, ...] = tuple(space for encoder in encoders for space in encoder.spaces)
        self.model = "+".join(encoder.model for encoder in encoders)
        names = [space.name for space in self.spaces]
        if len(set(names)) < len(names) or {encoder.modality for encoder in encoders} != {self.modality}:
            told = "; ".join(
                f"{item.model} reads {item.modality} into {[s.name for s in item.spaces]}" for item in encoders
            )
            raise SpaceClash(f"these cannot be one encoder: {told}", "give the second network's space another name")

    def encode(self, batch: Sequence[ItemT]) -> Encoding:
        """One batch through every encoder."""
        parts = [encoder.encode(batch) for encoder in self._encoders]
        vectors: dict[str, Vectors] = {name: rows for part in parts for name, rows in part.vectors.items()}
        return Encoding(vectors, next((part.classes for part in parts if part.classes), ()))
