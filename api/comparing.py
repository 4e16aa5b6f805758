"""Whether two files show or hold one and the same person."""

from __future__ import annotations

from pydantic import BaseModel

from crossmedia.embeddings.encoder import Modality, Vector
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.relevance import UNKNOWN


class Verified(BaseModel):
    """`probability` that both are of one person, `similarity` (cosine); `same` from a probability of one half on."""

    probability: float
    similarity: float
    same: bool
    model: str


def compare(profile: Profile, space: str, modality: Modality, model: str, one: Vector, other: Vector) -> Verified:
    """By the calibration of that space; `model` made the vectors."""
    similarity = float(one @ other)
    probability = profile.calibrations.get((space, modality, modality), UNKNOWN).relevance(similarity)
    return Verified(
        probability=round(probability, 4), similarity=round(similarity, 4), same=probability >= 0.5, model=model
    )
