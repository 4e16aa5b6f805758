"""People over the service: whose faces there are, what they are called, when they appear, and how they are
forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from crossmedia.api.comparing import compared
from crossmedia.api.invalid import InvalidRequest
from crossmedia.api.schema import content_link
from crossmedia.api.service import Service
from crossmedia.embeddings.encoder import FACE, Vector
from crossmedia.embeddings.errors import CrossmediaError, ModelMissing
from crossmedia.embeddings.face import largest
from crossmedia.embeddings.faces import FACES_OFF, Portrait
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


def listed(service: Service) -> list[dict[str, Any]]:
    """Everybody: `name`, `faces`, `assets`, `seconds` seen in videos, and the best face: `asset`, `path`, `moment`,
    `start`, `end`, `link` to what shows it, `thumbnail` (a link)."""
    return [
        {
            "name": one.value,
            "faces": one.moments,
            "assets": one.assets,
            "seconds": round(one.seconds, 2),
            "asset": face.asset,
            "path": path,
            "moment": face.id,
            "start": face.start,
            "end": face.end,
            "link": content_link(face.asset, face.start, face.end),
            "thumbnail": _thumbnail(face),
        }
        for one, face, path in identities.everybody(service.store, PERSON, "face")
    ]


def name(service: Service, person: str, to: str) -> dict[str, Any]:
    """Call somebody by another name; raises NotFound, NameTaken, BadName."""
    return {"name": to, "labels": identities.rename(service.store, PERSON, "face", person, to)}


def merge(service: Service, names: list[str], into: str) -> dict[str, Any]:
    """Several are one person; raises NotFound, BadName."""
    return {"name": into, "labels": identities.merge(service.store, PERSON, "face", names, into)}


def split(
    service: Service, person: str, to: str | None = None, faces: Sequence[str] = (), assets: Sequence[str] = ()
) -> dict[str, Any]:
    """Some of somebody's faces are another's: those of these moments and assets, or the smaller of the two groups that
    their vectors fall into. Raises NotFound, NameTaken, BadName, InvalidRequest where that leaves either without a
    face."""
    store = service.store
    taken = {one.value.casefold() for one in store.labelled(PERSON, "face")}
    if to is None:
        number = 2
        while f"{person} ({number})".casefold() in taken:
            number += 1
        to = f"{person} ({number})"
    if to.casefold() in taken:
        raise identities.NameTaken(f"there is somebody called {to} already", "choose another name, then merge the two")
    own = [face for found in people.faces_of(store, person).values() for face in found]
    wanted = {service.resolve(asset) for asset in assets}
    apart = {face.id for face in own if face.id in faces or face.asset in wanted}
    if not faces and not assets:
        apart = people.halves(store, person)
    if not 0 < len(apart) < len(own):
        raise InvalidRequest(
            f"{len(apart)} of {len(own)} faces of {person} would be another's", "name some of them, and not all"
        )
    return {"name": to, "faces": people.split(store, person, lambda face: face.id in apart, to)}


def forget(service: Service, person: str) -> dict[str, Any]:
    """Remove somebody's faces with vectors, thumbnails and labels from every file of the store; returns `name`, and how
    many `faces` those were. Raises NotFound."""
    return {"name": person, "faces": people.forget(service.store, person)}


def regroup(service: Service) -> dict[str, int]:
    """Join people without a name who are one; returns how many are `joined`. Nothing where faces are off."""
    return {"joined": people.join_unnamed(service.store, service.profile)}


def appearances(service: Service, person: str) -> dict[str, Any]:
    """When somebody appears: `name`, and `appearances` by asset with `asset`, `path`, `media`, `faces` (moment, box,
    thumbnail) and `spans` of videos (`start`, `end` in s, `link`). Raises NotFound."""
    found = people.faces_of(service.store, person)
    placed = service.store.placed(list(found))
    told = []
    for asset, faces in found.items():
        if asset not in placed:
            continue
        described, sources = placed[asset]
        spans = joined([(face.start, face.end) for face in faces if face.start is not None and face.end is not None])
        told.append(
            {
                "asset": asset,
                "path": next((source.path for source in sources), ""),
                "media": described.media,
                "spans": [
                    {"start": round(start, 3), "end": round(end, 3), "link": content_link(asset, start, end)}
                    for start, end in spans
                ],
                "faces": [
                    {"moment": face.id, "shown_in": whole_of(face.id), "box": _box(face), "thumbnail": _thumbnail(face)}
                    for face in faces
                ],
            }
        )
    return {"name": person, "appearances": told}


def joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order, those that touch or nearly do as one.

    >>> joined([(4.0, 5.0), (0.0, 2.0), (1.0, 3.5)])
    [(0.0, 5.0)]
    """
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def verify(service: Service, one: Path, other: Path) -> dict[str, Any]:
    """Whether the largest faces of two pictures are of one person: `probability`, `similarity`, `same`, `model`.
    Nothing is stored.

    Raises NoFace, ModelMissing, and what decoding raises.
    """
    encoder = service.profile.face
    if encoder is None:
        raise ModelMissing("faces are not told apart here", FACES_OFF)
    first, second = (_face(service, path) for path in (one, other))
    return compared(service.profile, FACE, "face", encoder.model, first, second)


def _face(service: Service, path: Path) -> Vector:
    profile = service.profile
    assert profile.face is not None
    assert profile.finder is not None
    media = service.example(path).media
    shown = media.pictures if isinstance(media, Clip) else [media] if isinstance(media, Picture) else []
    found = largest(Portrait(p, f) for p, own in zip(shown, profile.finder.detect(shown), strict=True) for f in own)
    if found is None:
        raise NoFace(f"no face in {path.name}", "give a picture of one person's face, some forty pixels wide")
    vector: Vector = profile.face.encode([found]).vectors[FACE][0]
    return vector


def _box(face: Moment) -> list[float] | None:
    label = people.person(face)
    return [round(edge, 4) for edge in label.box] if label and label.box else None


def _thumbnail(face: Moment) -> str:
    return f"/v1/assets/{face.asset}/thumbnail?moment={quote(face.id)}"
