"""Long texts: what of them is encoded at once, what later, and that people are told what never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossmedia.embeddings.encoder import COMMON
from crossmedia.embeddings.toy import toy_profile
from crossmedia.indexer.decode.pool import DecodePool
from crossmedia.indexer.enrich import EnrichPass
from crossmedia.indexer.enrichers.paragraphs import ParagraphsEnricher
from crossmedia.indexer.pipeline import Pipeline
from crossmedia.indexer.reindex import Reindex
from crossmedia.indexer.report import Report
from crossmedia.indexer.scan import scan
from crossmedia.indexer.segment import ENCODED_FIRST, encoded_later, spread
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters, Query

TOY = toy_profile()
COUNT = 80


def write_long(folder: Path, count: int = COUNT) -> Path:
    """As many passages, the word `keyN` in each."""
    folder.mkdir(exist_ok=True)
    (folder / "long.txt").write_text("\n\n".join(f"key{n} " + "red boats come home " * 24 for n in range(count)))
    return folder


def index(store: LocalStore, pool: DecodePool, folder: Path) -> Report:
    return Pipeline(store, TOY, pool).index(list(scan([folder])))


def enrich(store: LocalStore, pool: DecodePool) -> int:
    return EnrichPass(store, pool, [ParagraphsEnricher(TOY.text, store.vectors)]).run().done


def encoded(store: LocalStore) -> list[int]:
    """The numbers of the paragraphs that have vectors."""
    [asset] = store.assets(Filters(), 10)
    ids = [moment.id for moment in store.moments(asset.id)]
    return sorted(ids.index(moment) for moment in store.vectors(COMMON, ids))


def test_a_long_text_is_found_at_once_and_its_meaning_follows(
    store: LocalStore, pool: DecodePool, tmp_path: Path
) -> None:
    assert index(store, pool, write_long(tmp_path / "media")).counts["added"] == 1
    assert encoded(store) == spread(COUNT, ENCODED_FIRST)
    for number in range(COUNT):
        hits = Engine(store, TOY).search(Query((f"key{number}",), legs=("words",))).hits
        assert [hit.moment for hit in hits] == [f"{hits[0].asset}-paragraph{number}"]
    assert enrich(store, pool) == 1
    assert encoded(store) == [*range(COUNT)]
    assert enrich(store, pool) == 0
    assert store.verify(deep=True) == []


def test_the_meaning_follows_also_where_the_file_is_out_of_reach(
    store: LocalStore, pool: DecodePool, tmp_path: Path
) -> None:
    media = write_long(tmp_path / "media")
    index(store, pool, media)
    media.rename(tmp_path / "away")
    assert enrich(store, pool) == 1
    assert encoded(store) == [*range(COUNT)]


def test_what_is_encoded_already_is_left_alone(store: LocalStore, pool: DecodePool, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as before:
        before.setattr("crossmedia.indexer.segment.ENCODED_FIRST", COUNT)
        index(store, pool, write_long(tmp_path / "media"))
    assert encoded(store) == [*range(COUNT)]
    assert enrich(store, pool) == 1
    assert encoded(store) == [*range(COUNT)]
    assert store.statistics().vectors[f"{COMMON}/text"] == COUNT


def test_a_reindex_encodes_no_more_than_there_was(store: LocalStore, pool: DecodePool, tmp_path: Path) -> None:
    index(store, pool, write_long(tmp_path / "media"))
    assert Reindex(store, TOY, [], pool).run(again=True).finished
    assert encoded(store) == spread(COUNT, ENCODED_FIRST)
    enrich(store, pool)
    assert Reindex(store, TOY, [], pool).run(again=True).finished
    assert encoded(store) == [*range(COUNT)]


def test_what_is_left_out_is_told(
    store: LocalStore, pool: DecodePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossmedia.indexer.segment.MAX_ENCODED", 50)
    monkeypatch.setattr("crossmedia.indexer.assemble.MAX_PASSAGES", 60)
    [outcome] = index(store, pool, write_long(tmp_path / "media")).damaged
    assert outcome.warnings == (
        "the text is very long: only its first 60 passages are indexed",
        "50 of 60 passages are found by their meaning, all of them by their words",
    )
    [asset] = store.assets(Filters(), 10)
    assert asset.metadata["warnings"] == [*outcome.warnings]
    enrich(store, pool)
    assert encoded(store) == spread(60, 50)
    assert not Engine(store, TOY).search(Query((f"key{COUNT - 1}",), legs=("words",))).hits


def test_a_text_of_the_usual_length_is_told_nothing_of(store: LocalStore, pool: DecodePool, tmp_path: Path) -> None:
    assert index(store, pool, write_long(tmp_path / "media", ENCODED_FIRST)).damaged == []
    assert encoded(store) == [*range(ENCODED_FIRST)]
    assert encoded_later(ENCODED_FIRST) == []
