"""Vectors that an enricher puts in the place of others: what every store makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Vector
from crossmedia.embeddings.heads import Heads
from crossmedia.retrieval.archive import Archive, bring, export
from crossmedia.retrieval.changes import enriched
from crossmedia.retrieval.documents import Enrichment, Label, Patch, Revision
from crossmedia.retrieval.query import Filters
from crossmedia.retrieval.store import SpaceMismatch, Store
from crossmedia.retrieval.stored_asset import Done, same
from tests.retrieval.makers import SPACES, asset_id, document, unit

A = asset_id("a")
PICTURE = f"{A}-picture0"
COMMON = SPACES[0]


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    """Two photos."""
    store = make_store()
    store.bind(SPACES)
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    return store


def seen(vector: Vector, model: str = "t@1", replaces: Sequence[str] = ("common",), *gone: str) -> Enrichment:
    """Photo a, and moments that are not there, have this vector now."""
    patches = tuple(Patch(moment, vectors={"common": vector}) for moment in (PICTURE, *gone))
    return Enrichment(A, "sight", model, patches=patches, spaces=(COMMON,), replaces=tuple(replaces))


def common(store: Store) -> Vector:
    return store.vectors("common", [PICTURE])[PICTURE]


def best(store: Store, vector: Vector) -> tuple[str, float]:
    first = store.search_vectors("common", "picture", vector, 5, Filters())[0]
    return first.moment, round(first.similarity, 5)


def test_the_new_vector_is_searched_and_the_old_one_is_gone(store: Store) -> None:
    assert best(store, unit(1)) == (PICTURE, 1)
    store.enrich([seen(unit(7))])
    assert best(store, unit(7)) == (PICTURE, 1)
    assert max(match.similarity for match in store.search_vectors("common", "picture", unit(1), 5, Filters())) < 0.999
    np.testing.assert_array_equal(store.vectors("picture", [PICTURE])[PICTURE], unit(1))
    assert store.counted()["common", "picture"] == 2, "in its place, not beside it"
    store.optimise()
    assert best(store, unit(7)) == (PICTURE, 1)
    assert store.verify(deep=True) == []


def test_it_is_the_moments_own_from_then_on(store: Store) -> None:
    store.enrich([seen(unit(7))])
    [held] = store.stored_assets([A])
    assert held.moments[0].vectors["common"] is None
    assert held.done == (Done("sight", "t@1"),)
    store.enrich([Enrichment(A, "sight", "t@2", error={"code": "x", "message": "y", "hint": ""})])
    np.testing.assert_array_equal(common(store), unit(7))
    store.enrich([seen(unit(8), "t@3")])
    np.testing.assert_array_equal(common(store), unit(8))
    assert store.counted()["common", "picture"] == 2
    assert store.verify(deep=True) == []


def test_what_stands_beside_is_retracted_and_what_replaced_is_not(store: Store) -> None:
    label = Label("scene", "harbour", 0.9, "t@1")
    both = Patch(PICTURE, vectors={"common": unit(7), "text": unit(8)}, labels=(label,))
    store.enrich([Enrichment(A, "sight", "t@1", patches=(both,), spaces=tuple(SPACES), replaces=("common",))])
    assert store.vectors("text", [PICTURE]).keys() == {PICTURE}
    store.enrich([Enrichment(A, "sight", "t@2")])
    assert store.vectors("text", [PICTURE]) == {}
    assert store.moments(A)[0].labels == ()
    np.testing.assert_array_equal(common(store), unit(7))


def test_of_another_enricher_it_stays_that_ones(store: Store) -> None:
    text = Patch(PICTURE, vectors={"text": unit(3)})
    store.enrich([Enrichment(A, "ocr", "o@1", patches=(text,), spaces=tuple(SPACES))])
    anew = Patch(PICTURE, vectors={"text": unit(4)})
    store.enrich([Enrichment(A, "sight", "t@1", patches=(anew,), spaces=tuple(SPACES), replaces=("text",))])
    np.testing.assert_array_equal(store.vectors("text", [PICTURE])[PICTURE], unit(4))
    store.enrich([Enrichment(A, "ocr", "o@2")])
    assert store.vectors("text", [PICTURE]) == {}


def test_a_moment_without_a_vector_gets_one(store: Store) -> None:
    store.put([document("a", moments=(document("a").moments[0],))], replace=True)
    store.enrich([seen(unit(7))])
    assert best(store, unit(7)) == (PICTURE, 1)
    store.enrich([Enrichment(A, "sight", "t@2")])
    assert best(store, unit(7)) == (PICTURE, 1)


def test_what_has_gone_meanwhile_is_left_alone(store: Store) -> None:
    store.enrich([seen(unit(7), "t@1", ("common",), f"{A}-frame3")])
    assert store.counted()["common", "picture"] == 2
    store.delete([A])
    store.enrich([seen(unit(8))])
    assert store.counted()["common", "picture"] == 1
    assert store.verify(deep=True) == []


def test_vectors_of_another_model_replace_none(store: Store) -> None:
    other = Enrichment(A, "sight", "t@1", patches=(Patch(PICTURE, vectors={"common": unit(7)}),), replaces=("common",))
    with pytest.raises(SpaceMismatch):
        store.enrich([other])
    np.testing.assert_array_equal(common(store), unit(1))


def test_what_changes_say_of_it_is_what_the_store_does(store: Store) -> None:
    before = store.contents([A])[A]
    store.enrich([seen(unit(7))])
    assert same(enriched(before, seen(unit(7))), store.contents([A])[A])


def test_a_revision_undoes_what_it_writes_over(store: Store) -> None:
    store.enrich([seen(unit(7))])
    store.revise([Revision(A, "v2", ("common",), {PICTURE: {"common": unit(9)}}, undone=("sight",))])
    np.testing.assert_array_equal(common(store), unit(9))
    assert A in store.pending("sight", "t@1", ["image"])
    assert "sight" not in store.statistics().enrichments
    assert store.verify() == []


def test_it_moves_with_its_record(make_store: Callable[..., Store], store: Store, tmp_path: Path) -> None:
    store.enrich([seen(unit(7))])
    heads = Heads(tmp_path / "heads")
    export(store, tmp_path / "archive", heads)
    other = make_store("other")
    other.bind(SPACES)
    bring(Archive(tmp_path / "archive"), other, heads, look=lambda asset, source: source)
    np.testing.assert_array_equal(common(other), unit(7))
    assert other.pending("sight", "t@1", ["image"]) == [asset_id("b")]
    assert all(same(one, two) for one, two in zip(*(s.stored_assets([A]) for s in (store, other)), strict=True))
