"""A teacher beside the student: which of them fills what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from crossmedia.embeddings.align import apply_heads
from crossmedia.embeddings.encoder import COMMON, UNALIGNED, Encoding
from crossmedia.embeddings.joined import complete
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.profile import Profile
from crossmedia.embeddings.sight import SightMode, with_sight
from crossmedia.embeddings.toy import PICTURE, ToyPicture, ToyTeacher
from tests.indexer.test_reindex import head
from tests.media_makers import picture

SHOWN = [Picture(picture(seed)) for seed in range(3)]


class Full(ToyTeacher):
    """A teacher with vectors by example of its own, as CLIP's tower has."""

    spaces = (*ToyTeacher.spaces, replace(PICTURE, model="teacher"))

    def encode(self, batch: Sequence[Picture]) -> Encoding:
        common = super().encode(batch).vectors[COMMON]
        return Encoding({COMMON: common, "picture": common[:, : PICTURE.dim]}, [[("a class", 1.0)]] * len(batch))


def test_the_teacher_is_near_the_student_and_not_the_same() -> None:
    one, other = (encoder.encode(SHOWN).vectors[COMMON] for encoder in (ToyPicture(), ToyTeacher()))
    near = (one * other).sum(axis=1)
    assert np.all(near > 0.5)
    assert np.all(near < 0.999)
    np.testing.assert_allclose(np.linalg.norm(other, axis=1), 1, atol=1e-6)
    assert ToyTeacher().encode([]).vectors[COMMON].shape == (0, 64)


@pytest.mark.parametrize("teacher", [ToyTeacher(), Full()])
def test_at_once_it_fills_common_and_the_student_the_rest(toy: Profile, teacher: ToyTeacher) -> None:
    seeing = with_sight(toy, teacher, "teacher")
    assert seeing.sight is None
    assert seeing.spaces == toy.spaces
    student, both = toy.picture.encode(SHOWN), seeing.picture.encode(SHOWN)
    np.testing.assert_array_equal(both.vectors[COMMON], ToyTeacher().encode(SHOWN).vectors[COMMON])
    np.testing.assert_array_equal(both.vectors["picture"], student.vectors["picture"])
    assert both.classes == student.classes


def test_beside_the_student_it_fills_common_alone(toy: Profile) -> None:
    both = with_sight(toy, Full(), "both")
    assert both.picture is toy.picture
    assert both.spaces == toy.spaces
    assert both.sight is not None
    assert list(both.sight.encode(SHOWN).vectors) == [COMMON]
    both.warm()


@pytest.mark.parametrize(("teacher", "mode"), [(None, "both"), (None, "teacher"), (ToyTeacher(), "student")])
def test_without_it_nothing_changes(toy: Profile, teacher: ToyTeacher | None, mode: SightMode) -> None:
    assert with_sight(toy, teacher, mode) is toy
    assert toy.query_picture is toy.picture


@pytest.mark.parametrize("mode", ["both", "teacher"])
def test_a_teacher_of_another_space_is_refused(toy: Profile, mode: SightMode) -> None:
    other = ToyTeacher()
    other.spaces = (replace(ToyTeacher.spaces[0], revision="2"),)
    with pytest.raises(ValueError, match="disagree on the space 'common'"):
        with_sight(toy, other, mode)


def test_the_other_encoder_is_not_asked_for_nothing() -> None:
    full = Full()
    assert complete(full, ToyPicture()) is full


def test_a_head_moves_what_the_teacher_gives(toy: Profile) -> None:
    one = head("clip-art")
    moved = apply_heads(with_sight(toy, ToyTeacher(), "both"), [one])
    assert moved.sight is not None
    assert moved.sight.model == ToyTeacher.model
    assert moved.spaces == apply_heads(toy, [one]).spaces
    common = ToyTeacher().encode(SHOWN).vectors[COMMON]
    native = ToyPicture().encode(SHOWN).vectors["picture"]
    for encoder in (moved.sight, moved.query_picture):
        vectors = encoder.encode(SHOWN).vectors
        np.testing.assert_array_equal(vectors[UNALIGNED], common)
        np.testing.assert_allclose(vectors[COMMON], one.common_vectors(native, common), atol=1e-6)
        assert vectors.keys() == {COMMON, UNALIGNED, "picture"}


def test_a_head_of_another_medium_leaves_it_as_it_is(toy: Profile) -> None:
    text = replace(head("words"), modality="text", native=toy.text.spaces[0])
    moved = apply_heads(with_sight(toy, ToyTeacher(), "both"), [text])
    assert moved.sight is not None
    assert list(moved.sight.encode(SHOWN).vectors) == [COMMON]
    assert moved.sight.spaces == (moved.spaces[COMMON],)
