"""People: whose faces there are, what they are called, when they appear, and how they are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel

from crossmedia.api.comparing import Verified, compare
from crossmedia.api.examples import read_example
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.runtime import Runtime
from crossmedia.api.schema import Renamed, content_link
from crossmedia.embeddings.encoder import FACE, Vector
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.face import largest
from crossmedia.embeddings.faces import FacesOff, Portrait
from crossmedia.embeddings.media import Clip, Picture
from crossmedia.retrieval import identities, people
from crossmedia.retrieval.documents import Moment, whole_of
from crossmedia.retrieval.identities import PERSON

GAP: Final = 1.0
"""Seconds between two spans of somebody that are one: less is a glance aside or a cut."""


class NoFace(CrossmediaError):
    """No face is found in a picture."""

    code = "no_face"
    status = 422


class PersonOut(BaseModel):
    """Somebody, with `seconds` seen in videos and the face that shows them best: where it is, and a link to it."""

    name: str
    faces: int
    assets: int
    seconds: float
    asset: str
    path: str
    moment: str
    start: float | None
    end: float | None
    link: str
    thumbnail: str


class Moved(BaseModel):
    """How many faces are split off, or forgotten."""

    name: str
    faces: int


class Joined(BaseModel):
    """How many people without a name turned out to be somebody else."""

    joined: int


class SpanOut(BaseModel):
    start: float
    end: float
    link: str


class FaceOut(BaseModel):
    """`shown_in`: the moment of the picture, shot or key frame; `box`: x0, y0, x1, y1 in fractions of it."""

    moment: str
    shown_in: str
    box: list[float] | None
    thumbnail: str


class Appearance(BaseModel):
    """Where somebody appears in one asset; `spans` are of videos."""

    asset: str
    path: str
    media: str
    spans: list[SpanOut]
    faces: list[FaceOut]


class Appearances(BaseModel):
    name: str
    appearances: list[Appearance]


class People:
    """Who is known by their face."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def list_people(self) -> list[PersonOut]:
        """Everybody, those who are seen most first."""
        return [
            PersonOut(
                name=person.value,
                faces=person.moments,
                assets=person.assets,
                seconds=round(person.seconds, 2),
                asset=face.asset,
                path=path,
                moment=face.id,
                start=face.start,
                end=face.end,
                link=content_link(face.asset, face.start, face.end),
                thumbnail=_thumbnail(face),
            )
            for person, face, path in identities.everybody(self._runtime.store, PERSON, "face")
        ]

    def rename(self, person: str, to: str) -> Renamed:
        """Call somebody by another name; raises NotFound, NameTaken, BadName."""
        return Renamed(name=to, labels=identities.rename(self._runtime.store, PERSON, "face", person, to))

    def merge(self, names: Sequence[str], into: str | None = None) -> Renamed:
        """Several are one person, called `into` or as the first; raises NotFound, BadName."""
        name = into or names[0]
        return Renamed(name=name, labels=identities.merge(self._runtime.store, PERSON, "face", list(names), name))

    def split(self, person: str, to: str | None = None, faces: Sequence[str] = (), assets: Sequence[str] = ()) -> Moved:
        """Some of somebody's faces are another's: those of these moments and assets, or the smaller of the two groups
        that their vectors fall into. Raises NotFound, NameTaken, BadName, InvalidRequest where that leaves either
        without a face."""
        store = self._runtime.store
        taken = {one.value.casefold() for one in store.labelled(PERSON, "face")}
        if to is None:
            number = 2
            while f"{person} ({number})".casefold() in taken:
                number += 1
            to = f"{person} ({number})"
        if to.casefold() in taken:
            raise identities.NameTaken(f"the name {to} is already in use", "choose another name, or merge the two")
        own = [face for group in people.faces_of(store, person).values() for face in group]
        wanted = {self._runtime.resolve(asset) for asset in assets}
        apart = {face.id for face in own if face.id in faces or face.asset in wanted}
        if not faces and not assets:
            apart = people.halves(store, person)
        if not 0 < len(apart) < len(own):
            raise InvalidRequest(
                f"{len(apart)} of {len(own)} faces of {person} would move to the other person",
                "name some of the faces, but not all",
            )
        return Moved(name=to, faces=people.split(store, person, lambda face: face.id in apart, to))

    def forget(self, person: str) -> Moved:
        """Remove somebody's faces with vectors, thumbnails and labels from every file of the store. Raises NotFound."""
        return Moved(name=person, faces=people.forget(self._runtime.store, person))

    def regroup(self) -> Joined:
        """Join people without a name who are one. Nothing is done where faces are off."""
        return Joined(joined=people.join_unnamed(self._runtime.store, self._runtime.profile))

    def appearances(self, person: str) -> Appearances:
        """When and where somebody appears, by asset. Raises NotFound."""
        store = self._runtime.store
        by_asset = people.faces_of(store, person)
        placed = store.placed([*by_asset])
        described = []
        for asset, faces in by_asset.items():
            if asset not in placed:
                continue
            about, sources = placed[asset]
            spans = merge_spans([(f.start, f.end) for f in faces if f.start is not None and f.end is not None])
            described.append(
                Appearance(
                    asset=asset,
                    path=next((source.path for source in sources), ""),
                    media=about.media,
                    spans=[
                        SpanOut(start=round(start, 3), end=round(end, 3), link=content_link(asset, start, end))
                        for start, end in spans
                    ],
                    faces=[
                        FaceOut(moment=face.id, shown_in=whole_of(face.id), box=_box(face), thumbnail=_thumbnail(face))
                        for face in faces
                    ],
                )
            )
        return Appearances(name=person, appearances=described)

    def verify(self, one: Path, other: Path) -> Verified:
        """Whether the largest faces of two pictures are of one person. Nothing is stored.

        Raises NoFace, FacesOff, and what decoding raises.
        """
        encoder = self._runtime.profile.face
        if encoder is None:
            raise FacesOff
        first, second = (self._face(path) for path in (one, other))
        return compare(self._runtime.profile, FACE, "face", encoder.model, first, second)

    def _face(self, path: Path) -> Vector:
        profile = self._runtime.profile
        assert profile.face is not None
        assert profile.finder is not None
        media = read_example(self._runtime.example_pool, path).media
        shown = media.pictures if isinstance(media, Clip) else [media] if isinstance(media, Picture) else []
        face = largest(Portrait(p, f) for p, own in zip(shown, profile.finder.detect(shown), strict=True) for f in own)
        if face is None:
            raise NoFace(f"no face in {path.name}", "give a picture of one person's face, some forty pixels wide")
        vector: Vector = profile.face.encode([face]).vectors[FACE][0]
        return vector


def merge_spans(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order, those that touch or nearly do as one.

    >>> merge_spans([(4.0, 5.0), (0.0, 2.0), (1.0, 3.5)])
    [(0.0, 5.0)]
    """
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= GAP:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _box(face: Moment) -> list[float] | None:
    label = people.person(face)
    return [round(edge, 4) for edge in label.box] if label and label.box else None


def _thumbnail(face: Moment) -> str:
    return f"/v1/assets/{face.asset}/thumbnail?moment={quote(face.id)}"
