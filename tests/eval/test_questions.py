"""The questions are well formed, and what counts as right is judged as a person would."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.eval.questions import BenchmarkQuestion, corpus, is_right, questions
from crossmedia.retrieval.answering.kinds import QUESTION_KINDS

ASKED = questions()


def asked(kind: str, *answers: str, tolerance: str = "") -> BenchmarkQuestion:
    return BenchmarkQuestion(1, "", "?", answers, kind, tolerance)


def test_there_are_as_many_as_there_are_to_be() -> None:
    assert Counter(bool(one.answers) for one in ASKED) == {True: 200, False: 50}
    counted = Counter(one.kind for one in ASKED if one.answers)
    assert set(counted) == set(QUESTION_KINDS)
    assert min(counted.values()) >= 5


@pytest.mark.shared
def test_every_file_that_is_asked_about_is_there(shared: Path, tmp_path: Path) -> None:
    folder = corpus(shared / "data", tmp_path)
    assert [one.scope for one in ASKED if one.scope and not (folder / one.scope).is_file()] == []


def test_a_number_twice_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    head = "number,scope,question,answers,kind,tolerance,note\n"
    for broken in ("1,,a,b,who,,\n1,,a,b,who,,\n", "1,,a,b,how,,\n"):
        (tmp_path / "q.csv").write_text(head + broken)
        with pytest.raises(ValueError, match=r"comes twice|no kind"):
            questions(tmp_path / "q.csv")


def test_what_counts() -> None:
    assert is_right(asked("how many", "3", "three"), "Three dogs.")
    assert not is_right(asked("how many", "3", "three"), "33 dogs")
    assert is_right(asked("what colour", "brown and white", "brown"), "Brown")
    assert is_right(asked("yes/no", "yes"), "yes, brown")
    assert not is_right(asked("yes/no", "yes"), "no")
    assert is_right(asked("yes/no", "no", "nobody"), "Nobody was hurt, but the old pier is gone.")
    assert is_right(asked("how many", "23", tolerance="25%"), "26 pictures")
    assert not is_right(asked("how many", "23", tolerance="25%"), "30 pictures")
    assert is_right(asked("how long", "16", tolerance="0.5"), "16.0 s (0:16)")
    assert is_right(asked("which", "a.jpg"), "media/a.jpg")
    assert is_right(asked("which", "a.jpg"), "that one", ["media/a.jpg"])
    assert not is_right(asked("which", "a.jpg"), "that one", ["b.jpg", "a.jpg"])
    assert is_right(asked("what does it say", "hk0e7c"), "HKOE7C")
    assert is_right(asked("summarise", "all-of-half:bees", "honey", "tax"), "Bees make honey.")
    assert not is_right(asked("summarise", "all-of-half:bees", "honey", "tax"), "Taxes are due.")
    assert not is_right(asked("what is"), "anything")


@given(st.sampled_from([one for one in ASKED if one.answers and not one.tolerance and one.kind != "summarise"]))
def test_an_accepted_answer_is_right(one: BenchmarkQuestion) -> None:
    assert is_right(one, one.answers[0])
    assert is_right(one, one.answers[0].upper() if one.kind != "which" else one.answers[0])
