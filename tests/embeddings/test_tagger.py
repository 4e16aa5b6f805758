"""Kinds of sound: the front end, golden chances, odd sounds, and real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.media import SAMPLE_RATE, Waveform
from crossmedia.embeddings.tagger import MELS, Tagger, log_mels, mel_bands
from crossmedia.embeddings.train.sound_stats import read_sound as heard_in
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.sounds import SoundsEnricher
from crossmedia.retrieval.documents import Label
from tests.retrieval.makers import asset_id, document, moment


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger()


def tone(seconds: float, hertz: float = 440.0) -> Waveform:
    return Waveform(
        np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32) * 0.5
    )


def test_bands_are_triangles_that_rise_in_pitch() -> None:
    bands = mel_bands()
    assert bands.shape == (MELS, 513)
    assert (bands >= 0).all()
    assert bands[:, -1].max() == 0
    middle = bands.argmax(axis=1)
    assert (np.diff(middle) >= 0).all()


def test_a_tone_is_loudest_where_its_pitch_is() -> None:
    low, high = (int(log_mels(tone(1.0, hertz).samples).mean(1).argmax()) for hertz in (440.0, 4_000.0))
    assert low < high
    assert log_mels(tone(2.0).samples).shape == (MELS, 200)


def test_a_tone_is_called_as_it_was(tagger: Tagger) -> None:
    assert len(tagger.classes) == 527
    told = dict(tagger.best(tone(3.0), 0.0, 527))
    assert told["beep, bleep"] + told["sine wave"] > 0.2
    assert all(0 <= share <= 1 for share in told.values())


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.float32), np.zeros(1, np.float32), np.ones(7, np.float32), np.zeros(35 * SAMPLE_RATE, np.float32)],
)
def test_odd_sounds_have_chances_too(tagger: Tagger, samples: np.ndarray) -> None:
    told = tagger.tags(Waveform(samples))
    assert told.shape == (527,)
    assert np.isfinite(told).all()


@pytest.mark.shared
def test_real_sounds_get_their_names(tagger: Tagger, shared: Path) -> None:
    wanted = {
        "001 - Dog bark": "dog",
        "003 - Sea waves": "ocean",
        "006 - Person sneeze": "sneeze",
        "009 - Rooster": "chicken, rooster",
    }
    for folder, name in wanted.items():
        clips = sorted((shared / "data" / "esc10" / folder).glob("4-*"))[:4]
        heard = [dict(tagger.best(heard_in(clip), 0.15, 8)) for clip in clips]
        assert sum(name in one for one in heard) >= len(clips) // 2, folder


class Knows:
    model = "m@1"

    def best(self, sound: Waveform, least: float, most: int) -> list[tuple[str, float]]:
        return [("speech", 0.9), ("silence", 0.8), ("siren", 0.6), ("dog", 0.3)][:most]


def test_events_are_labelled_once_and_rooms_not_at_all() -> None:
    known = (Label("sound", "speech", 0.7, "first@1"),)
    events = [
        moment(asset_id("a"), "sound", n, start=2.0 * n, end=2.0 * n + 2, labels=known if n == 0 else ())
        for n in range(2)
    ]
    spoken = moment(asset_id("a"), "speech", 0, start=0.0, end=1.0)
    decoded = Decoded("audio", "audio/wav", tone(4.0))
    told = SoundsEnricher(Knows()).enrich(document("a", media="audio").asset, decoded, [*events, spoken])
    found = {patch.moment: [label.value for label in patch.labels] for patch in told.patches}
    assert found == {events[0].id: ["siren", "dog"], events[1].id: ["speech", "siren", "dog"]}
    assert told.patches[0].labels[0].model == "m@1"
