"""The pass `faces`: one moment for each face, searchable by face, and the person's name on the picture or shot.

Biometric data: what is kept of a face are its vector, its place and a small picture of it, until somebody says `people
forget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import cv2
import numpy as np

from crossmedia.embeddings import label_kinds
from crossmedia.embeddings.encoder import FACE, Encoder, Vector, normalise
from crossmedia.embeddings.faces import Face, FaceFinder, FacesOff, Portrait
from crossmedia.embeddings.media import Clip, Medium, Picture
from crossmedia.embeddings.objects import Detection, overlap
from crossmedia.indexer.decode import Decoded, Shot
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.decode.thumbnail import thumbnail
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.tracks import RATE, Track
from crossmedia.retrieval.documents import Asset, Box, Enrichment, Label, Moment, Patch, moment_id, part_id
from crossmedia.retrieval.identities import PERSON
from crossmedia.retrieval.people import COUNT, FORGOTTEN, MAKER, said, shared

MIN_IDENTIFIED_SIDE: Final = 24.0
"""Shorter side of a face, px, under which it is counted and not told apart: what so few pixels show fits many
people."""
MAX_FACES: Final = 300
"""Faces of one picture that are told apart, the largest first; a crowd is counted."""
VIEWS: Final = 3
"""Looks at a face that is followed through a shot, from whose middle its vector is made."""
MIN_SAME_OVERLAP: Final = 0.3
"""Intersection over union from which two boxes at one time are of one face."""
THUMBNAIL: Final = 112
"""Longer side of a face's picture, px, which shows so much of its surroundings (of the box's sides):"""
AROUND: Final = 0.25

MIN_FACE_PROBABILITY: Final = 0.99
"""Probability from which a face is of a person that the collection knows. A collection has more strangers than voices:
of pairs of strangers in photos every 260th has 0.97 or more (`embeddings/train/face.py`)."""


class FaceTracking(Protocol):
    """A shot's frames (time in s, faces) and its end → the faces that are followed through it."""

    model: str

    def follow(self, frames: Iterator[tuple[float, Sequence[Detection]]], end: float) -> list[Track]: ...


@dataclass
class _Seen:
    """A face in the moment `whole`, for a time; `views` of it, the best first, with the vector once it is made."""

    whole: str
    start: float | None
    end: float | None
    views: list[Portrait]
    vector: Vector = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def best(self) -> Portrait:
        return self.views[0]


class FacesEnricher:
    """Moments of kind `face` in the picture, key frame or shot that shows one, with the vector `face`, a thumbnail, and
    the label `person` with box and score, which the picture or shot gets too.

    In a video a face is followed through each shot and is one moment there, for as long as it is seen. Somebody whom
    the collection does not know is called `person`, the beginning of the asset's id, and a number. The label `faces`
    says how many there are.
    """

    name = MAKER
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False
    sample_rate = RATE
    recognises = True

    def __init__(
        self,
        finder: FaceFinder,
        encoder: Encoder[Portrait],
        tracking: FaceTracking,
        known: Callable[[Vector], str | None],
        least: float,
    ) -> None:
        """`known`: a face's vector → the name of that person in the collection; `least`: the cosine from which two
        faces are of one person."""
        self._finder = finder
        self._encoder = encoder
        self._tracking = tracking
        self._known = known
        self._least = least
        self.model = f"{finder.model}+{encoder.model}+{tracking.model}+faces@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        wholes = {moment.id: moment for moment in moments}
        counts: dict[str, int] = {}
        seen: list[_Seen] = []
        shown = pictures(asset, decoded)
        if isinstance(decoded.content, Clip):
            for number, shot in enumerate(decoded.shots):
                name = moment_id(asset.id, "shot", number)
                keys = [(decoded.content.times[frame], *shown[frame]) for frame in shot.frames]
                seen += self._shot(name, shot, keys, wholes, decoded, counts)
                progress(shot.end)
        else:
            for name, picture in shown:
                seen += self._still(name, picture, wholes.get(name), counts)
        seen = [one for one in seen if one.whole in wholes and not _is_forgotten(one, wholes[one.whole])]
        self._encode(seen)
        faces = self._moments(asset, seen, self._names(asset, seen))
        labels = said(wholes.values(), faces)
        for name, count in counts.items():
            if name in wholes and count:
                labels.setdefault(name, []).append(Label(COUNT, str(count), 1.0, self._finder.model))
        patches = tuple(Patch(name, labels=tuple(own)) for name, own in labels.items())
        return Enrichment(
            asset.id, self.name, self.model, moments=tuple(faces), patches=patches, spaces=self._encoder.spaces
        )

    def _still(self, name: str, picture: Picture, whole: Moment | None, counts: dict[str, int]) -> list[_Seen]:
        """The faces of a picture that are large enough, largest first; all of them are counted."""
        faces = self._finder.detect([picture])[0]
        counts[name] = len(faces)
        large = [one for face in faces if (one := Portrait(picture, face)).size >= MIN_IDENTIFIED_SIDE]
        start, end = (whole.start, whole.end) if whole else (None, None)
        return [_Seen(name, start, end, [one]) for one in sorted(large, key=lambda one: -one.size)[:MAX_FACES]]

    def _shot(
        self,
        name: str,
        shot: Shot,
        keys: Sequence[tuple[float, str, Picture]],
        wholes: dict[str, Moment],
        decoded: Decoded,
        counts: dict[str, int],
    ) -> list[_Seen]:
        """The faces that are followed through a shot, and those that only a key frame shows."""
        still = [(time, one) for time, key, frame in keys for one in self._still(key, frame, wholes.get(key), counts)]
        if decoded.sampled is None:
            return [one for _, one in still]
        frames = decoded.sampled.within(shot.start, shot.end)
        looked = ((time, self._finder.detect([picture])[0]) for time, picture in frames)
        followed = []
        for track in self._tracking.follow(looked, shot.end):
            # Key frames are larger than sampled frames.
            own = [(time, one) for time, one in still if _on(track, time, one.best.face.box)]
            still = [each for each in still if each not in own]
            views = [one.best for _, one in own]
            if len(views) < VIEWS:
                views += _sample_looks(track, decoded, VIEWS - len(views))
            large = sorted((one for one in views if one.size >= MIN_IDENTIFIED_SIDE), key=lambda one: -one.size)[:VIEWS]
            if large:
                followed.append(_Seen(name, track.start, track.end, large))
        return [*followed, *(one for _, one in still)]

    def _encode(self, seen: Sequence[_Seen]) -> None:
        for one in seen:
            one.vector = normalise(self._encoder.encode(one.views).vectors[FACE].sum(axis=0))

    def _names(self, asset: Asset, seen: Sequence[_Seen]) -> list[str]:
        """Of each face; unknown ones that are near enough are one person."""
        known = [self._known(one.vector) for one in seen]
        fresh: list[tuple[str, list[Vector]]] = []
        names, number = [], 0
        for one, name in zip(seen, known, strict=True):
            if name is None:
                near = [(np.mean([one.vector @ other for other in own]), called, own) for called, own in fresh]
                nearest = max(near, key=lambda each: each[0], default=None)
                if nearest is not None and nearest[0] >= self._least:
                    name = nearest[1]
                    nearest[2].append(one.vector)
                else:
                    while name is None or name in known:  # an earlier pass may have given it to another
                        number += 1
                        name = f"person {asset.id[:4]}-{number}"
                    fresh.append((name, [one.vector]))
            names.append(name)
        return names

    def _moments(self, asset: Asset, seen: Sequence[_Seen], names: Sequence[str]) -> list[Moment]:
        numbers: dict[str, int] = {}
        made = []
        for one, name in zip(seen, names, strict=True):
            number = numbers[one.whole] = numbers.get(one.whole, -1) + 1
            face = one.best.face
            made.append(
                Moment(
                    id=part_id(one.whole, "face", number),
                    asset=asset.id,
                    kind="face",
                    start=one.start,
                    end=one.end,
                    vectors={FACE: one.vector},
                    labels=(Label(PERSON, name, face.score, self.model, face.box, one.start, one.end),),
                    thumbnail=thumbnail(crop_face(one.best)),
                )
            )
        return made


def crop_face(portrait: Portrait) -> Picture:
    """The face with a little around it, small."""
    picture = portrait.picture
    x0, y0, x1, y1 = portrait.face.box
    across, down = AROUND * (x1 - x0), AROUND * (y1 - y0)
    left, right = max(0.0, x0 - across) * picture.width, min(1.0, x1 + across) * picture.width
    top, bottom = max(0.0, y0 - down) * picture.height, min(1.0, y1 + down) * picture.height
    pixels = picture.pixels[int(top) : max(int(top) + 1, round(bottom)), int(left) : max(int(left) + 1, round(right))]
    scale = THUMBNAIL / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)
    return Picture(np.ascontiguousarray(pixels))


def _on(track: Track, time: float, box: Box) -> bool:
    """Whether a key frame's face is the one that is followed: it is where that was seen nearest in time."""
    if not track.start <= time <= track.end:
        return False
    _, nearest = min(track.detections, key=lambda seen: abs(seen[0] - time))
    return overlap(nearest.box, box) >= MIN_SAME_OVERLAP


def _sample_looks(track: Track, decoded: Decoded, count: int) -> Iterator[Portrait]:
    """The largest looks at a face that is followed, one of each part of the time."""
    assert decoded.sampled is not None
    for part in np.array_split(np.arange(len(track.detections)), min(count, len(track.detections))):
        time, one = max(
            (track.detections[n] for n in part.tolist()), key=lambda seen: _area(seen[1].box) * seen[1].score
        )
        for _, picture in decoded.sampled.within(time, np.nextafter(time, np.inf)):
            if isinstance(one, Face):
                yield Portrait(picture, one)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _is_forgotten(one: _Seen, whole: Moment) -> bool:
    """Whether somebody asked for this face to be forgotten."""
    here = Label(PERSON, "", 0.0, "", one.best.face.box, one.start, one.end)
    return any(
        label.kind == FORGOTTEN
        and label.box is not None
        and overlap(label.box, one.best.face.box) >= MIN_SAME_OVERLAP
        and (label.start is None or one.start is None or shared(label, here) > 0)
        for label in whole.labels
    )


def _build(context: PassContext) -> FacesEnricher:
    profile = context.profile
    if profile.face is None or profile.finder is None:
        raise FacesOff
    from crossmedia.indexer.tracks import Tracker
    from crossmedia.retrieval.identities import known_face

    least = profile.calibrations[FACE, "face", "face"].similarity(MIN_FACE_PROBABILITY)
    return FacesEnricher(profile.finder, profile.face, Tracker(), known_face(context.store, least), least)


PASS: Final = PassSpec(
    name=FacesEnricher.name,
    summary="whose faces: biometric data, stored only if a setting turns it on",
    labels=(label_kinds.PERSON, label_kinds.FACES),
    spaces=(FACE,),
    default="off",
    switch="faces",
    build=_build,
)
