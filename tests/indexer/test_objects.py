"""The objects enricher: labels with boxes on what shows them, and on the shots of several frames; skipped where the
model is absent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from crossmedia.embeddings.media import Clip, Picture
from crossmedia.embeddings.objects import Detection
from crossmedia.indexer.decode import Decoded, Page, Shot
from crossmedia.indexer.decode.sampled_frames import FrameSampler
from crossmedia.indexer.enrichers.base import Follower
from crossmedia.indexer.enrichers.objects import ObjectsEnricher
from crossmedia.indexer.enrichers.ocr import OcrEnricher
from crossmedia.indexer.tracks import Tracker
from crossmedia.retrieval.documents import Asset, Kind, Moment, moment_id

ASSET = Asset("b" * 64, "video", "video/x", 1, "x")
BOX = (0.1, 0.2, 0.5, 0.6)
DOG, BALL = Detection("dog", 0.9, BOX), Detection("sports ball", 0.4, (0.5, 0.5, 0.6, 0.6))


class FixedDetector:
    model = "fixed@1"

    def __init__(self, *answers: list[Detection]) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []

    def detect(self, batch: Sequence[Picture]) -> list[list[Detection]]:
        self.asked.append(len(batch))
        return [self.answers.pop(0) for _ in batch]


def blank() -> Picture:
    return Picture(np.zeros((9, 16, 3), dtype=np.uint8))


def moment(kind: Kind, number: int, start: float, end: float) -> Moment:
    return Moment(moment_id(ASSET.id, kind, number), ASSET.id, kind, start, end)


def test_a_picture_has_a_label_an_object() -> None:
    still = Moment(moment_id(ASSET.id, "picture", 0), ASSET.id, "picture")
    found = ObjectsEnricher(FixedDetector([DOG, BALL]), Tracker()).enrich(
        ASSET, Decoded("image", "image/x", blank()), [still]
    )
    (patch,) = found.patches
    assert patch.moment == still.id
    assert [(x.kind, x.value, x.score, x.model, x.box, x.start, x.end) for x in patch.labels] == [
        ("object", "dog", 0.9, "fixed@1", BOX, None, None),
        ("object", "sports ball", 0.4, "fixed@1", BALL.box, None, None),
    ]
    assert (found.enricher, found.moments, patch.fields, patch.vectors) == ("objects", (), {}, {})
    assert found.model.startswith("fixed@1")


def test_key_frames_and_their_shots_say_when() -> None:
    shots = (Shot(0.0, 2.0, (0,)), Shot(2.0, 8.0, (1, 2)))
    clip = Clip((blank(), blank(), blank()), (1.0, 3.0, 7.0), None, 8.0)
    moments = [moment("shot", 0, 0, 2), moment("shot", 1, 2, 8), moment("frame", 1, 2, 5), moment("frame", 2, 5, 8)]
    detector = FixedDetector([DOG], [], [DOG, BALL])
    found = ObjectsEnricher(detector, Tracker()).enrich(ASSET, Decoded("video", "video/x", clip, shots=shots), moments)
    told = {patch.moment: [(x.value, x.start, x.end) for x in patch.labels] for patch in found.patches}
    assert told == {
        moments[0].id: [("dog", 0, 2)],
        moments[3].id: [("dog", 5, 8), ("sports ball", 5, 8)],
        moments[1].id: [("dog", 5, 8), ("sports ball", 5, 8)],
    }


@pytest.mark.parametrize("content", [(Page(1, ("a dog",)),)])
def test_words_have_no_objects(content: tuple[Page, ...]) -> None:
    paragraph = Moment(moment_id(ASSET.id, "paragraph", 0), ASSET.id, "paragraph")
    found = ObjectsEnricher(FixedDetector(), Tracker()).enrich(
        ASSET, Decoded("text", "text/plain", content), [paragraph]
    )
    assert found.patches == ()


def test_a_moment_that_is_gone_gets_nothing() -> None:
    found = ObjectsEnricher(FixedDetector([DOG]), Tracker()).enrich(ASSET, Decoded("image", "image/x", blank()), [])
    assert found.patches == ()


def test_what_is_followed_is_told_of_its_shot() -> None:
    """A dog is on the key frame and runs to the right; a bird is between the key frames only."""
    track = FrameSampler(4.0)
    for number in range(8):
        track.add(blank(), number / 4)
    shots = (Shot(0.0, 2.0, (0,)),)
    clip = Clip((blank(),), (1.0,), None, 2.0)
    birds = [[Detection("bird", 0.6, BOX)] if n < 4 else [] for n in range(8)]
    dogs = [Detection("dog", 0.7, (0.1 + 0.05 * n, 0.7, 0.3 + 0.05 * n, 0.9)) for n in range(8)]
    detector = FixedDetector([DOG], *[[dog, *bird] for dog, bird in zip(dogs, birds, strict=True)])
    decoded = Decoded("video", "video/x", clip, shots=shots, sampled=track.finish())
    (patch,) = ObjectsEnricher(detector, Tracker()).enrich(ASSET, decoded, [moment("shot", 0, 0, 2)]).patches
    assert [(x.kind, x.value, x.start, x.end, x.box is not None) for x in patch.labels] == [
        ("object", "dog", 0, 2, True),
        ("object", "bird", 0.0, 1.0, False),
        ("track", "dog", 0.0, 2.0, True),
        ("track", "bird", 0.0, 1.0, True),
        ("moving", "dog right", 0.0, 2.0, True),
    ]
    assert {x.model for x in patch.labels[2:]} == {f"fixed@1+{Tracker().model}"}


def test_long_videos_tell_their_progress() -> None:
    shots = tuple(Shot(float(n), n + 1.0, (n,)) for n in range(3))
    clip = Clip((blank(),) * 3, (0.5, 1.5, 2.5), None, 3.0)
    reached: list[float] = []
    decoded = Decoded("video", "video/x", clip, shots=shots)
    ObjectsEnricher(FixedDetector([], [], []), Tracker()).enrich(ASSET, decoded, [], reached.append)
    assert reached == [1.0, 2.0, 3.0]


def test_frames_are_asked_for_where_they_are_followed() -> None:
    assert isinstance(ObjectsEnricher(FixedDetector(), Tracker()), Follower)
    assert not isinstance(OcrEnricher, Follower)
