"""Combine encoders: several of one modality as one, or some spaces of one encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from crossmedia.embeddings.encoder import Encoder, Encoding, Modality, Space, Vectors
from crossmedia.embeddings.errors import CrossmediaError

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
            readings = "; ".join(
                f"{item.model} reads {item.modality} into {[s.name for s in item.spaces]}" for item in encoders
            )
            raise SpaceClash(f"these cannot be one encoder: {readings}", "give the second network's space another name")

    def encode(self, batch: Sequence[ItemT]) -> Encoding:
        """One batch through every encoder."""
        parts = [encoder.encode(batch) for encoder in self._encoders]
        vectors: dict[str, Vectors] = {name: rows for part in parts for name, rows in part.vectors.items()}
        return Encoding(vectors, next((part.classes for part in parts if part.classes), ()))


class Restricted(Generic[ItemT]):
    """An encoder with some of its spaces only, where another network fills the others."""

    def __init__(self, encoder: Encoder[ItemT], *names: str) -> None:
        self._encoder = encoder
        self.modality: Modality = encoder.modality
        self.model = encoder.model
        self.spaces: tuple[Space, ...] = tuple(space for space in encoder.spaces if space.name in names)

    def encode(self, batch: Sequence[ItemT]) -> Encoding:
        """As the encoder does; what nobody asked for is dropped."""
        full = self._encoder.encode(batch)
        return Encoding({space.name: full.vectors[space.name] for space in self.spaces}, full.classes)


def complete(encoder: Encoder[ItemT], other: Encoder[ItemT]) -> Encoder[ItemT]:
    """An encoder with the spaces that it does not fill from another of its modality; classes are the other's, if it has
    any."""
    filled = {space.name for space in encoder.spaces}
    rest = [space.name for space in other.spaces if space.name not in filled]
    return Joined(Restricted(other, *rest), encoder) if rest else encoder
