"""The pass `objects`: labels `object:dog` with boxes on pictures and key frames, and objects tracked through shots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.media import Clip, Medium, Picture
from crossmedia.embeddings.objects import Detection
from crossmedia.indexer.decode import Decoded, Shot
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.tracks import RATE, Track
from crossmedia.retrieval.documents import Asset, Box, Enrichment, Label, Moment, Patch, moment_id

KIND: Final = label_kinds.OBJECT.name
TRACK: Final = label_kinds.TRACK.name
MOVING: Final = label_kinds.MOVING.name


class DetectsObjects(Protocol):
    """Pictures → of each what is in it, best first."""

    model: str

    def detect(self, batch: Sequence[Picture]) -> list[list[Detection]]: ...


class ObjectTracking(Protocol):
    """A shot's frames (time in s, objects) and its end → the objects that are followed through it."""

    model: str

    def follow(self, frames: Iterator[tuple[float, Sequence[Detection]]], end: float) -> list[Track]: ...


class ObjectsEnricher:
    """Labels, each with its score and model.

    `object`, on a picture and a key frame: a class, with its box. A shot carries of each class what that key frame
    shows which shows most of it, and without a box each other class that is followed through it, so that a filter finds
    the shot.
    `track`, on a shot: one label a distinct object, with the time it is seen and its box where it is seen best. How
    many dogs there are is the number of `track:dog`; what leaves the picture and comes back counts twice.
    `moving`, on a shot: `dog left`, for a track that gets on in the picture.
    """

    name = "objects"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False
    sample_rate = RATE

    def __init__(self, detector: DetectsObjects, tracking: ObjectTracking) -> None:
        self._detector = detector
        self._tracking = tracking
        self.model = f"{detector.model}+{tracking.model}+objects@2"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        shown = pictures(asset, decoded)
        labels: dict[str, list[Label]] = {}
        if isinstance(decoded.content, Clip):
            for number, shot in enumerate(decoded.shots):
                keys = [shown[frame] for frame in shot.frames]
                labels |= self._shot(moment_id(asset.id, "shot", number), shot, keys, known, decoded)
                progress(shot.end)
        else:
            labels = self._still(shown, known)
        patches = tuple(Patch(name, labels=tuple(own)) for name, own in labels.items() if name in known and own)
        return Enrichment(asset.id, self.name, self.model, patches=patches)

    def _still(self, shown: Sequence[tuple[str, Picture]], known: dict[str, Moment]) -> dict[str, list[Label]]:
        """Of each picture the moment that shows it with its objects."""
        detections = self._detector.detect([picture for _, picture in shown])
        labels: dict[str, list[Label]] = {}
        for (name, _), objects in zip(shown, detections, strict=True):
            moment = known.get(name)
            start, end = (moment.start, moment.end) if moment else (None, None)
            labels[name] = [self._label(KIND, one.value, one.score, one.box, start, end) for one in objects]
        return labels

    def _shot(
        self,
        name: str,
        shot: Shot,
        keys: Sequence[tuple[str, Picture]],
        known: dict[str, Moment],
        decoded: Decoded,
    ) -> dict[str, list[Label]]:
        """The moments of a shot and of its key frames with their labels."""
        labels = self._still(keys, known)
        own = _fullest(labels.values())
        if decoded.sampled is not None:
            frames = decoded.sampled.within(shot.start, shot.end)
            looked = ((time, self._detector.detect([picture])[0]) for time, picture in frames)
            own += self._follow(self._tracking.follow(looked, shot.end), {label.value for label in own})
        return {**labels, name: own}

    def _follow(self, tracks: Sequence[Track], still: set[str]) -> list[Label]:
        """`still`: classes that a key frame shows."""
        best: dict[str, Track] = {}
        for track in tracks:
            if track.value not in still and (track.value not in best or track.score > best[track.value].score):
                best[track.value] = track
        unseen = [self._label(KIND, t.value, t.score, None, t.start, t.end) for t in best.values()]
        followed = [self._label(TRACK, t.value, t.score, t.boxes[1], t.start, t.end) for t in tracks]
        moving = [
            self._label(MOVING, f"{t.value} {t.direction}", t.score, t.boxes[2], t.start, t.end)
            for t in tracks
            if t.direction != "still"
        ]
        return [*unseen, *followed, *moving]

    def _label(
        self,
        kind: str,
        value: str,
        score: float,
        box: Box | None,
        start: float | None,
        end: float | None,
    ) -> Label:
        model = self._detector.model if kind == KIND else f"{self._detector.model}+{self._tracking.model}"
        return Label(kind, value, score, model, box, start, end)


def _fullest(frames: Iterable[Sequence[Label]]) -> list[Label]:
    """Of each class the labels of the frame that has most of them: three looks at one dog are not three dogs."""
    best: dict[str, list[Label]] = {}
    for labels in frames:
        for value in {label.value: None for label in labels}:
            own = [label for label in labels if label.value == value]
            if len(own) > len(best.get(value, ())):
                best[value] = own
    return [label for labels in best.values() for label in labels]


def _build(context: PassContext) -> ObjectsEnricher:
    from crossmedia.embeddings.objects import ObjectDetector
    from crossmedia.indexer.tracks import Tracker

    return ObjectsEnricher(ObjectDetector(context.catalog.resolve(cards.OBJECTS.id), context.threads), Tracker())


PASS: Final = PassSpec(
    name=ObjectsEnricher.name,
    summary="objects with boxes, tracked through videos",
    labels=(label_kinds.OBJECT, label_kinds.TRACK, label_kinds.MOVING),
    models=(cards.OBJECTS.id,),
    build=_build,
)
