"""Plates are found however they are written, with one character wrong, where they are seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.documents import Label
from crossmedia.retrieval.local.store import LocalStore
from crossmedia.retrieval.plates import BadPlate, distance, find, folded
from tests.retrieval.makers import SPACES, asset_id, document

BOX = (0.1, 0.2, 0.3, 0.4)


def test_found_exactly_then_with_one_wrong(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.bind(SPACES)
    for name, value, score in (
        ("a", "RK755AJ", 0.9),
        ("b", "RK75SAJ", 0.8),
        ("c", "RK755A", 0.95),
        ("d", "BB135BO", 0.9),
    ):
        store.put([document(name, labels=(Label("plate", value, score, "m", BOX), Label("text", "RK755AJ", 0.9, "m")))])
    found = find(store, "rk 755-aj")
    assert [(one.asset, one.value, one.distance) for one in found] == [
        (asset_id("a"), "RK755AJ", 0),
        (asset_id("c"), "RK755A", 1),
        (asset_id("b"), "RK75SAJ", 1),
    ]
    assert found[0].box == BOX
    assert [one.value for one in find(store, "BB 135 B0")] == ["BB135BO"]
    assert find(store, "XX999XX") == []
    store.close()


@pytest.mark.parametrize("text", ["", "a-", "1" * 17, "北京"])
def test_what_is_no_plate_is_refused(tmp_path: Path, text: str) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(BadPlate):
        find(store, text)
    store.close()


@given(st.text("AB01", max_size=6), st.text("AB01", max_size=6))
def test_a_distance_is_one(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
    assert folded(one.lower()) == folded(one)
