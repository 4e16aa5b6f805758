"""Calibrations as they are stored."""

from __future__ import annotations

import pytest

from crossmedia.embeddings.encoder import Calibration

STORED = {"mean": 0.1, "std": 0.05, "middle": 0.3, "slope": 20.0, "blind": 2}


def test_the_bias_keeps_the_name_that_stored_heads_have_for_it() -> None:
    calibration = Calibration.from_dict(STORED)
    assert calibration.bias == 0.3
    assert calibration.as_dict() == STORED, "a head's revision is a hash of it"


@pytest.mark.parametrize("stored", [{}, {**STORED, "more": 1}, {"middle": 0.3}])
def test_anything_else_is_no_calibration(stored: dict[str, float]) -> None:
    with pytest.raises((KeyError, TypeError)):
        Calibration.from_dict(stored)
