"""The sound head: unit vectors of the right form, labels that exclude each other, what is learned and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.sound_head import DOUBT, MIN_PROBABILITY, SoundHead, load, save
from crossmedia.embeddings.train.sound_data import Sounds, balance
from crossmedia.embeddings.train.sound_kinds import QUERY_TEMPLATES, SOUND_KINDS, TEMPLATES
from crossmedia.embeddings.train.sound_measure import average_precision, calibration_error
from crossmedia.embeddings.train.sound_tower import fit, ridge, temperature
from crossmedia.embeddings.train.synthetic import COUNT, make
from crossmedia.embeddings.train.synthetic import SYNTHESISERS as MADE

NAMES = ("dog bark", "rain", "speech", "music", "siren")
TOLD = (True, True, False, False, False)
DIM, WIDTH = 384, 6


def head(temperature: float = 1.0) -> SoundHead:
    chance = np.random.default_rng(0)
    anchors = np.linalg.qr(chance.standard_normal((DIM, len(NAMES))))[0].T.astype(np.float32)
    weights = chance.standard_normal((WIDTH + 1, len(NAMES))).astype(np.float32)
    zero, one = np.zeros(WIDTH, np.float32), np.ones(WIDTH, np.float32)
    return SoundHead(zero, one, weights, anchors, temperature, NAMES, TOLD)


def text(vector: np.ndarray) -> np.ndarray:
    """The text side of the common space (`embeddings/train/bank.py`)."""
    return np.concatenate([vector, [1, 0]]) / np.sqrt(2)


logits = arrays(np.float64, len(NAMES), elements=st.floats(-12, 12))


@given(logits)
def test_any_probabilities_give_a_unit_vector_and_labels_that_exclude_each_other(values: np.ndarray) -> None:
    chances = (np.exp(values) / np.exp(values).sum()).astype(np.float32)
    vector = head().common(chances[None])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(vector[:DIM]) == pytest.approx(np.sqrt(0.5), abs=1e-5)
    labels = head().labels(chances)
    assert all(MIN_PROBABILITY <= score <= 1 + 1e-6 for _, score in labels)
    assert [score for _, score in labels] == sorted((score for _, score in labels), reverse=True)
    assert "siren" not in dict(labels)
    shares = {"speech": chances[2], "music": chances[3], "noise": 1 - chances[2] - chances[3]}
    likeliest = max(shares, key=lambda name: shares[name])
    if shares[likeliest] > MIN_PROBABILITY + 1e-3:
        assert [name for name, _ in labels if name in shares] == [likeliest]


def test_doubt_takes_a_sound_away_from_every_text() -> None:
    sure, unsure = head().common(np.array([[1, 0, 0, 0, 0], [0.4, 0.15, 0.15, 0.15, 0.15]], np.float32))
    for anchor in head().anchors[:1]:
        assert text(anchor) @ sure == pytest.approx(0.5, abs=1e-5)
        assert text(anchor) @ unsure < text(anchor) @ sure
    nothing = np.zeros(DIM)
    assert text(nothing) @ sure == pytest.approx(0, abs=1e-5)
    assert -DOUBT / 2 < text(nothing) @ unsure < -0.1


def test_nothing_heard_is_opposite_to_every_text_and_like_no_picture() -> None:
    silent = head().common(np.zeros((1, len(NAMES)), np.float32))[0]
    assert np.linalg.norm(silent) == pytest.approx(1)
    assert text(head().anchors[0]) @ silent == pytest.approx(-np.sqrt(0.5), abs=1e-5)
    picture = np.concatenate([head().anchors[0], [-0.2, np.sqrt(1 - 0.2**2)]]) / np.sqrt(2)
    assert picture @ silent < 0.2


def test_a_high_temperature_makes_a_head_modest() -> None:
    features = np.random.default_rng(1).standard_normal((8, WIDTH)).astype(np.float32)
    cool, warm = head(0.5).chances(features), head(4.0).chances(features)
    assert np.array_equal(cool.argmax(axis=1), warm.argmax(axis=1))
    assert (cool.max(axis=1) > warm.max(axis=1)).all()
    assert cool.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    made, path = head(0.7), tmp_path / "sound-tower.npz"
    read = save(made, path)
    features = np.random.default_rng(2).standard_normal((4, WIDTH)).astype(np.float32)
    assert load(path).names == NAMES
    assert load(path).told == TOLD
    assert read.chances(features) == pytest.approx(made.chances(features), abs=0.01)
    first = path.read_bytes()
    save(made, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"words"])
def test_a_broken_head_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sound-tower.npz"
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt) as caught:
        load(path)
    assert "sound-tower.npz" in caught.value.message


def blobs() -> tuple[Sounds, np.ndarray]:
    """Every kind around a point of its own, and anchors that are axes."""
    chance = np.random.default_rng(3)
    centres = chance.standard_normal((len(SOUND_KINDS), 40))
    kinds = np.repeat([kind.name for kind in SOUND_KINDS], 12)
    rows = np.repeat(centres, 12, axis=0) + 0.4 * chance.standard_normal((len(kinds), 40))
    sounds = Sounds(
        rows.astype(np.float32), kinds, np.tile(list("1234"), len(SOUND_KINDS) * 3), np.ones(len(kinds), bool)
    )
    return sounds, np.eye(len(SOUND_KINDS), DIM, dtype=np.float32)


def test_softmax_and_ridge_learn_what_can_be_told_apart() -> None:
    sounds, anchors = blobs()
    held = sounds.folds == "4"
    learned = fit(sounds[~held], anchors)
    right = sounds.kinds[held]
    names = np.array([kind.name for kind in SOUND_KINDS])
    assert (names[learned.chances(sounds.features[held]).argmax(axis=1)] == right).mean() > 0.95
    mapped = ridge(sounds[~held], anchors)(sounds.features[held])
    assert (names[(mapped @ anchors.T).argmax(axis=1)] == right).mean() > 0.95
    assert np.array_equal(learned.weights, fit(sounds[~held], anchors).weights)


def test_temperature_undoes_overconfidence() -> None:
    chance = np.random.default_rng(4)
    logits = 2 * chance.standard_normal((4000, 5))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    kinds = np.array([chance.choice(5, p=row) for row in chances])
    bold = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    share = np.full(4000, 1 / 4000)
    assert temperature(bold.astype(np.float32), kinds, share) == pytest.approx(3, rel=0.1)
    right = chances.argmax(axis=1) == kinds
    assert calibration_error(chances.max(axis=1), right) < 0.03 < 0.1 < calibration_error(bold.max(axis=1), right)


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])) == pytest.approx(
        (1 + 2 / 3) / 2
    )


def test_kinds_weigh_the_same() -> None:
    share = balance(["a", "a", "a", "b"])
    assert share.sum() == pytest.approx(1)
    assert share[:3].sum() == pytest.approx(share[3])


def test_no_query_is_an_anchor() -> None:
    anchors = {template.format(words).lower() for kind in SOUND_KINDS for words in kind.words for template in TEMPLATES}
    asked = {QUERY_TEMPLATES[1].format(kind.folder.lower()).lower() for kind in SOUND_KINDS if kind.source == "esc10"}
    assert not anchors & asked
    assert QUERY_TEMPLATES[1] not in TEMPLATES


@pytest.mark.parametrize("kind", list(MADE))
def test_made_sounds_are_sounds_and_the_same_again(kind: str) -> None:
    first, again, other = make(kind, 2, 5), make(kind, 2, 5), make(kind, 1, 6)
    for one, same in zip(first, again, strict=True):
        assert np.array_equal(one.samples, same.samples)
        assert len(one.samples) == COUNT
        assert np.isfinite(one.samples).all()
        assert 0.05 < np.abs(one.samples).max() <= 0.91
        assert one.samples.std() > 1e-3
    assert not np.array_equal(first[0].samples, first[1].samples)
    assert not np.array_equal(first[0].samples, other[0].samples)
