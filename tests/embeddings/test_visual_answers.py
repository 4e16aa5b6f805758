"""The network that answers about pictures: what it reads, golden chances, odd pictures and questions, how it does on
held-out rooms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.objects import Detection
from crossmedia.embeddings.train.visual_data import VisualQuestion, mark_named, split_pictures
from crossmedia.embeddings.visual_answers import (
    CELLS,
    CHANNELS,
    SIGHT,
    VisualAnswers,
    calibrate,
    colours,
    count_objects,
    mirror_question,
    number_words,
    part_views,
)
from crossmedia.eval.daquar import calibration_error, held_out_questions, measure, same_things
from crossmedia.eval.wordnet import wups


@pytest.fixture(scope="module")
def network() -> VisualAnswers:
    return VisualAnswers(threads=2)


def drawn() -> Picture:
    pixels = np.full((240, 320, 3), (200, 190, 170), np.uint8)
    pixels[120:, :] = (110, 70, 40)
    pixels[60:150, 100:220] = (30, 60, 180)
    return Picture(pixels)


def test_what_is_seen_has_its_shape_and_a_box_lies_where_it_is(network: VisualAnswers) -> None:
    seen = network.look(drawn())
    assert seen.cells.shape == (2, CELLS, CHANNELS)
    assert seen.sights.shape == (2, sum(SIGHT))
    found = count_objects(
        [(7, Detection("x", 0.5, (0.0, 0.0, 0.5, 0.5))), (7, Detection("x", 0.2, (0.5, 0.5, 1.0, 1.0)))]
    ).reshape(3, 80)
    assert found[:, 7] == pytest.approx([0.5, np.log1p(0.7), 0.5])
    assert found.sum() == pytest.approx(found[:, 7].sum())


def test_a_mirror_image_has_the_sights_of_the_picture_the_other_way_round(network: VisualAnswers) -> None:
    pixels = drawn().pixels.copy()
    pixels[:, :60] = (240, 200, 30)
    one, other = (network.look(Picture(np.ascontiguousarray(some))) for some in (pixels, pixels[:, ::-1]))
    whole = slice(0, SIGHT[0])
    np.testing.assert_allclose(one.sights[:, whole], other.sights[::-1, whole], atol=1e-5)
    np.testing.assert_allclose(one.cells, other.cells[::-1], atol=1e-4)
    assert np.abs(one.sights[0, whole] - one.sights[1, whole]).max() > 0.01


def test_parts_cover_a_picture() -> None:
    pixels = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    parts_ = part_views(pixels)
    assert [part.shape for part in parts_] == [(2, 4, 3)] * 6
    np.testing.assert_array_equal(np.hstack([parts_[0], parts_[2]]), pixels[:2])
    np.testing.assert_array_equal(np.hstack([parts_[3], parts_[5]]), pixels[2:])
    assert all(part.size for part in part_views(pixels[:1, :1]))


def test_colours_are_shares_of_a_picture() -> None:
    pixels = np.full((4, 8, 3), 255, np.uint8)
    pixels[:, :2] = (255, 0, 0)
    told = colours(pixels)
    assert told.shape == (SIGHT[-1],)
    assert sorted(told[told > 0] ** 2) == pytest.approx([0.25, 0.75])
    assert colours(pixels[:, ::-1].copy()) == pytest.approx(told)
    assert (colours(np.zeros((1, 1, 3), np.uint8)) ** 2).sum() == pytest.approx(1)


def test_a_picture_shows_what_is_named_in_its_questions_and_answers() -> None:
    asked = [
        VisualQuestion("a", "what is on the bed", "pillow, toy"),
        VisualQuestion("b", "how many chairs are there", "2"),
        VisualQuestion("b", "what is left of the lamp", "bed"),
    ]
    told = mark_named(asked, ["a", "b"], ["bed", "toy", "2", "lamp, sofa", "sofa"])
    assert told.tolist() == [[True, True, False, False, False], [True, False, True, True, False]]


def test_answers_are_chances_and_stay_what_they_were(network: VisualAnswers) -> None:
    seen = network.look(drawn())
    told = network.answer_seen(seen, "what is the colour of the thing on the wall")
    assert told == network.answer_seen(seen, "what is the colour of the thing on the wall")
    assert len(told) == 5
    assert {answer for answer, _ in told} <= set(network.answers)
    assert all(0 <= chance <= 1 for _, chance in told)
    assert told[0][0] in ("blue", "white", "brown", "red", "black")
    counted = network.answer_seen(seen, "how many chairs are there")
    assert counted[0][0].isdigit()


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (900, 20)])
def test_any_picture_and_any_question_have_an_answer(network: VisualAnswers, size: tuple[int, int]) -> None:
    picture = Picture(np.zeros((*size, 3), np.uint8))
    for question in ("", "?", "zzyzx " * 500, "哪里"):
        assert len(network.answer(picture, question)) == 5


def test_words_are_numbers_and_unmet_words_one_of_their_own() -> None:
    told = number_words("What is it? " + "it " * 40, {"what": 2, "it": 3})
    assert told.shape == (24,)
    assert told[:4].tolist() == [2, 1, 3, 3]


@given(st.lists(st.text(min_size=1), min_size=10, unique=True))
def test_parts_are_of_pictures_and_never_change(names: list[str]) -> None:
    told = split_pictures(names)
    assert split_pictures(reversed(names)) == told
    assert sum(part == "held" for part in told.values()) == round(len(names) / 5)


def test_a_mirrored_picture_is_asked_the_other_way() -> None:
    assert mirror_question("what is left of the red chair on the right") == "what is right of the red chair on the left"


def test_calibration_rises_and_its_error_is_a_distance() -> None:
    table = {"shares": [0.1, 0.5, 0.9], "right": [0.05, 0.4, 0.8]}
    assert calibrate(0.3, table) == pytest.approx(0.225)
    assert calibration_error([0.9, 0.9, 0.1], [True, True, False]) == pytest.approx(0.1)


def test_wups_is_one_for_the_same_and_little_for_what_is_far() -> None:
    class Nouns:
        def near(self, one: str, other: str) -> float:
            return 1.0 if one == other else 0.95 if {one, other} == {"sofa", "couch"} else 0.5

    assert wups("lamp, book", "book, lamp", Nouns()) == 1  # type: ignore[arg-type]
    assert wups("sofa", "couch", Nouns()) == 0.95  # type: ignore[arg-type]
    assert wups("sofa", "lamp", Nouns()) == pytest.approx(0.05)  # type: ignore[arg-type]
    assert same_things("lamp, book", "book, lamp")


@pytest.mark.shared
def test_looking_adds_on_rooms_that_were_held_out(
    network: VisualAnswers, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = held_out_questions(shared / "data" / "daquar")
    images = sorted({one.image for one in asked})
    assert len(images) == 159
    # A third of them: the report has the figures of all.
    few = [one for one in asked if one.image in images[::3]]
    monkeypatch.setattr("crossmedia.eval.daquar.held_out_questions", lambda folder: few)
    told = {
        one.what: one.value for one in measure(network, shared / "data" / "daquar", None, lambda line: None).figures
    }
    assert told["accuracy"] > 0.25
    assert told["accuracy"] > told["question only, learned so (when it was trained)"]
    assert told["accuracy"] > told["the same asked about another picture"]
    assert told["expected calibration error"] < 0.1
