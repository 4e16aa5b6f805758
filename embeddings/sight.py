"""Sight: a slow and good encoder of pictures, the teacher, beside a fast one that was trained to give its vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from crossmedia.embeddings.encoder import COMMON, Encoder
from crossmedia.embeddings.joined import Restricted, complete
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile

SightMode: TypeAlias = Literal["student", "teacher", "both"]


def with_sight(profile: Profile, teacher: Encoder[Picture] | None, mode: SightMode) -> Profile:
    """The profile with its pictures' `common` vectors from the teacher: at once (`teacher`), later, in place of the
    student's (`both`), or never (`student`, and where there is no teacher).

    Whatever else the teacher fills is left out: other spaces, and classes, are the student's. Raises ValueError where
    the two disagree on `common`.
    """
    if teacher is None or mode == "student":
        return profile
    seeing = Restricted(teacher, COMMON)
    both = replace(profile, sight=seeing)
    both.spaces  # noqa: B018 -- refuses a teacher of another space
    return both if mode == "both" else replace(profile, picture=complete(seeing, profile.picture))
