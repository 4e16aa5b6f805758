"""Whose faces: error rates by people, and identification by the nearest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossmedia.api.service import Service
from crossmedia.embeddings.errors import ModelMissing
from crossmedia.eval.faces import error_rates, identify, measure
from tests.api.helpers import settings

PEOPLE = np.array(["a", "a", "b", "b", "c", "c"])


def test_people_who_are_alike_raise_the_error_rate() -> None:
    apart = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 2]]
    assert error_rates(apart, PEOPLE) == (0.0, 0.0, 0.0)
    mixed = np.eye(3, dtype=np.float32)[[0, 1, 1, 0, 2, 2]]
    rate, low, high = error_rates(mixed, PEOPLE)
    assert 0 <= low <= rate <= high <= 1
    assert rate > 0.3


def test_a_picture_is_identified_by_another_of_the_same_person() -> None:
    rows = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2, 1]]
    rows[5] = (0.1, 0.9, 0.0)
    assert identify(rows, PEOPLE)[:4] == [1.0, 1.0, 1.0, 1.0]
    assert identify(rows, PEOPLE)[5] == 0.0


def test_without_faces_it_says_so(tmp_path: Path) -> None:
    service = Service(settings(tmp_path))
    with pytest.raises(ModelMissing, match="face recognition is off"):
        measure(service, tmp_path)
    service.close()
