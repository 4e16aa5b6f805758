"""Labels in a search: as what is named, as filters, as facets; and parts of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.toy import COLOURS, toy_profile
from crossmedia.retrieval.documents import Document, Label, Moment, part_id
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import FacetCount, Filters, LabelFilter, Query
from tests.retrieval.makers import asset_id, document, moment

PROFILE = toy_profile()
BOX = (0.1, 0.2, 0.5, 0.6)


def seen(*values: str, score: float = 0.8) -> tuple[Label, ...]:
    return tuple(Label("object", value, score, "m@1", BOX) for value in values)


def coloured(name: str, colour: str, *labels: Label, region: str | None = None) -> Document:
    """A plain picture with labels; `region`: the colour of a part of it, which has a vector of its own."""

    def common(colour: str) -> dict[str, np.ndarray]:
        picture = Picture(np.full((32, 32, 3), COLOURS[colour], np.uint8))
        return {space: rows[0] for space, rows in PROFILE.picture.encode([picture]).vectors.items()}

    asset = asset_id(name)
    whole = moment(asset, vectors=common(colour), labels=labels)
    parts = []
    if region:
        vectors = {"common": common(region)["common"]}
        parts = [Moment(part_id(whole.id, "region", 0), asset, "region", vectors=vectors, labels=seen("part"))]
    return document(name, moments=(whole, *parts))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = LocalStore(tmp_path)
    store.bind(PROFILE.spaces.values())
    store.put(
        [
            coloured("one", "green", *seen("dog")),
            coloured("two", "red", *seen("dog", "dog")),
            coloured("sofa", "blue", *seen("dog", "couch")),
            coloured("spot", "black", *seen("cat"), region="yellow"),
        ]
    )
    yield Engine(store, PROFILE)
    store.close()


def titles(engine: Engine, query: Query) -> list[str]:
    return [hit.title for hit in engine.search(query).hits]


def test_two_dogs_come_before_one(engine: Engine) -> None:
    hits = engine.search(Query(texts=("two dogs",), legs=("labels",))).hits
    assert [hit.title for hit in hits] == ["two"]
    [why] = hits[0].evidence
    assert (why.leg, why.query, why.boxes, why.similarity) == ("labels", "dog", (BOX, BOX), 1.0)
    everything = titles(engine, Query(texts=("two dogs",), legs=("labels",), min_relevance=0))
    assert (everything[0], set(everything)) == ("two", {"one", "two", "sofa"})


def test_all_that_is_named_counts(engine: Engine) -> None:
    assert titles(engine, Query(texts=("a dog and a couch",), legs=("labels",))) == ["sofa"]
    assert titles(engine, Query(texts=("cats",), legs=("labels",))) == ["spot"]
    assert titles(engine, Query(texts=("a horse",), legs=("labels",))) == []


def test_a_part_shows_its_whole_with_its_box(engine: Engine) -> None:
    hit = engine.search(Query(texts=("yellow",))).hits[0]
    assert (hit.title, hit.moment) == ("spot", f"{asset_id('spot')}-picture0")
    assert hit.evidence[0].moment == f"{asset_id('spot')}-picture0.region0"
    assert hit.evidence[0].boxes == (BOX,)


def test_the_whole_is_judged_by_filters_where_a_part_is_found(engine: Engine) -> None:
    def found(**condition: object) -> list[str]:
        labels = (LabelFilter(**condition),)  # type: ignore[arg-type]
        return titles(engine, Query(texts=("yellow",), filters=Filters(labels=labels)))

    assert found(kind="object", value="cat") == ["spot"]
    assert "spot" not in found(kind="object", value="cat", negate=True)
    # The label of the part is no label of the picture.
    assert found(kind="object", value="part") == []
    kinds = Filters(kinds=("picture",))
    assert titles(engine, Query(texts=("yellow",), filters=kinds))[:1] == ["spot"]


def test_an_indexed_picture_is_compared_as_a_whole(engine: Engine) -> None:
    from crossmedia.retrieval.query import Example

    query = Query(examples=(Example(asset=asset_id("spot")),), min_relevance=0)
    assert asset_id("spot") not in {hit.asset for hit in engine.search(query).hits}


def test_facets_count_all_that_was_found(engine: Engine) -> None:
    query = Query(texts=("dogs",), legs=("labels",), k=1, facets=("object", "scene"))
    answer = engine.search(query)
    assert len(answer.hits) == 1
    assert answer.facets == (FacetCount("object", "dog", 3, 3), FacetCount("object", "couch", 1, 1))
    assert engine.search(Query(texts=("dogs",))).facets == ()
