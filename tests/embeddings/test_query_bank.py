"""The query bank and the rarity of texts: unit rows whose product lowers what is near everything."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings import query_bank, rarity
from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.embeddings.query_bank import QueryBank
from tests.embeddings.tiny_models import assert_unit_rows

DIM = 8


def unit_rows(count: int, seed: int) -> Vectors:
    return normalise(np.random.default_rng(seed).normal(size=(count, DIM)))


@given(st.integers(0, 1000), st.floats(-3, 3))
def test_rows_have_unit_length_whatever_is_taken_off(seed: int, taken: float) -> None:
    rows, column = unit_rows(3, seed), np.full((3, 1), taken, np.float32)
    assert_unit_rows(query_bank.pictures(rows, column), 3, DIM + query_bank.EXTRA)
    assert_unit_rows(query_bank.texts(rows, column), 3, DIM + query_bank.EXTRA)


@given(st.integers(0, 1000), st.floats(-0.5, 0.5), st.floats(0, 0.02))
def test_the_product_is_half_of_the_similarity_less_both_offsets(seed: int, offset: float, taken: float) -> None:
    text, picture = unit_rows(1, seed), unit_rows(1, seed + 1)
    column = np.ones((1, 1), np.float32)
    product = query_bank.texts(text, taken * column) @ query_bank.pictures(picture, offset * column).T
    assert abs(product[0, 0] - (float(text[0] @ picture[0]) - offset - taken) / 2) < 0.02


def test_a_picture_near_every_text_is_pushed_back() -> None:
    bank = QueryBank(np.eye(DIM, dtype=np.float32)[:4])
    hub, single = normalise(np.eye(DIM)[:4].sum(axis=0, keepdims=True)), np.eye(DIM, dtype=np.float32)[:1]
    framed = bank.pictures(np.concatenate([hub, single]))
    plain = query_bank.pictures(np.concatenate([hub, single]), np.zeros((2, 1)))
    asked = query_bank.texts(np.eye(DIM, dtype=np.float32)[1:2], np.zeros((1, 1), np.float32))
    assert asked @ plain[0] - asked @ framed[0] > 0.05
    assert bank.pictures(hub, further=0.1)[0, DIM] < framed[0, DIM]
    assert bank.pictures(np.zeros((0, DIM), np.float32)).shape == (0, DIM + query_bank.EXTRA)


def test_unfamiliar_words_are_taken_off() -> None:
    met = np.array([200, 200, 1], np.uint8)
    plain, strange = np.array([[0, 1]]), np.array([[0, 2]])
    assert rarity.rarity(met[plain]) == 0
    assert rarity.rarity(met[strange]) > 3
    taken = rarity.penalty(met, [plain, strange])
    np.testing.assert_allclose(taken[:, 0], [0, rarity.WEIGHT * rarity.rarity(met[strange])], atol=1e-6)
    assert rarity.penalty(met, []).shape == (0, 1)
