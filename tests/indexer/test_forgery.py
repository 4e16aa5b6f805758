"""The passes that score faces and speech: what they label, where, and of what they say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from crossmedia.embeddings.faces import Face, FaceDetector
from crossmedia.embeddings.forgery import ForgeryDetector
from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.objects import Detection
from crossmedia.embeddings.spoof import SpoofDetector
from crossmedia.embeddings.toy import stretches as spoken
from crossmedia.indexer.decode import Decoded, Shot
from crossmedia.indexer.decode.sampled_frames import FrameSampler
from crossmedia.indexer.enrichers.forgery import FaceLook, ForgeryEnricher
from crossmedia.indexer.enrichers.spoof import SpoofEnricher, stretches
from crossmedia.indexer.tracks import Track, Tracker
from crossmedia.retrieval.documents import Asset, Kind, Moment, moment_id
from tests.media_makers import picture, tone

ASSET = Asset("ab" * 32, "video", "video/mp4", 1, "x")
SPOT = ((0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.6), (0.58, 0.6))


class Faces(FaceDetector):
    """One face in the middle of anything that is not black."""

    def detect(self, batch: Sequence[Picture], least: float = 0.7) -> list[list[Face]]:
        face = Face("face", 0.9, (0.25, 0.25, 0.75, 0.75), SPOT)
        return [[face] if shown.pixels.any() else [] for shown in batch]


class Forged(ForgeryDetector):
    """The mean brightness; nothing of what is smaller than 100 px."""

    def score(self, picture: Picture, faces: Sequence[Face]) -> list[float | None]:
        return [None if picture.width < 100 else float(picture.pixels.mean() / 255) for _ in faces]


class Spoofed(SpoofDetector):
    def margin(self, speech: Waveform) -> float:
        return 2.0


class All:
    """Whatever is seen in a shot is one track."""

    model = "all@1"

    def follow(self, frames: Iterable[tuple[float, Sequence[Detection]]], end: float) -> list[Track]:
        looks = [(time, one) for time, found in frames for one in found]
        box = (0.25, 0.25, 0.75, 0.75)
        return [Track("face", 0.9, looks[0][0], end, (box, box, box), "still", tuple(looks))] if looks else []


def grey(level: int, side: int = 200) -> Picture:
    return Picture(np.full((side, side, 3), level, np.uint8))


def moment(kind: Kind, number: int, start: float | None = None, end: float | None = None) -> Moment:
    return Moment(moment_id(ASSET.id, kind, number), ASSET.id, kind, start, end)


def test_a_still_has_a_label_for_each_face() -> None:
    enricher = ForgeryEnricher(Faces(), Forged(), All())
    found = enricher.enrich(ASSET, Decoded("image", "image/png", grey(51)), [moment("picture", 0)])
    ((label,),) = (patch.labels for patch in found.patches)
    assert (label.kind, label.value, label.box, label.start) == ("forgery", "face", (0.25, 0.25, 0.75, 0.75), None)
    assert label.score == pytest.approx(0.2)
    assert label.model == enricher.model
    for nothing in (grey(0), grey(51, 90), grey(0, 1)):
        assert not enricher.enrich(ASSET, Decoded("image", "image/png", nothing), [moment("picture", 0)]).patches


def test_a_track_has_the_mean_of_its_looks() -> None:
    sampler = FrameSampler(4)
    for time, level in ((0.0, 51), (0.25, 153), (0.5, 0), (1.5, 204)):
        sampler.add(grey(level), time)
    clip = Clip((grey(102), grey(204)), (0.2, 1.5), None, 2.0)
    shots = (Shot(0.0, 1.0, (0,)), Shot(1.0, 2.0, (1,)))
    decoded = Decoded("video", "video/mp4", clip, shots=shots, sampled=sampler.finish())
    moments = [moment("shot", 0, 0.0, 1.0), moment("shot", 1, 1.0, 2.0)]
    found = ForgeryEnricher(Faces(), Forged(), All()).enrich(ASSET, decoded, moments)
    first, second = (patch.labels for patch in found.patches)
    assert [(label.value, label.start, label.end) for label in first] == [("face", 0.2, 0.2), ("track", 0.0, 1.0)]
    assert [label.score for label in first] == pytest.approx([0.4, 0.4], abs=0.01)
    assert [label.score for label in second] == pytest.approx([0.8, 0.8], abs=0.01)
    plain = ForgeryEnricher(Faces(), Forged(), All()).enrich(ASSET, replace(decoded, sampled=None), moments)
    assert [label.value for patch in plain.patches for label in patch.labels] == ["face", "face"]


def test_tracks_keep_every_look() -> None:
    looks = [FaceLook("face", 0.9, (0.1 + n / 50, 0.1, 0.4 + n / 50, 0.5), n / 10) for n in range(5)]
    (track,) = Tracker().follow(((n / 4, [look]) for n, look in enumerate(looks)), 2.0)
    assert [look.forged for _, look in track.detections if isinstance(look, FaceLook)] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_each_turn_that_is_long_enough_has_a_score() -> None:
    enricher = SpoofEnricher(Spoofed(), spoken)
    moments = [moment("sound", 0, 0.0, 9.0), moment("turn", 0, 0.0, 4.0), moment("turn", 1, 4.0, 5.0)]
    found = enricher.enrich(ASSET, Decoded("audio", "audio/wav", Waveform(tone(9.0))), moments)
    (patch,) = found.patches
    (label,) = patch.labels
    assert patch.moment == moments[1].id
    assert (label.kind, label.value, label.start, label.end) == ("spoof", "speech", 0.0, 4.0)
    assert label.score == pytest.approx(1 / (1 + np.exp(-2)))
    assert enricher.after == ("speakers",)


def test_without_turns_what_is_spoken_is_scored_on_the_first_moment() -> None:
    sound = Waveform(np.concatenate([tone(3.0), np.zeros(32_000, np.float32), tone(1.0), np.zeros(32_000, np.float32)]))
    moments = [moment("speech", 0, 0.0, 3.0), moment("sound", 0, 0.0, 9.0)]
    found = SpoofEnricher(Spoofed(), spoken).enrich(ASSET, Decoded("audio", "audio/wav", sound), moments)
    (patch,) = found.patches
    assert patch.moment == moments[1].id
    assert [(label.start, label.end) for label in patch.labels] == [
        (pytest.approx(0, abs=0.3), pytest.approx(3, abs=0.3))
    ]
    silent = Decoded("video", "video/mp4", Clip((Picture(picture(1)),), (0.0,), None, 1.0), shots=(Shot(0, 1, (0,)),))
    assert not SpoofEnricher(Spoofed(), spoken).enrich(ASSET, silent, moments).patches


def test_stretches_are_joined_and_divided() -> None:
    assert list(stretches([(0.0, 2.0), (2.4, 5.0), (7.0, 40.0)])) == [(0.0, 5.0), (7.0, 37.0), (37.0, 40.0)]
    assert list(stretches([])) == []
