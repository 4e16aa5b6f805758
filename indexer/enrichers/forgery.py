"""The pass `forgery`: scores of forged faces, `forgery:face` on pictures, `forgery:track` for a face through a shot.

Indications, never verdicts: see `embeddings/indications.py`. This pass runs only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from crossmedia.embeddings import cards, label_kinds
from crossmedia.embeddings.faces import FaceDetector
from crossmedia.embeddings.forgery import ForgeryDetector
from crossmedia.embeddings.media import Clip, Medium, Picture
from crossmedia.embeddings.objects import Detection
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.decode.progress import Progress, ignore_progress
from crossmedia.indexer.enrichers.base import pictures
from crossmedia.indexer.enrichers.objects import ObjectTracking
from crossmedia.indexer.enrichers.specification import PassContext, PassSpec
from crossmedia.indexer.tracks import RATE, Track
from crossmedia.retrieval.documents import Asset, Enrichment, Label, Moment, Patch, moment_id

KIND: Final = label_kinds.FORGERY.name
FACE: Final = "face"
TRACK: Final = "track"


@dataclass(frozen=True)
class FaceLook(Detection):
    """A face as one frame shows it; `forged`: None where it is too small there."""

    forged: float | None


class ForgeryEnricher:
    """A still's label has the score of its face, a track's the mean over its looks, with the time it is seen and its
    box where it is seen best. A shot carries what its key frames do as well. Faces that are too small are not told
    of."""

    name = "forgery"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False
    sample_rate = RATE

    def __init__(self, faces: FaceDetector, detector: ForgeryDetector, tracking: ObjectTracking) -> None:
        self._faces = faces
        self._detector = detector
        self._tracking = tracking
        self.model = f"{detector.model}+{faces.model}+{tracking.model}+forgery@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = ignore_progress
    ) -> Enrichment:
        known = {moment.id for moment in moments}
        labelled = self.labels(asset, decoded, progress)
        patches = [Patch(name, labels=tuple(labels)) for name, labels in labelled.items() if name in known and labels]
        return Enrichment(asset.id, self.name, self.model, patches=tuple(patches))

    def labels(self, asset: Asset, decoded: Decoded, progress: Progress = ignore_progress) -> dict[str, list[Label]]:
        """Of each moment that has pictures its labels; a key frame's is of one instant."""
        shown = pictures(asset, decoded)
        times = decoded.content.times if isinstance(decoded.content, Clip) else (None,) * len(shown)
        stills = [self._still(picture, time) for (_, picture), time in zip(shown, times, strict=True)]
        labelled = {name: labels for (name, _), labels in zip(shown, stills, strict=True)}
        for number, shot in enumerate(decoded.shots):
            own = [label for frame in shot.frames for label in stills[frame]]
            if decoded.sampled is not None:
                frames = decoded.sampled.within(shot.start, shot.end)
                looked = ((time, self._looks(picture)) for time, picture in frames)
                own += self._follow(self._tracking.follow(looked, shot.end))
            labelled[moment_id(asset.id, "shot", number)] = own
            progress(shot.end)
        return labelled

    def _follow(self, tracks: Sequence[Track]) -> list[Label]:
        """Of each track that is large enough at least once the mean over the looks that are."""
        labels = []
        for track in tracks:
            scores = [
                look.forged for _, look in track.detections if isinstance(look, FaceLook) and look.forged is not None
            ]
            if scores:
                score = float(np.mean(scores))
                labels.append(Label(KIND, TRACK, score, self.model, track.boxes[1], track.start, track.end))
        return labels

    def _still(self, picture: Picture, time: float | None) -> list[Label]:
        looks = self._looks(picture)
        return [
            Label(KIND, FACE, look.forged, self.model, look.box, time, time)
            for look in looks
            if look.forged is not None
        ]

    def _looks(self, picture: Picture) -> list[FaceLook]:
        (faces,) = self._faces.detect([picture])
        scores = self._detector.score(picture, faces)
        return [FaceLook(FACE, face.score, face.box, forged) for face, forged in zip(faces, scores, strict=True)]


def _build(context: PassContext) -> ForgeryEnricher:
    from crossmedia.indexer.tracks import Tracker

    faces = FaceDetector(context.catalog.resolve(cards.FACES.id), context.threads)
    detector = ForgeryDetector(context.catalog.resolve(cards.FORGERY.id), context.threads)
    return ForgeryEnricher(faces, detector, Tracker())


PASS: Final = PassSpec(
    name=ForgeryEnricher.name,
    summary="how forged faces look: an indication, never a verdict",
    labels=(label_kinds.FORGERY,),
    models=(cards.FACES.id, cards.FORGERY.id),
    default="off",
    switch="indications",
    build=_build,
)
