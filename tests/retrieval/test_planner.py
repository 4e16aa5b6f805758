"""Queries as legs: what a pair of modalities does not compare."""

from __future__ import annotations

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Calibration, Modality
from crossmedia.retrieval.planner import QueryPart, VectorLeg, plan
from tests.retrieval.makers import unit


def leg(target: Modality, blind: int, weight: float = 1.0) -> VectorLeg:
    """From a picture, the first wanted part of which is one; with a negative weight it is the second and unwanted."""
    seen = {("common", "picture"): [unit(1)]}
    parts = [QueryPart(weight, "seen", seen)]
    if weight < 0:
        parts.insert(0, QueryPart(1.0, "wanted", {("common", "picture"): [unit(2)]}))
    known = {("common", "picture", target): Calibration(0.1, 0.1, 0.5, 20.0, blind)}
    (found,) = (one for one in plan(parts, ["common"], known) if isinstance(one, VectorLeg) and one.target == target)
    return found


@pytest.mark.parametrize("blind", [0, 1, 2])
def test_a_leg_is_blind_to_the_last_dimensions(blind: int) -> None:
    target, changed = unit(3)[None], unit(3)[None].copy()
    changed[0, -2:] += 0.5
    looking = leg("text", blind)
    assert bool(np.allclose(looking.log_odds(target), looking.log_odds(changed))) == (blind == 2)
    kept = unit(1).copy()
    kept[len(kept) - blind :] = 0
    np.testing.assert_allclose(looking.log_odds(target), 20 * (target @ kept - 0.5), rtol=1e-4)


def test_so_is_what_is_unwanted() -> None:
    looking = leg("text", 2, weight=-1.0)
    assert np.all(looking.unwanted[0].direction[-2:] == 0)
    assert np.any(looking.unwanted[0].direction[:-2])
