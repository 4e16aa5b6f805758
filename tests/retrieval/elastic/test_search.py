"""What searches ask of the server, and what they find in other languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crossmedia.embeddings.toy import toy_profile
from crossmedia.retrieval.documents import Label
from crossmedia.retrieval.elastic import ElasticStore
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.query import Filters, LabelFilter, Query
from tests.retrieval.elastic.proxy import Proxy
from tests.retrieval.makers import SPACES, asset_id, document, unit

Open = Callable[..., ElasticStore]
Everything = Filters()


def test_a_hybrid_search_is_one_msearch(open_store: Open, proxy: Proxy) -> None:
    profile = toy_profile()
    store = open_store(proxy.url)
    store.bind(profile.spaces.values())
    vectors = profile.text.encode(["red boats"]).vectors
    store.put([document("a", vector=vectors["common"][0], text="red boats")])
    engine = Engine(store, profile)
    query = Query(texts=("red boats",), min_relevance=0)
    engine.search(query)
    before = len(proxy.asked)
    [hit] = engine.search(query).hits
    asked = proxy.asked[before:]
    assert {evidence.leg for evidence in hit.evidence} >= {"common", "words"}
    assert len([path for path in asked if "_msearch" in path]) == 1
    assert not [path for path in asked if path.split("?")[0].endswith("/_search")]


@pytest.mark.parametrize("count", [1, 5, 40])
def test_a_filtered_search_gives_as_many_as_there_are(store: ElasticStore, count: int) -> None:
    """Few of many, far from the query: the graph is searched until enough are found."""
    wanted = {f"p{n}" for n in range(0, 400, 10)}
    store.put(
        [
            document(
                f"p{n}", vector=unit(n), labels=(Label("scene", "rare" if f"p{n}" in wanted else "common", 0.9, "m"),)
            )
            for n in range(400)
        ]
    )
    rare = Filters(labels=(LabelFilter("scene", "rare", 0.5),))
    found = store.search_vectors("common", "picture", unit(999), count, rare)
    assert len(found) == count
    assert {n.moment.split("-")[0] for n in found} <= {asset_id(name) for name in wanted}
    best = sorted((float(unit(n) @ unit(999)) for n in range(0, 400, 10)), reverse=True)[:count]
    assert [n.similarity for n in found] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    ("analyzer", "text", "query", "term"),
    [
        ("german", "Die alten Häuser am Hafen", "Haus", "Häuser"),
        ("french", "Les chevaux courent dans la neige", "cheval", "chevaux"),
        ("english", "The ponies were running", "pony", "ponies"),
        ("cjk", "東京タワーの夜景", "東京", "東京タワーの夜景"),
    ],
)
def test_languages(open_store: Open, analyzer: str, text: str, query: str, term: str) -> None:
    store = open_store(analyzer=analyzer)
    store.bind(SPACES)
    store.put([document("a", text=text), document("b", text="something else, autre chose")])
    found = store.search_text(query, 5, Everything)
    assert [match.moment for match in found] == [f"{asset_id('a')}-picture0"]
    assert found[0].coverage == pytest.approx(1)
    assert found[0].terms == (term,)
    assert term in found[0].text


def test_names_with_signs_are_words(store: ElasticStore) -> None:
    store.put([document("IMG_0042-holiday.v2.png", text="don't stop"), document("other.png", text="go on")])
    for query in ("holiday", "IMG_0042", "0042 holiday", "don't stop", "v2"):
        found = store.search_text(query, 5, Everything)
        assert [match.moment for match in found] == [f"{asset_id('IMG_0042-holiday.v2.png')}-picture0"], query
        assert found[0].coverage == pytest.approx(1), query


def test_all_words_come_before_many_of_some(store: ElasticStore) -> None:
    store.put([document("all", text="a man with a dog and a guitar " + "and very much else besides " * 20)])
    store.put([document(f"p{n}", text="dog dog dog") for n in range(30)])
    found = store.search_text("man dog guitar", 5, Everything)
    assert found[0].moment == f"{asset_id('all')}-picture0"
    assert found[0].coverage == pytest.approx(1)
    assert all(match.coverage < 0.7 for match in found[1:])
    assert [m.moment for m in store.search_text("man dog guitar", 5, Everything, least=0.7)] == [found[0].moment]
