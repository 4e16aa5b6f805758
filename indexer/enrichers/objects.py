"""What stands where: labels `object:dog` with a box, on pictures, on key frames, and on the shots that these are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from embeddings.media import Clip, Medium, Picture
from embeddings.objects import Found
from indexer.decode import Decoded
from indexer.decode.progress import Progress, unhurried
from indexer.enrichers.base import pictures
from retrieval.documents import Asset, Enrichment, Label, Moment, Patch, moment_id

KIND: Final = "object"
BATCH: Final = 16
"""Pictures between two reports of progress."""


class Detector(Protocol):
    """Pictures → of each what is in it, best first."""

    model: str

    def detect(self, batch: Sequence[Picture]) -> list[list[Found]]: ...


class ObjectsEnricher:
    """Adds to the moment of each picture a label an object, with its box and, in a video, its time.

    A shot of several key frames carries what they do as well, each label for the time of its frame, so that a filter finds the
    shot. An object that stays is told anew by each key frame: nothing is counted across them.
    """

    name = "objects"
    accepts: tuple[Medium, ...] = ("image", "video")
    after: tuple[str, ...] = ()
    hears = False

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.model = f"{detector.model}+objects@1"

    def enrich(
        self, asset: Asset, decoded: Decoded, moments: Sequence[Moment], progress: Progress = unhurried
    ) -> Enrichment:
        known = {moment.id: moment for moment in moments}
        shown = pictures(asset, decoded)
        seen: dict[str, tuple[Label, ...]] = {}
        for first in range(0, len(shown), BATCH):
            some = shown[first : first + BATCH]
            found = self._detector.detect([picture for _, picture in some])
            for (name, _), objects in zip(some, found, strict=True):
                if name in known and objects:
                    seen[name] = tuple(self._label(known[name], one) for one in objects)
            if isinstance(decoded.content, Clip):
                progress(decoded.content.times[first + len(some) - 1])
        seen |= _of_shots(asset, decoded, seen)
        patches = tuple(Patch(name, labels=labels) for name, labels in seen.items() if name in known)
        return Enrichment(asset.id, self.name, self.model, patches=patches)

    def _label(self, moment: Moment, one: Found) -> Label:
        return Label(KIND, one.value, one.score, self._detector.model, one.box, moment.start, moment.end)


def _of_shots(asset: Asset, decoded: Decoded, seen: dict[str, tuple[Label, ...]]) -> dict[str, tuple[Label, ...]]:
    """What the frames of each shot of several show, in time."""
    found: dict[str, list[Label]] = defaultdict(list)
    for number, shot in enumerate(decoded.shots):
        if len(shot.frames) > 1:
            for frame in shot.frames:
                found[moment_id(asset.id, "shot", number)] += seen.get(moment_id(asset.id, "frame", frame), ())
    return {name: tuple(labels) for name, labels in found.items() if labels}
