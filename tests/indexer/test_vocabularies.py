"""Labels of vocabularies: from stored vectors, without a file, and anew whenever a vocabulary changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.toy import COLOURS, toy_profile
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrich import EnrichPass
from crossmedia.indexer.enrichers.vocabularies import VocabulariesEnricher
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.scan import scan
from crossmedia.retrieval.documents import Enrichment, Label, Patch
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters, LabelFilter, Query
from crossmedia.retrieval.vocabularies.scoring import Scorer
from crossmedia.retrieval.vocabularies.vocabulary import Vocabulary, parse

TOY = toy_profile()
NAMES = ("red", "green", "blue")
PAINTS = parse("paints", "vermilion, red\ngreen\nturquoise, cyan\n")


@pytest.fixture
def indexed(store: LocalStore, pool: DecodePool, tmp_path: Path) -> LocalStore:
    """A picture of each colour, whose file is out of reach."""
    (tmp_path / "media").mkdir()
    for name in NAMES:
        Image.fromarray(np.full((32, 32, 3), COLOURS[name], dtype=np.uint8)).save(tmp_path / "media" / f"{name}.png")
    Pipeline(store, TOY, pool).index(list(scan([tmp_path / "media"])))
    (tmp_path / "media").rename(tmp_path / "away")
    return store


def label(store: LocalStore, pool: DecodePool, *vocabularies: Vocabulary) -> int:
    return EnrichPass(store, pool, [VocabulariesEnricher(*arguments(store, *vocabularies))]).run().done


def arguments(store: LocalStore, *vocabularies: Vocabulary) -> tuple[Any, ...]:
    """What the pass is made from."""
    version = ",".join(one.revision for one in vocabularies)
    return vocabularies, TOY.spaces[COMMON], store.vectors, lambda one: Scorer.of(one, TOY, store), version


def asset(store: LocalStore, title: str) -> str:
    return next(one.id for one in store.assets(Filters(), 10) if one.title == f"{title}.png")


def counts(store: LocalStore, *kinds: str) -> Counter[str]:
    return Counter({f"{one.kind}:{one.value}": one.moments for one in store.count_facets(kinds)})


def test_pictures_have_the_names_that_they_show(indexed: LocalStore, pool: DecodePool) -> None:
    assert label(indexed, pool, PAINTS) == 3
    assert counts(indexed, "paints") == {"paints:vermilion": 1, "paints:green": 1}
    [moment] = indexed.moments(asset(indexed, "red"))
    [given] = [one for one in moment.labels if one.kind == "paints"]
    assert given.value == "vermilion"
    assert 0.5 < given.score <= 1
    assert label(indexed, pool, PAINTS) == 0, "nothing has changed"


def test_a_changed_vocabulary_labels_anew_and_a_removed_one_leaves_nothing(
    indexed: LocalStore, pool: DecodePool
) -> None:
    label(indexed, pool, PAINTS)
    assert label(indexed, pool, PAINTS, parse("more", "blue\n")) == 3
    assert counts(indexed, "paints", "more") == {"paints:vermilion": 1, "paints:green": 1, "more:blue": 1}
    assert label(indexed, pool, parse("more", "blue, red\n")) == 3
    assert counts(indexed, "paints", "more") == {"more:blue": 2}
    assert label(indexed, pool) == 3
    assert counts(indexed, "paints", "more") == {}
    assert indexed.verify(deep=True) == []


class Looks(VocabulariesEnricher):
    """The same, as a pass that wants the file."""

    name = "looks"
    needs_file = True


def test_a_file_that_is_away_keeps_other_passes_from_it_and_not_this_one(indexed: LocalStore, pool: DecodePool) -> None:
    given = arguments(indexed, PAINTS)
    report = EnrichPass(indexed, pool, [Looks(*given), VocabulariesEnricher(*given)]).run()
    assert (report.done, len(report.failed)) == (0, 3)
    assert counts(indexed, "paints") == {"paints:vermilion": 1, "paints:green": 1}
    assert indexed.pending("looks", Looks(*given).model, ["image"]) != []


def test_an_example_shows_what_a_name_does_not(indexed: LocalStore, pool: DecodePool) -> None:
    """Nobody knows how Bobby looks from his name alone."""
    shown, gone = asset(indexed, "blue"), "0" * 64
    label(indexed, pool, parse("pets", f"Bobby, @{shown}, @{gone}\nFelix\n"))
    [given] = indexed.count_facets(["pets"])
    assert (given.value, given.moments) == ("Bobby", 1)
    [hit] = Engine(indexed, TOY, lambda: ("pets",)).search(Query(("bobby",), legs=("labels",))).hits
    assert hit.asset == shown
    assert Engine(indexed, TOY).search(Query(("bobby",), legs=("labels",))).hits == ()
    [only] = indexed.assets(Filters(labels=(LabelFilter("pets", "Bobby"),)), 10)
    assert only.id == shown


def test_what_two_kinds_of_labels_tell_of_is_there_once(indexed: LocalStore, pool: DecodePool) -> None:
    """A dog with a box that the picture as a whole shows as well is one dog."""
    red = asset(indexed, "red")
    labels = (Label("object", "dog", 0.9, "m"), Label("pets", "dog", 0.8, "m"))
    indexed.enrich([Enrichment(red, "objects", "m", patches=(Patch(f"{red}-picture0", labels=labels),))])
    engine = Engine(indexed, TOY, lambda: ("object", "pets"))
    assert [hit.asset for hit in engine.search(Query(("a dog",), legs=("labels",))).hits] == [red]
    assert engine.search(Query(("two dogs",), legs=("labels",))).hits == ()
