"""Sentences made from labels: what they say, that words find them, and that they are marked as made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.toy import toy_profile
from crossmedia.indexer.decode import Decoded
from crossmedia.indexer.enrichers.descriptions import DescriptionsEnricher
from crossmedia.retrieval.answering.describing import describe
from crossmedia.retrieval.documents import Enrichment, Label
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Query
from tests.retrieval.makers import asset_id, document, moment

RED = Picture(np.full((32, 32, 3), (200, 30, 40), np.uint8))


def told(*labels: Label, picture: Picture | None = None) -> str | None:
    found = describe(moment(asset_id("a"), labels=labels), picture)
    return found.text if found else None


def seen(value: str, score: float = 0.8, kind: str = "object") -> Label:
    return Label(kind, value, score, "m@1", (0.1, 0.1, 0.9, 0.9) if kind == "object" else None)


def test_counts_colours_areas_and_writing_become_a_sentence() -> None:
    assert told(seen("dog"), seen("dog")) == "Two dogs."
    assert told(seen("car"), picture=RED) == "A red car."
    assert told(seen("person"), seen("sky", 0.4, "area")) == "A person with sky."
    assert told(seen("EXIT", 0.9, "text")) == "Writing that says “EXIT”."


def test_who_was_named_is_told_and_who_was_not_is_a_person() -> None:
    assert told(seen("person"), seen("Ada", 0.9, "person")) == "Ada (a person)."
    assert told(seen("person"), seen("person 1b2c-1", 0.9, "person")) == "A person."


def test_what_is_doubtful_is_not_told() -> None:
    assert told(seen("dog", 0.3), seen("sky", 0.05, "area"), seen("x", 0.4, "text")) is None


def test_words_find_it_and_its_evidence_is_marked(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    profile = toy_profile()
    store.bind(profile.spaces.values())
    held = document("one", labels=(seen("dog"), seen("dog")))
    store.put([held, document("two", text="two dogs")])
    decoded = Decoded("image", "image/png", RED)
    enrichment = DescriptionsEnricher().enrich(held.asset, decoded, store.moments(held.asset.id))
    assert isinstance(enrichment, Enrichment)
    store.enrich([enrichment])
    assert store.moments(held.asset.id)[0].fields["description"] == "Two dogs."
    hits = {hit.title: hit for hit in Engine(store, profile).search(Query(("two dogs",), legs=("words",))).hits}
    assert [e.generated for e in hits["one"].evidence] == [True]
    assert [e.generated for e in hits["two"].evidence] == [False]
    assert hits["one"].relevance < hits["two"].relevance
    assert store.verify() == []
    store.close()
