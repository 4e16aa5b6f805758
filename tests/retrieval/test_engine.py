"""Queries become hits, with encoders that need no weights: colours and words are what pictures and texts mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossmedia.embeddings.media import Clip, Picture, Waveform
from crossmedia.embeddings.profile import Word
from crossmedia.embeddings.toy import COLOURS, ToyTranscriber, toy_profile
from crossmedia.retrieval.documents import Document, Source
from crossmedia.retrieval.engine import Engine
from crossmedia.retrieval.evidence import explained
from crossmedia.retrieval.likeness import MIN_HITS
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.planner import WORDS, EmptyQuery, UnknownLeg
from crossmedia.retrieval.query import DEFAULT_MIN_RELEVANCE, Evidence, Example, Filters, Query
from crossmedia.retrieval.store import NotFound
from tests.media_makers import tone
from tests.retrieval.makers import asset_id, document, moment

PROFILE = toy_profile(ToyTranscriber())


def plain(colour: str, shade: int = 0) -> Picture:
    pixels = np.full((32, 32, 3), COLOURS[colour], dtype=np.int16) + shade
    return Picture(pixels.clip(0, 255).astype(np.uint8))


def half(left: str, right: str) -> Picture:
    pixels = plain(left).pixels.copy()
    pixels[:, 20:] = COLOURS[right]
    return Picture(pixels)


def of_picture(name: str, picture: Picture, **values: object) -> Document:
    rows = PROFILE.picture.encode([picture]).vectors
    asset = asset_id(name)
    made = moment(asset, vectors={space: row[0] for space, row in rows.items()}, fields=values.pop("fields", {}))
    return document(name, moments=(made,), **values)  # type: ignore[arg-type]


def of_text(name: str, *texts: str) -> Document:
    asset = asset_id(name)
    made = []
    for i, text in enumerate(texts):
        rows = PROFILE.text.encode([text]).vectors
        vectors = {space: row[0] for space, row in rows.items()}
        made.append(moment(asset, "paragraph", i, page=i + 1, fields={"text": text}, vectors=vectors))
    return document(name, media="text", moments=tuple(made))


def of_speech(name: str) -> Document:
    asset = asset_id(name)
    said = "the lighthouse keeper lit the lamp"
    words = tuple(Word(word, 10 + i, 10.5 + i) for i, word in enumerate(said.split()))
    vectors = {space: row[0] for space, row in PROFILE.text.encode([said]).vectors.items()}
    spoken = moment(asset, "speech", 0, start=10.0, end=16.0, fields={"transcript": said}, words=words, vectors=vectors)
    return document(name, media="audio", moments=(spoken,))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    store = LocalStore(tmp_path)
    store.bind(PROFILE.spaces.values())
    store.put(
        [
            of_picture("red", plain("red")),
            of_picture("red-blue", half("red", "blue")),
            of_picture("green", plain("green")),
            of_picture("blue", plain("blue")),
            of_text("boats", "red boats come home", "whales sing at night"),
            of_speech("lamp.wav"),
        ]
    )
    yield Engine(store, PROFILE)
    store.close()


def names(engine: Engine, query: Query) -> list[str]:
    return [hit.title for hit in engine.search(query).hits]


def test_words_find_pictures_and_texts(engine: Engine) -> None:
    hits = engine.search(Query(texts=("red",))).hits
    assert {hit.title for hit in hits} == {"red", "red-blue", "boats"}
    by_title = {hit.title: hit for hit in hits}
    assert [e.leg for e in by_title["red"].evidence] == ["common"]
    assert {e.leg for e in by_title["boats"].evidence} == {"text", "words"}
    assert by_title["boats"].page == 1
    assert all(0.5 <= hit.relevance <= 1 for hit in hits)


def test_nonsense_finds_nothing_unless_asked_to(engine: Engine) -> None:
    assert engine.search(Query(texts=("xyzzy plugh",))).hits == ()
    assert len(engine.search(Query(texts=("xyzzy plugh",), min_relevance=0, k=50)).hits) >= 6


def test_speech_is_found_with_the_second_of_the_words(engine: Engine) -> None:
    [hit] = engine.search(Query(texts=("keeper lit",), legs=("words",))).hits
    assert (hit.title, hit.media, hit.start, hit.end) == ("lamp.wav", "audio", 10.0, 16.0)
    [evidence] = hit.evidence
    assert (evidence.start, evidence.end) == (12.0, 13.5)
    assert "lighthouse keeper" in str(evidence.text)


def test_picture_finds_like_pictures_and_the_text_about_it(engine: Engine) -> None:
    found = engine.search(Query(examples=(Example(plain("red", -10), name="mine.png"),), min_relevance=0.3))
    assert found.hits[0].title == "red"
    assert {"picture", "common"} <= {evidence.leg for evidence in found.hits[0].evidence}
    assert found.hits[0].evidence[0].query == "mine.png"
    assert "boats" in {hit.title for hit in found.hits}


def test_an_example_alone_is_answered_by_the_nearest_and_how_alike_they_are(engine: Engine) -> None:
    asked = Query(examples=(Example(plain("red"), name="mine.png"),), filters=Filters(media=("image",)))
    hits = engine.search(asked).hits
    assert (hits[0].title, hits[0].likeness) == ("red", "same")
    assert {hit.title for hit in hits if hit.likeness == "nearest"} == {"green", "blue"}
    assert all((hit.likeness == "nearest") == (hit.relevance < DEFAULT_MIN_RELEVANCE) for hit in hits)
    assert [hit.likeness == "nearest" for hit in hits] == sorted(hit.likeness == "nearest" for hit in hits)
    given = engine.search(replace(asked, min_relevance=DEFAULT_MIN_RELEVANCE)).hits
    assert [hit.title for hit in given] == [hit.title for hit in hits if hit.likeness != "nearest"]
    both = engine.search(replace(asked, texts=("red",))).hits
    assert {hit.likeness for hit in both} == {None}, "with words it is no longer a question of what is like it"


def test_no_more_than_a_page_is_merely_the_nearest(engine: Engine) -> None:
    engine.store.put([of_picture(f"far {n}", plain("green", n)) for n in range(2 * MIN_HITS)])
    asked = Query(examples=(Example(plain("red")),), k=100, fold=False, legs=("picture", "common"))
    assert len(engine.search(asked).hits) == MIN_HITS


def test_indexed_asset_as_example_does_not_find_itself(engine: Engine) -> None:
    found = names(engine, Query(examples=(Example(asset=asset_id("red")),), legs=("picture",), min_relevance=0))
    assert found[0] == "red-blue"
    assert "red" not in found
    with pytest.raises(NotFound):
        engine.search(Query(examples=(Example(asset="0" * 64),)))


def test_negative_pushes_away(engine: Engine) -> None:
    plain_query = Query(texts=("red",), legs=("words",))
    assert names(engine, plain_query) == ["boats"]
    assert names(engine, replace(plain_query, negatives=("home",))) == []
    both = Query(texts=("red blue",), legs=("common",), min_relevance=0)
    before = {hit.title: hit.relevance for hit in engine.search(both).hits}
    after = {hit.title: hit.relevance for hit in engine.search(replace(both, negatives=("blue",))).hits}
    assert before["blue"] == pytest.approx(before["red"], abs=0.1)
    assert after["red"] > 0.5 > after["blue"]


def test_text_and_picture_compose(engine: Engine) -> None:
    engine.store.put([of_picture("purple", plain("purple"))])
    both = Query(texts=("blue",), examples=(Example(plain("red")),), legs=("common",), min_relevance=0)
    ranked = names(engine, both)
    assert set(ranked[:3]) == {"red", "blue", "red-blue"}
    weights = Query(texts=("blue",), examples=(Example(plain("red"), weight=0.1),), legs=("common",), min_relevance=0)
    assert names(engine, weights)[0] == "blue"


def test_sound_and_clip_examples_search_by_all_they_hold(engine: Engine) -> None:
    spoken = Example(Waveform(tone(1.0)), name="tone.wav")
    engine.store.put([of_text("about", "tone 440")])
    hits = engine.search(Query(examples=(spoken,), legs=("text",))).hits
    assert [hit.title for hit in hits] == ["about"]
    assert "“tone 440”" in str(hits[0].evidence[0].query)
    clip = Clip((plain("green"), plain("green")), (0.0, 1.0), None, 2.0)
    alike = Query(examples=(Example(clip),), legs=("picture",), min_relevance=DEFAULT_MIN_RELEVANCE)
    assert names(engine, alike) == ["green"]


def test_absent_recogniser_is_told(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    engine = Engine(store, toy_profile())
    store.bind(engine.profile.spaces.values())
    found = engine.search(Query(examples=(Example(Waveform(tone(1.0)), name="x.wav"),)))
    assert any("not recognised" in note for note in found.notes)
    store.close()


def test_near_identical_hits_are_folded(engine: Engine) -> None:
    engine.store.put([of_picture("red again", plain("red", -1))])
    query = Query(texts=("red",), legs=("common",))
    folded = engine.search(query).hits
    assert [hit.more for hit in folded if hit.title.startswith("red") and hit.title != "red-blue"] == [1]
    assert len(engine.search(replace(query, fold=False)).hits) == len(folded) + 1


def test_only_the_best_are_compared_with_each_other(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.store.put([of_picture("red again", plain("red", -1))])
    query = Query(texts=("red",), legs=("common",), k=50)
    unfolded = engine.search(replace(query, fold=False)).hits
    assert len(engine.search(query).hits) < len(unfolded)
    monkeypatch.setattr("crossmedia.retrieval.engine.MAX_FOLDED", 1)
    assert [hit.moment for hit in engine.search(query).hits] == [hit.moment for hit in unfolded]


def test_moments_of_an_asset_are_grouped_on_request(engine: Engine) -> None:
    query = Query(texts=("red whales boats sing",), min_relevance=0, filters=Filters(media=("text",)))
    assert names(engine, query) == ["boats", "boats"]
    [hit] = engine.search(replace(query, group=True)).hits
    assert hit.more == 1


def test_filters_and_k(engine: Engine) -> None:
    assert names(engine, Query(texts=("red",), filters=Filters(media=("text",)))) == ["boats"]
    assert len(engine.search(Query(texts=("red",), k=1)).hits) == 1


def test_filters_alone_give_everything_that_meets_them_the_newest_first(engine: Engine) -> None:
    engine.store.put([of_picture(f"of {year}", plain("red"), captured=f"{year}-01-01") for year in (2019, 2021, 2020)])
    asked = Query(filters=Filters(media=("image",), after="2019"), facets=("scene",))
    answer = engine.search(asked)
    assert [hit.title for hit in answer.hits] == ["of 2021", "of 2020", "of 2019"]
    assert {(hit.relevance, hit.evidence, hit.likeness) for hit in answer.hits} == {(1.0, (), None)}
    assert names(engine, replace(asked, k=1)) == ["of 2021"]
    assert names(engine, replace(asked, texts=(" ",))) == ["of 2021", "of 2020", "of 2019"]
    with pytest.raises(EmptyQuery):
        engine.search(replace(asked, negatives=("blue",)))


@pytest.mark.parametrize(
    "query",
    [
        Query(negatives=("red",)),
        Query(negatives=("red",), filters=Filters(media=("image",))),
        Query(examples=(Example(plain("red"), weight=-1),)),
    ],
)
def test_nothing_wanted_is_an_error(engine: Engine, query: Query) -> None:
    with pytest.raises(EmptyQuery):
        engine.search(query)


def test_unknown_leg_lists_the_known(engine: Engine) -> None:
    with pytest.raises(UnknownLeg) as error:
        engine.search(Query(texts=("red",), legs=("smell",)))
    assert "common" in error.value.hint
    assert "words" in error.value.hint


def test_all_k_are_returned_though_moments_fold_and_group(engine: Engine) -> None:
    many = tuple(
        moment(
            asset_id("many"),
            "paragraph",
            i,
            fields={"text": "red"},
            vectors={s: v[0] for s, v in PROFILE.text.encode(["red"]).vectors.items()},
        )
        for i in range(200)
    )
    engine.store.put([document("many", media="text", moments=many), of_text("other", "red tiles")])
    grouped = engine.search(Query(texts=("red",), legs=("text",), group=True, k=3)).hits
    assert {hit.title for hit in grouped} == {"many", "other", "boats"}
    folded = engine.search(Query(texts=("red",), legs=("text",), k=3)).hits
    assert {hit.title for hit in folded} == {"many", "other", "boats"}
    like = engine.search(Query(examples=(Example(asset=asset_id("many")),), legs=("text",), k=2)).hits
    assert [hit.title for hit in like] == ["other", "boats"]


def test_what_is_unlike_the_unwanted_earns_nothing(engine: Engine) -> None:
    assert engine.search(Query(texts=("xyzzy plugh",), negatives=("quux", "frob", "grault"))).hits == ()


def test_a_hit_shows_the_path_that_was_asked_for(engine: Engine) -> None:
    source = Source("/disk/zoo/red", "zoo/red", "default", 3, 1)
    engine.store.locate(asset_id("red"), source)
    [hit] = engine.search(Query(texts=("red",), legs=("common",), filters=Filters(path="zoo/"))).hits
    assert hit.path == "zoo/red"


def test_words_without_blanks_are_said_where_the_recogniser_has_them() -> None:
    words = tuple(Word(text, n, n + 0.9) for n, text in enumerate(["后来", "灯", "塔停", "电了", "。"]))
    asset = asset_id("a.wav")
    said = moment(asset, "speech", 0, start=0.0, end=5.0, fields={"transcript": "后来灯塔停电了。"}, words=words)
    found = Evidence(WORDS, 1.0, 0.9, 1, "后来灯塔停电了。", "灯塔停电", moment=said.id)
    told = explained(found, said, ())
    assert (told.start, told.end) == (1, pytest.approx(3.9))
