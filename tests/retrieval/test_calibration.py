"""What unrelated pairs score in a collection, and what relevance becomes by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.embeddings.encoder import Calibration
from crossmedia.embeddings.queries import QUERIES
from crossmedia.embeddings.toy import toy_profile
from crossmedia.retrieval.calibration import MIN_TARGETS, adapted, refresh
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Query
from crossmedia.retrieval.store import RandomPairs, Store
from tests.retrieval.makers import document, moment

PROFILE = toy_profile()
cosines = st.floats(-0.2, 0.8)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = LocalStore(tmp_path)
    opened.bind(PROFILE.spaces.values())
    yield opened
    opened.close()


def fill(store: Store, texts: list[str]) -> None:
    rows = PROFILE.text.encode(texts).vectors
    documents = []
    for n, text in enumerate(texts):
        one = document(f"{n} {text}.txt", media="text")
        said = moment(one.asset.id, "paragraph", vectors={s: rows[s][n] for s in rows}, fields={"text": text})
        documents.append(replace(one, moments=(said,)))
    store.put(documents)


@given(cosines, cosines, st.floats(0.01, 0.2), st.floats(0, 1))
def test_a_thing_is_as_near_to_itself_in_any_collection(mean: float, seen: float, above: float, share: float) -> None:
    calibration = Calibration(mean, 0.1, mean + above, 20.0)
    there = calibration.among(seen, share)
    assert there.relevance(1.0) == pytest.approx(calibration.relevance(1.0), abs=1e-9)
    assert there.relevance(there.mean) == pytest.approx(calibration.relevance(mean), abs=1e-9)
    assert min(mean, seen) - 1e-9 <= there.mean <= max(mean, seen) + 1e-9
    assert there.mean < there.bias < 1


def test_a_pair_without_a_background_gets_one_from_its_random_pairs() -> None:
    measured = [RandomPairs("common", "text", "picture", 0.15, 0.03, 1000, 5000)]
    found = adapted({}, measured)["common", "text", "picture"]
    assert found.relevance(0.15) < 0.02
    assert 0.2 < found.bias < 0.3
    assert found.relevance(0.35) > 0.98


def test_few_targets_count_little() -> None:
    given_one = {("text", "text", "text"): Calibration(0.1, 0.1, 0.5, 20.0)}
    few, many = (
        adapted(given_one, [RandomPairs("text", "text", "text", 0.4, 0.1, n, n)])["text", "text", "text"].bias
        for n in (60, 100_000)
    )
    assert 0.5 < few < 0.54
    assert 0.63 < many < 0.65


def test_a_mean_as_other_collections_have_it_moves_nothing() -> None:
    key = ("common", "text", "picture")
    for mean in (0.06, 0.1, 0.14):
        assert adapted({key: Calibration(0.1, 0.1, 0.5, 20.0)}, [RandomPairs(*key, mean, 0.1, 5000, 5000)])[
            key
        ].bias == pytest.approx(0.5)


def test_measured_once_there_is_enough_and_again_when_it_has_grown(store: Store) -> None:
    fill(store, [f"word{n}" for n in range(MIN_TARGETS - 1)])
    refresh(store, PROFILE)
    assert store.random_pairs() == []
    fill(store, [f"word{n}" for n in range(MIN_TARGETS + 10)])
    refresh(store, PROFILE)
    first = {(u.space, u.query, u.target): u for u in store.random_pairs()}
    assert set(first) == {(space, "text", "text") for space in ("text", "common")}
    asked = PROFILE.text.encode(QUERIES).vectors["text"]
    rows = store.sample("text", "text", 1000)
    assert first["text", "text", "text"].mean == pytest.approx(float(np.mean(asked @ rows.T)), abs=1e-6)
    fill(store, [f"more{n}" for n in range(5)])
    refresh(store, PROFILE)
    assert {u.targets for u in store.random_pairs()} == {MIN_TARGETS + 10}
    fill(store, [f"many{n}" for n in range(MIN_TARGETS)])
    refresh(store, PROFILE)
    assert {u.targets for u in store.random_pairs()} == {2 * MIN_TARGETS + 15}


def test_what_is_kept_moves_relevance(store: Store) -> None:
    fill(store, ["a red ball", "a blue car"])
    engine = Engine(store, PROFILE)
    before = engine.search(Query(texts=("a red bicycle",), legs=("text",), min_relevance=0)).hits[0].relevance
    store.keep_random_pairs([RandomPairs("text", "text", "text", 0.6, 0.1, 1000, 100_000)])
    after = engine.search(Query(texts=("a red bicycle",), legs=("text",), min_relevance=0)).hits[0].relevance
    assert after < before
    same = engine.search(Query(texts=("a red ball",), legs=("text",), min_relevance=0)).hits[0].relevance
    assert same > 0.9
