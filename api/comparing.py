"""Whether two files show or hold one and the same person."""

from __future__ import annotations

from typing import Any

from crossmedia.embeddings.encoder import Modality, Vector
from crossmedia.embeddings.profile import Profile
from crossmedia.retrieval.relevance import UNKNOWN


def compared(
    profile: Profile, space: str, modality: Modality, model: str, one: Vector, other: Vector
) -> dict[str, Any]:
    """`probability` in [0, 1] that two vectors are of one person, `similarity` (cosine), `same` from one half on, by
    `model`."""
    similarity = float(one @ other)
    probability = profile.calibrations.get((space, modality, modality), UNKNOWN).relevance(similarity)
    return {
        "probability": round(probability, 4),
        "similarity": round(similarity, 4),
        "same": probability >= 0.5,
        "model": model,
    }
