"""What every store promises. Each store is a parameter of the fixture `make_store`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from crossmedia.embeddings.encoder import Space, Vector
from crossmedia.embeddings.profile import Word
from crossmedia.retrieval import people
from crossmedia.retrieval.changes import enriched
from crossmedia.retrieval.documents import REVISION, Enrichment, Label, Moment, Patch, Revision, Source, part_id
from crossmedia.retrieval.elastic import ElasticStore, expunge
from crossmedia.retrieval.labels import Labelled, LabelMatch, LabelQuery
from crossmedia.retrieval.order import NEWEST
from crossmedia.retrieval.query import FacetCount, Filters, LabelFilter
from crossmedia.retrieval.store import NotFound, RandomPairs, SpaceMismatch, Store
from crossmedia.retrieval.stored_asset import Done, StoredAsset, StoredMoment, same
from crossmedia.retrieval.temporal_merging import Span
from tests.retrieval.makers import DIM, SPACES, Decided, asset_id, document, eventful, moment, unit

Everything = Filters()
FACES = Space("face", DIM, "test", "1", "none")


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    store = make_store()
    store.bind(SPACES)
    return store


def ids(found: list) -> list[str]:  # type: ignore[type-arg]
    return [getattr(f, "moment", None) or f.id for f in found]


def test_put_is_read_back_whole(store: Store) -> None:
    asset = asset_id("a.wav")
    spoken = moment(
        asset,
        "speech",
        0,
        start=1.5,
        end=2.5,
        fields={"transcript": "hello there"},
        vectors={"text": unit(1)},
        words=(Word("hello", 1.5, 2.0), Word("there", 2.0, 2.5)),
        labels=(
            Label("sound", "speech", 0.9, "m@1", start=1.5, end=2.5),
            Label("face", "x", 0.4, "m@1", box=(0.1, 0.2, 0.3, 0.4)),
        ),
    )
    store.put([document("a.wav", media="audio", captured="2024-05-01T10:00:00", moments=(spoken,))])
    found = store.asset(asset)
    assert found is not None
    assert (found.title, found.captured, found.metadata) == ("a.wav", "2024-05-01T10:00:00", {"width": 4})
    [back] = store.moments(asset)
    assert (back.id, back.kind, back.start, back.end, back.fields) == (
        spoken.id,
        "speech",
        1.5,
        2.5,
        {"transcript": "hello there"},
    )
    assert back.words == spoken.words
    assert back.labels == spoken.labels
    np.testing.assert_array_equal(store.vectors("text", [spoken.id])[spoken.id], unit(1))
    assert store.load([spoken.id, "nothing"]).keys() == {spoken.id}
    assert store.placed([asset, "nothing"]) == {asset: (found, store.sources(asset))}
    assert store.find(asset[:8]) == [asset]
    assert store.find("zz") == []


def test_thumbnail(store: Store) -> None:
    store.put([document("a", vector=unit(1))])
    assert store.thumbnail(f"{asset_id('a')}-picture0") == b"jpega"
    assert store.thumbnail("none") is None


def test_attachments_go_with_their_asset(store: Store) -> None:
    kept = document("a", vector=unit(1), attachments={"preview": b"webp", "motion": b"{}"})
    store.put([kept, document("b", vector=unit(2))])
    assert store.attachment(asset_id("a"), "preview") == b"webp"
    assert store.attachment(asset_id("a"), "other") is None
    assert store.attachment(asset_id("b"), "preview") is None
    store.put([document("a", vector=unit(1), attachments={"preview": b"new"})], replace=True)
    assert store.attachment(asset_id("a"), "preview") == b"new"
    assert store.attachment(asset_id("a"), "motion") is None
    store.delete([asset_id("a")])
    assert store.attachment(asset_id("a"), "preview") is None


def test_put_again_replaces_moments(store: Store) -> None:
    store.put([document("a", vector=unit(1), text="old words")])
    store.put([document("a", vector=unit(3), text="other words")])
    assert store.search_text("other", 5, Everything) == []
    store.put([document("a", vector=unit(2), text="new words")], replace=True)
    assert store.statistics().moments == {"picture": 1}
    assert store.search_text("old", 5, Everything) == []
    [only] = store.search_vectors("common", "picture", unit(2), 5, Everything)
    assert only.similarity == pytest.approx(1)


def test_put_is_all_or_nothing(store: Store) -> None:
    twice = moment(asset_id("b"))
    with pytest.raises(Exception, match="UNIQUE|exists|duplicate"):
        store.put([document("a", vector=unit(1)), document("b", moments=(twice, twice))])
    assert store.statistics().assets == {}
    assert store.search_vectors("common", "picture", unit(1), 5, Everything) == []
    assert store.verify() == []


def test_another_space_is_refused(store: Store) -> None:
    with pytest.raises(SpaceMismatch, match="common"):
        store.bind([Space("common", 16, "test", "2", "none")])
    store.bind([Space("face", 8, "faces", "1", "none")])
    assert set(store.spaces()) == {"common", "picture", "sound", "text", "face"}


def test_nearest_is_exact_and_ordered(store: Store) -> None:
    rows = np.stack([unit(i) for i in range(200)])
    store.put([document(f"p{i}", vector=rows[i]) for i in range(200)])
    query = unit(999)
    found = store.search_vectors("common", "picture", query, 10, Everything)
    best = np.argsort(-(rows @ query))[:10]
    assert ids(found) == [f"{asset_id(f'p{i}')}-picture0" for i in best]
    assert [n.similarity for n in found] == pytest.approx((rows @ query)[best], abs=1e-5)


def test_modalities_of_one_space_are_apart(store: Store) -> None:
    text = moment(asset_id("t"), "paragraph", 0, vectors={"common": unit(1), "text": unit(1)})
    store.put([document("p", vector=unit(1)), document("t", media="text", moments=(text,))])
    assert ids(store.search_vectors("common", "text", unit(1), 5, Everything)) == [text.id]
    assert ids(store.search_vectors("common", "picture", unit(1), 5, Everything)) == [f"{asset_id('p')}-picture0"]
    assert store.search_vectors("common", "sound", unit(1), 5, Everything) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(media=("image",)), {"red", "blue"}),
        (Filters(media=("text", "video")), {"doc"}),
        (Filters(kinds=("paragraph",)), {"doc"}),
        (Filters(collection="b"), {"blue"}),
        (Filters(path="photos/"), {"red", "doc"}),
        (Filters(path="*/bl*"), {"blue"}),
        (Filters(path="pho[os"), set()),
        (Filters(after="2023-01-01"), {"blue"}),
        (Filters(before="2023-01-01"), {"red"}),
        (Filters(labels=(LabelFilter("scene", "Beach"),)), {"red"}),
        (Filters(labels=(LabelFilter("scene"),)), {"red", "blue"}),
        (Filters(labels=(LabelFilter("scene", None, 0.8),)), {"red"}),
        (Filters(assets=(asset_id("doc"),)), {"doc"}),
        (Filters(start=5.0), {"doc"}),
        (Filters(end=4.0), set()),
        (Filters(media=("image",), collection="b", after="2030"), set()),
    ],
)
def test_filters(store: Store, filters: Filters, expected: set[str]) -> None:
    text = moment(
        asset_id("doc"), "paragraph", 0, start=4.0, end=6.0, vectors={"common": unit(3)}, fields={"text": "word"}
    )
    store.put(
        [
            document(
                "red", vector=unit(1), captured="2022-03-01", labels=(Label("scene", "beach", 0.9, "m"),), text="word"
            ),
            document(
                "blue",
                collection="b",
                folder="other",
                vector=unit(2),
                captured="2024-03-01",
                labels=(Label("scene", "snow", 0.5, "m"),),
                text="word",
            ),
            document("doc", media="text", moments=(text,)),
        ]
    )
    names = {asset_id(n): n for n in ("red", "blue", "doc")}
    near = [
        *store.search_vectors("common", "picture", unit(9), 5, filters),
        *store.search_vectors("common", "text", unit(9), 5, filters),
    ]
    assert {names[n.moment.split("-")[0]] for n in near} == expected
    assert {names[m.moment.split("-")[0]] for m in store.search_text("word", 5, filters)} == expected
    assert {names[a.id] for a in store.assets(filters, 10)} == expected


def test_the_first_moments_of_what_meets_filters_the_newest_first(store: Store) -> None:
    asset = asset_id("film")
    shots = tuple(
        moment(
            asset,
            "shot",
            n,
            start=n,
            end=n + 1,
            vectors={"common": unit(n)},
            labels=(Label("object", thing, 0.9, "m"),),
        )
        for n, thing in enumerate(("cat", "dog", "dog"))
    )
    box = Label("object", "dog", 0.9, "m", box=(0, 0, 1, 1))
    picture = asset_id("photo")
    part = Moment(
        part_id(f"{picture}-picture0", "region", 0), picture, "region", vectors={"common": unit(7)}, labels=(box,)
    )
    store.put(
        [
            document("old", vector=unit(4), captured="2019-05-01"),
            document("undated", vector=unit(5)),
            document("film", media="video", moments=shots, captured="2021-05-01T10:00:00"),
            document("photo", moments=(moment(picture, vectors={"common": unit(6)}), part), captured="2020"),
        ]
    )

    def newest(filters: Filters, limit: int) -> list[str]:
        return [listed.moment for listed in store.browse(filters, NEWEST, limit)]

    first = [f"{asset}-shot0", f"{picture}-picture0", f"{asset_id('old')}-picture0", f"{asset_id('undated')}-picture0"]
    assert newest(Everything, 10) == first
    assert newest(Everything, 2) == first[:2]
    assert newest(Filters(before="2021"), 10) == first[1:3]
    assert newest(Filters(labels=(LabelFilter("object", "dog"),)), 10) == [f"{asset}-shot1"]
    assert newest(Filters(kinds=("region",)), 10) == [part.id]
    assert newest(Filters(media=("audio",)), 10) == []


def test_filters_still_return_k(store: Store) -> None:
    store.put([document(f"p{i}", vector=unit(i), captured="2024" if i % 50 == 0 else "2020") for i in range(500)])
    found = store.search_vectors("common", "picture", unit(7), 10, Filters(after="2023"))
    assert len(found) == 10
    store.delete([asset_id(f"p{i}") for i in range(0, 250, 50)])
    assert len(store.search_vectors("common", "picture", unit(7), 10, Filters(after="2023"))) == 5


def test_words_rank_cover_and_explain(store: Store) -> None:
    store.put(
        [
            document("a", text="A brown dog runs along the beach"),
            document("b", text="A dog sleeps"),
            document("c", text="Nothing of the kind"),
        ]
    )
    found = store.search_text("dogs on a beach", 5, Everything)
    assert ids(found) == [f"{asset_id('a')}-picture0", f"{asset_id('b')}-picture0"]
    assert found[0].coverage == pytest.approx(1)
    assert 0 < found[1].coverage < 0.7
    assert found[0].field == "ocr"
    assert found[0].terms == ("dog", "beach")
    assert "brown dog runs" in found[0].text
    assert ids(store.search_text("dog", 5, Everything, without=["beach"])) == [f"{asset_id('b')}-picture0"]


@pytest.mark.parametrize(
    "text", ['"', "AND OR NOT", "a*b (c", "title:x", "-", "'; DROP TABLE asset", "NEAR(", "\x00", "日本語", "é" * 1000]
)
def test_words_take_any_text(store: Store, text: str) -> None:
    store.put([document("a", text="plain words")])
    assert store.search_text(text, 5, Everything) == []
    assert store.search_text("plain", 5, Everything, without=[text]) != [] or not text.strip()


SAID = {
    "chinese": "灯塔在午夜停电两小时，渔船都看不见岸。",
    "traditional": "圖書館的貓在睡覺",
    "apart": "恐怕要下雨，龙舟赛改期",
    "japanese": "昨夜、灯台のテレビが壊れました",
    "korean": "등대의 불이 자정에 꺼졌다",
    "thai": "ประภาคารไฟดับตอนเที่ยงคืน",
    "arabic": "انقطعت الكهرباء عن المَنارةِ في أحد الأيام",
    "russian": "Ёлка стоит у маяка",
    "german": "Der Leuchtturm steht an der Hafenstraße in Köln",
    "hindi": "प्रकाशस्तंभ की बिजली गई",
    "english": "The lighthouse lost its power at midnight",
}


def test_words_of_any_script(store: Store) -> None:
    store.put([document(name, text=text) for name, text in SAID.items()])
    names = {f"{asset_id(name)}-picture0": name for name in SAID}

    def found(query: str) -> list[str]:
        return [names[match.moment] for match in store.search_text(query, 20, Everything, least=0.725)]

    for query, name, terms, shown in (
        ("灯塔停电", "chinese", ("灯塔", "停电"), "灯塔在午夜停电两小时"),
        ("燈塔", "chinese", ("灯塔",), "灯塔"),
        ("午夜停电", "chinese", ("午夜停电",), "灯塔"),
        ("图书馆 猫", "traditional", ("圖書館", "貓"), "圖書館的貓"),
        ("猫", "traditional", ("貓",), "貓"),
        ("てれび", "japanese", ("テレビ",), "灯台のテレビ"),
        ("ﾃﾚﾋﾞ", "japanese", ("テレビ",), "灯台のテレビ"),
        ("壊れ", "japanese", ("壊れ",), "壊れました"),
        ("등대", "korean", ("등대",), "등대의"),
        ("ไฟดับ", "thai", ("ไฟดับ",), "ไฟดับ"),
        ("المنارة", "arabic", ("المَنارةِ",), "المَنارةِ"),
        ("احد", "arabic", ("أحد",), "أحد"),
        ("елка", "russian", ("Ёлка",), "Ёлка"),
        ("HAFENSTRASSE", "german", ("Hafenstraße",), "Hafenstraße"),
        ("koln", "german", ("Köln",), "Köln"),
        ("बिजली", "hindi", ("बिजली",), "बिजली"),
        ("midnights", "english", ("midnight",), "lost its power"),
    ):
        [match] = store.search_text(query, 20, Everything, least=0.725)
        assert (names[match.moment], match.terms) == (name, terms), query
        assert match.coverage == pytest.approx(1), query
        assert shown in match.text, query
    assert found("恐龙") == [], "both characters, not side by side"
    assert found("बजल") == [], "other vowels"
    assert found("灯塔地震") == [], "half of it"
    assert store.search_text("灯塔地震", 20, Everything)[0].coverage < 0.7
    assert found("灯") == ["chinese", "japanese"] or found("灯") == ["japanese", "chinese"]
    assert store.search_text("灯", 20, Everything, without=["午夜停电"])[0].moment == f"{asset_id('japanese')}-picture0"
    for text in (SAID["chinese"], SAID["traditional"]):
        pairs = {pair for run in text.rstrip("。").split("，") for pair in map("".join, pairwise(run))}
        for query in {*pairs, *text} - set("，。"):
            assert text in {SAID[name] for name in found(query)}, query
    assert store.verify() == []


def test_words_of_any_script_follow_what_is_written(store: Store) -> None:
    store.put([document("a", text="灯塔停电"), document("b", text="a dog")])
    picture = f"{asset_id('a')}-picture0"
    store.enrich(
        [Enrichment(asset_id("b"), "ocr", "m@1", patches=(Patch(f"{asset_id('b')}-picture0", {"ocr": "渔船"}),))]
    )
    assert ids(store.search_text("渔船", 5, Everything)) == [f"{asset_id('b')}-picture0"]
    store.enrich([Enrichment(asset_id("b"), "ocr", "m@2", patches=())])
    assert store.search_text("渔船", 5, Everything) == []
    store.put([document("a", text="a dog sleeps")], replace=True)
    assert store.search_text("停电", 5, Everything) == []
    assert picture in ids(store.search_text("sleeps", 5, Everything))
    store.put([document("a", text="猫")], replace=True)
    assert ids(store.search_text("猫", 5, Everything)) == [picture]
    store.delete([asset_id("a")])
    assert store.search_text("猫", 5, Everything) == []
    assert store.verify() == []


def test_delete_leaves_nothing(store: Store) -> None:
    store.put([document("a", vector=unit(1), text="word"), document("b", vector=unit(2), text="word")])
    assert ids(store.search_vectors("common", "picture", unit(1), 1, Everything)) == [f"{asset_id('a')}-picture0"]
    assert store.delete([asset_id("a"), "unknown"]) == [asset_id("a")]
    assert store.asset(asset_id("a")) is None
    assert ids(store.search_vectors("common", "picture", unit(1), 5, Everything)) == [f"{asset_id('b')}-picture0"]
    assert ids(store.search_text("word", 5, Everything)) == [f"{asset_id('b')}-picture0"]
    assert store.thumbnail(f"{asset_id('a')}-picture0") is None
    assert store.verify() == []


def test_sources(store: Store) -> None:
    store.put([document("a", vector=unit(1))])
    asset = asset_id("a")
    copy = Source("/disk/copy/a", "copy/a", "default", 1, 5)
    store.locate(asset, copy)
    assert [s.path for s in store.sources(asset)] == ["copy/a", "photos/a"]
    store.locate(asset, Source("/disk/moved/a", "moved/a", "default", 1, 5), instead_of="/disk/copy/a")
    assert [s.path for s in store.sources(asset)] == ["moved/a", "photos/a"]
    assert [(x.asset, x.source.path) for x in store.located("default")] == [(asset, "moved/a"), (asset, "photos/a")]
    assert store.forget(["/disk/moved/a", "/nowhere"], "default") == []
    assert store.forget(["/disk/photos/a"], "default") == [asset]
    assert store.asset(asset) is None
    with pytest.raises(NotFound):
        store.locate(asset, copy)


def test_what_lies_at_a_place_and_below_a_folder(store: Store) -> None:
    def at(location: str) -> Source:
        return Source(location, location.removeprefix("/disk/"), "default", 1, 1)

    for name, place in (("a", "/disk/x/a"), ("b", "/disk/x/y/b"), ("c", "/disk/x-ray/c"), ("d", "/disk/x")):
        made = document(name, vector=unit(1))
        store.put([type(made)(made.asset, at(place), made.moments)])
    store.locate(asset_id("a"), Source("/disk/x/a", "other", "papers", 1, 1))
    assert {x.source.location for x in store.located("default", ["/disk/x"])} == {"/disk/x", "/disk/x/a", "/disk/x/y/b"}
    assert [x.source.location for x in store.located("default", ["/disk/x/y/", "/disk/x-ray"])] == [
        "/disk/x-ray/c",
        "/disk/x/y/b",
    ]
    assert len(store.located(None, ["/"])) == 5
    assert store.located("papers", ["/disk/none"]) == []
    there = store.at(["/disk/x/a", "/disk/nothing"], "default")
    assert {location: (x.asset, x.source) for location, x in there.items()} == {
        "/disk/x/a": (asset_id("a"), at("/disk/x/a"))
    }
    assert store.at([], "default") == {}


def test_changed_file_replaces_its_asset(store: Store) -> None:
    store.put([document("a", vector=unit(1))])
    changed = document("b", vector=unit(2))
    at_a = Source("/disk/photos/a", "photos/a", "default", 9, 9)
    store.put([type(changed)(changed.asset, at_a, changed.moments)])
    assert store.asset(asset_id("a")) is None
    assert [s.path for s in store.sources(asset_id("b"))] == ["photos/a"]
    assert store.verify() == []


def test_enrichment_is_pending_until_done_and_replaces_itself(store: Store) -> None:
    asset = asset_id("a")
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    picture = f"{asset}-picture0"
    assert store.pending("ocr", "m@1", ["image"]) == [asset, asset_id("b")]
    assert store.pending("ocr", "m@1", ["audio"]) == []
    first = Enrichment(
        asset,
        "ocr",
        "m@1",
        moments=(moment(asset, "speech", 0, fields={"transcript": "spoken"}, vectors={"text": unit(3)}),),
        patches=(
            Patch(picture, {"ocr": "exit sign"}, {"text": unit(4)}, (Label("text", "exit", 0.9, "m@1"),)),
            Patch("gone", {"ocr": "x"}),
        ),
        spaces=tuple(SPACES),
    )
    store.enrich([first])
    assert store.pending("ocr", "m@1", ["image"]) == [asset_id("b")]
    assert store.pending("ocr", "m@2", ["image"]) == [asset, asset_id("b")]
    assert ids(store.search_text("exit", 5, Everything)) == [picture]
    assert {n.moment for n in store.search_vectors("text", "text", unit(4), 5, Everything)} == {
        picture,
        f"{asset}-speech0",
    }
    store.enrich(
        [Enrichment(asset, "ocr", "m@2", patches=(Patch(picture, labels=(Label("text", "way out", 0.8, "m@2"),)),))]
    )
    assert store.search_text("exit spoken", 5, Everything) == []
    assert store.search_vectors("text", "text", unit(4), 5, Everything) == []
    assert [label.value for m in store.moments(asset) for label in m.labels] == ["way out"]
    store.enrich([Enrichment(asset_id("b"), "ocr", "m@1", error={"code": "corrupt", "message": "x", "hint": ""})])
    assert store.pending("ocr", "m@1", ["image"]) == [asset]
    store.enrich([Enrichment("0" * 64, "ocr", "m@1")])
    assert store.statistics().enrichments == {"ocr": {"done": 1, "failed": 1}}
    assert store.verify() == []


COMMON = SPACES[0]


def made(*spaces: Space, **vectors: Vector) -> list[Enrichment]:
    """Of two photos: the first says words, the second has these vectors."""
    words = Patch(f"{asset_id('a')}-picture0", {"ocr": "exit"})
    part = Moment(part_id(f"{asset_id('b')}-picture0", "region", 0), asset_id("b"), "region", vectors=vectors)
    return [
        Enrichment(asset_id("a"), "regions", "m@1", patches=(words,)),
        Enrichment(asset_id("b"), "regions", "m@1", moments=(part,), spaces=spaces),
    ]


@pytest.mark.parametrize(
    "enrichments",
    [
        made(replace(COMMON, revision="2"), common=unit(1)),
        made(replace(COMMON, model="other"), common=unit(1)),
        made(replace(COMMON, dim=24), common=unit(1, 24)),
        made(common=unit(1)),
        made(COMMON, common=unit(1), picture=unit(2)),
        made(COMMON, Space("unheard", DIM, "test", "1", "none"), unheard=unit(1)),
    ],
    ids=["another revision", "another model", "another size", "none named", "one not named", "one that is not there"],
)
def test_vectors_of_other_spaces_are_refused_with_all_that_came_with_them(
    store: Store, enrichments: list[Enrichment]
) -> None:
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    with pytest.raises(SpaceMismatch):
        store.enrich(enrichments)
    assert store.pending("regions", "m@1", ["image"]) == [asset_id("a"), asset_id("b")]
    assert store.search_text("exit", 5, Everything) == []
    assert store.statistics().moments == {"picture": 2}


def test_a_patch_is_of_the_spaces_too(store: Store) -> None:
    store.put([document("a", vector=unit(1))])
    patch = Patch(f"{asset_id('a')}-picture0", vectors={"text": unit(3)})
    with pytest.raises(SpaceMismatch, match="text"):
        store.enrich([Enrichment(asset_id("a"), "ocr", "m@1", patches=(patch,))])
    store.enrich([Enrichment(asset_id("a"), "ocr", "m@1", patches=(patch,), spaces=tuple(SPACES))])
    assert store.pending("ocr", "m@1", ["image"]) == []


def test_what_is_made_for_the_spaces_of_before_is_refused(store: Store, make_store: Callable[[], Store]) -> None:
    """Another process makes the vectors anew, after this one has looked at the spaces."""
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    assert store.spaces()["common"] == COMMON
    another = make_store()
    successor = another.successor()
    successor.rebind([replace(COMMON, revision="2")])
    while late := another.succeed(successor):
        successor.revise([Revision(asset, "v2", (), {}) for asset in late])
    with pytest.raises(SpaceMismatch):
        store.enrich(made(COMMON, common=unit(1)))
    with pytest.raises(SpaceMismatch):
        store.put([document("c", vector=unit(3))], spaces=SPACES)
    assert store.statistics().moments == {"picture": 2}
    store.enrich(made(replace(COMMON, revision="2"), common=unit(1)))
    assert store.statistics().moments == {"picture": 2, "region": 1}


def test_put_binds_the_spaces_of_what_it_writes(store: Store) -> None:
    store.put([document("a", vector=unit(1))], spaces=[*SPACES, FACES])
    assert store.spaces()["face"] == FACES
    with pytest.raises(SpaceMismatch):
        store.put([document("b", vector=unit(1))], spaces=[replace(COMMON, revision="2")])
    assert store.asset(asset_id("b")) is None


def test_put_again_makes_enrichments_pending(store: Store) -> None:
    store.put([document("a", vector=unit(1))])
    store.enrich([Enrichment(asset_id("a"), "ocr", "m")])
    store.put([document("a", vector=unit(1))], replace=True)
    assert store.pending("ocr", "m", ["image"]) == [asset_id("a")]


def test_reopened_store_knows_everything(store: Store, make_store: Callable[[], Store]) -> None:
    store.put([document(f"p{i}", vector=unit(i)) for i in range(50)])
    store.search_vectors("common", "picture", unit(3), 1, Everything)
    store.optimise()
    store.close()
    again = make_store()
    assert ids(again.search_vectors("common", "picture", unit(3), 1, Everything)) == [f"{asset_id('p3')}-picture0"]
    assert again.verify() == []


def test_another_writer_is_seen(store: Store, make_store: Callable[[], Store]) -> None:
    store.put([document("a", vector=unit(1))])
    assert len(store.search_vectors("common", "picture", unit(1), 5, Everything)) == 1
    other = make_store()
    other.put([document("b", vector=unit(2))])
    other.delete([asset_id("a")])
    assert ids(store.search_vectors("common", "picture", unit(1), 5, Everything)) == [f"{asset_id('b')}-picture0"]


def test_statistics(store: Store) -> None:
    store.put([document("a", vector=unit(1)), document("b")])
    found = store.statistics()
    assert (found.assets, found.moments, found.sources, found.bytes) == ({"image": 2}, {"picture": 2}, 2, 2)
    assert found.vectors == {"common/picture": 1, "picture/picture": 1}


def test_old_texts_with_all_words_come_before_new_ones_with_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.retrieval.local.fulltext.MAX_RANKED", 50)
    store.put([document("old", text="a man with a dog and a guitar")])
    store.put([document(f"p{i}", text=["a dog here", "the guitar there", "some man"][i % 3]) for i in range(300)])
    found = store.search_text("man dog guitar", 10, Everything)
    assert found[0].moment == f"{asset_id('old')}-picture0"
    assert found[0].coverage == pytest.approx(1)
    assert len(found) == 10


@pytest.mark.parametrize(
    ("query", "text"),
    [("naïve", "nai\u0308ve"), ("nai\u0308ve", "naïve"), ("İstanbul", "İstanbul"), ("dogs dog", "a dog")],
)
def test_words_in_any_spelling(store: Store, query: str, text: str) -> None:
    store.put([document("a", text=text), document("b", text="other")])
    [found] = store.search_text(query, 5, Everything)
    assert found.coverage == pytest.approx(1)


def test_label_filter_stays_quick_in_a_large_store(store: Store) -> None:
    labels = (Label("scene", "beach", 0.9, "m"), Label("scene", "sea", 0.5, "m"))
    store.put([document(f"p{i}", vector=unit(i), labels=labels) for i in range(3000)])
    assert (
        len(store.search_vectors("common", "picture", unit(1), 5, Filters(labels=(LabelFilter("scene", "beach"),))))
        == 5
    )
    assert len(store.assets(Filters(labels=(LabelFilter("scene", "beach", 0.95),)), 5)) == 0


def test_renamed_file_is_found_by_its_new_name(store: Store) -> None:
    store.put([document("IMG1.png", vector=unit(1))])
    store.locate(
        asset_id("IMG1.png"),
        Source("/disk/photos/holiday.png", "photos/holiday.png", "default", 8, 1),
        "/disk/photos/IMG1.png",
    )
    assert [m.moment for m in store.search_text("holiday", 5, Everything)] == [f"{asset_id('IMG1.png')}-picture0"]
    found = store.asset(asset_id("IMG1.png"))
    assert found is not None
    assert found.title == "holiday.png"


def test_searching_while_writing_keeps_index_and_truth_together(store: Store) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def search() -> None:
        try:
            while not stop.is_set():
                store.search_vectors("common", "picture", unit(3), 10, Everything)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 600, 10):
        store.put([document(f"p{i}", vector=unit(i)) for i in range(start, start + 10)])
        if start % 50 == 0:
            store.delete([asset_id(f"p{start}")])
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(store.search_vectors("common", "picture", unit(3), 1000, Everything)) == 588
    assert store.verify() == []


def test_vectors_are_counted_and_sampled_over_the_whole_store(store: Store) -> None:
    store.put([document(f"{n}.jpg", vector=unit(n)) for n in range(40)])
    assert store.counted() == {("common", "picture"): 40, ("picture", "picture"): 40}
    all_of_them = store.sample("common", "picture", 1000)
    np.testing.assert_allclose(all_of_them, np.stack([unit(n) for n in range(40)]), atol=1e-6)
    some = store.sample("common", "picture", 5)
    assert some.shape == (5, 16)
    np.testing.assert_allclose(some[[0, -1]], all_of_them[[0, -1]])
    assert len(store.sample("common", "sound", 5)) == 0


def test_what_random_pairs_score_is_kept_until_it_is_measured_anew(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.bind(SPACES)
    assert store.random_pairs() == []
    store.keep_random_pairs([RandomPairs("common", "text", "picture", 0.1, 0.05, 1000, 2000)])
    new = [
        RandomPairs("common", "text", "picture", 0.2, 0.05, 1000, 4000),
        RandomPairs("text", "text", "text", 0, 1, 2, 3),
    ]
    store.keep_random_pairs(new)
    assert sorted(make_store().random_pairs(), key=lambda u: u.space) == new


def test_rebind_records_what_bind_refuses(store: Store) -> None:
    other = Space("common", 16, "test", "2", "none")
    with pytest.raises(SpaceMismatch):
        store.bind([other])
    store.rebind([other])
    store.bind([other])
    assert store.spaces()["common"] == other
    assert store.spaces()["picture"] == SPACES[1]
    with pytest.raises(SpaceMismatch):
        store.bind(SPACES)


def test_revise_replaces_vectors_of_the_spaces_named_and_nothing_else(store: Store) -> None:
    label = Label("scene", "harbour", 0.9, "m@1")
    store.put([document(name, vector=unit(n), labels=(label,)) for n, name in enumerate(("a", "b"))])
    a, b = asset_id("a"), asset_id("b")
    patch = Patch(
        f"{a}-picture0", fields={"ocr": "exit"}, vectors={"text": unit(9)}, labels=(Label("text", "exit", 0.8, "o@1"),)
    )
    store.enrich([Enrichment(a, "ocr", "1", patches=(patch,), spaces=tuple(SPACES))])
    assert store.search_vectors("common", "picture", unit(0), 1, Everything)[0].moment == f"{a}-picture0"
    assert store.pending(REVISION, "v2", ["image"]) == [a, b]
    vectors = {f"{a}-picture0": {"common": unit(50)}, f"{asset_id('c')}-picture0": {"common": unit(51)}}
    new = Label("scene", "port", 0.7, "m@2")
    store.revise(
        [
            Revision(a, "v2", ("common", "picture", "spare"), vectors, {f"{a}-picture0": (new,)}),
            Revision(asset_id("gone"), "v2", ("common",), {}),
        ]
    )
    assert store.pending(REVISION, "v2", ["image"]) == [b]
    assert store.asset(asset_id("gone")) is None
    moment = f"{a}-picture0"
    assert np.array_equal(store.vectors("common", [moment])[moment], unit(50))
    assert store.vectors("picture", [moment]) == {}
    assert np.array_equal(store.vectors("text", [moment])[moment], unit(9))
    found = store.load([moment])[moment]
    assert {x.value for x in found.labels} == {"port", "exit"}
    assert found.fields["ocr"] == "exit"
    assert store.thumbnail(moment) is not None
    assert [n.moment for n in store.search_vectors("common", "picture", unit(50), 5, Everything)] == [
        moment,
        f"{b}-picture0",
    ]
    assert np.array_equal(store.vectors("common", [f"{b}-picture0"])[f"{b}-picture0"], unit(1))
    store.revise([Revision(a, "v3", ("text",), {moment: {"text": unit(60)}})])
    assert np.array_equal(store.vectors("text", [moment])[moment], unit(60))
    store.enrich([Enrichment(a, "ocr", "2")])
    assert store.vectors("text", [moment]) == {}, "what an enricher made is still its own to take back"
    assert store.verify() == []


def test_a_revision_that_fails_leaves_nothing(store: Store) -> None:
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    a, moment = asset_id("a"), f"{asset_id('a')}-picture0"
    broken: dict[str, dict[str, object]] = {f"{asset_id('b')}-picture0": {"common": "no vector"}}
    with pytest.raises(ValueError):
        store.revise(
            [
                Revision(a, "v2", ("common",), {moment: {"common": unit(5)}}),
                Revision(asset_id("b"), "v2", ("common",), broken),
            ]
        )  # type: ignore[arg-type]
    assert np.array_equal(store.vectors("common", [moment])[moment], unit(1))
    assert a in store.pending(REVISION, "v2", ["image"])


def test_spans_of_what_lies_in_time(store: Store) -> None:
    a = asset_id("a")
    shot, still = moment(a, "shot", 0, start=1.0, end=4.5), moment(a, "picture", 0)
    store.put([document("a", media="video", moments=(shot, still))])
    assert store.spans([shot.id, still.id, "unknown-shot0"]) == {shot.id: Span(a, "shot", 1.0, 4.5)}
    assert store.spans([]) == {}


def seen(*values: str, score: float = 0.8) -> tuple[Label, ...]:
    return tuple(Label("object", value, score - n / 100, "m@1", (0.1, 0.1, 0.5, 0.5)) for n, value in enumerate(values))


@pytest.mark.parametrize(
    ("wanted", "passing"),
    [
        (LabelFilter("object", "dog"), "one two three"),
        (LabelFilter("object", "DOG", min_count=2), "two three"),
        (LabelFilter("object", "dog", 0.785, 2), "two"),
        (LabelFilter("object", "dog", min_count=2, negate=True), "cat none one"),
        (LabelFilter("object", "dog", negate=True), "cat none"),
        (LabelFilter("object", min_count=3), "three"),
        (LabelFilter("object", negate=True), "none"),
        (LabelFilter("object", "dog", 0.5, negate=True), "cat none three"),
    ],
)
def test_labels_filter_by_score_and_count_and_absence(store: Store, wanted: LabelFilter, passing: str) -> None:
    store.put(
        [
            document("one", vector=unit(1), labels=seen("dog", "cat")),
            document("two", vector=unit(2), labels=seen("Dog", "dog", score=0.8)),
            document("three", vector=unit(3), labels=seen("dog", "dog", "dog", score=0.45)),
            document("cat", vector=unit(4), labels=seen("cat", "doggy")),
            document("none", vector=unit(5), labels=(Label("scene", "dog", 0.9, "m"),)),
        ]
    )
    filters = Filters(labels=(wanted,))
    found = {f.moment for f in store.search_vectors("common", "picture", unit(1), 9, filters)}
    assert found == {f"{asset_id(name)}-picture0" for name in passing.split()}
    every = [f"{asset_id(name)}-picture0" for name in ("one", "two", "three", "cat", "none", "nowhere")]
    assert store.meeting(every, filters) == found
    assert store.meeting(every, Everything) == set(every[:-1])
    assert store.meeting([], filters) == set()


def test_what_bears_most_of_what_is_named_comes_first(store: Store) -> None:
    store.put(
        [
            document("dog", labels=seen("dog", score=0.9)),
            document("dogs", labels=seen("dog", "dog", "dog", score=0.6)),
            document("both", labels=seen("Dog", "sofa", score=0.7)),
            document("other", labels=(*seen("cat"), Label("text", "dog", 0.9, "m"))),
        ]
    )
    match = {name: f"{asset_id(name)}-picture0" for name in ("dog", "dogs", "both")}
    found = store.search_labels(LabelQuery({"dog": 2, "sofa": 1}, 5, Everything))
    assert [one.moment for one in found] == [match["both"], match["dogs"], match["dog"]]
    assert found[0] == LabelMatch(match["both"], {"dog": (0.7,), "sofa": (0.69,)})
    assert found[1].scores == {"dog": (0.6, 0.59)}
    assert [one.moment for one in store.search_labels(LabelQuery({"dog": 1}, 1, Everything))] == [match["dog"]]
    only = Filters(labels=(LabelFilter("object", "sofa", negate=True),))
    assert [one.moment for one in store.search_labels(LabelQuery({"dog": 1}, 5, only))] == [match["dog"], match["dogs"]]
    own = LabelQuery({"dog": 2}, 5, Everything, ("text", "object"))
    assert [one.moment for one in store.search_labels(own)][:1] == [match["dogs"]]
    assert match["dogs"] not in [one.moment for one in store.search_labels(replace(own, kinds=("text",)))]
    for nothing in ({"horse": 1}, {}):
        assert store.search_labels(LabelQuery(nothing, 5, Everything)) == []
    assert store.search([], [], []) == ([], [], [])


def test_labels_are_tallied(store: Store) -> None:
    store.put(
        [
            document("a", labels=(*seen("dog", "dog", "cat"), Label("scene: odd.", "x", 1.0, "m"))),
            document("b", labels=seen("dog")),
        ]
    )
    dogs, cats, odd = (
        FacetCount("object", "dog", 2, 2),
        FacetCount("object", "cat", 1, 1),
        FacetCount("scene: odd.", "x", 1, 1),
    )
    assert store.count_facets() == [dogs, cats, odd]
    assert store.count_facets(["object"]) == [dogs, cats]
    assert store.count_facets(["scene: odd.", "nothing"]) == [odd]
    assert store.count_facets(["object"], [f"{asset_id('b')}-picture0", "nowhere"]) == [
        FacetCount("object", "dog", 1, 1)
    ]
    assert store.count_facets([], []) == []


def test_labels_are_counted_and_renamed(store: Store) -> None:
    a, b = asset_id("a"), asset_id("b")

    def turn(asset: str, number: int, start: float, end: float, who: str) -> Moment:
        label = Label("speaker", who, 0.9, "v@1", start=start, end=end)
        return moment(asset, "turn", number, start=start, end=end, labels=(label,), vectors={"voice": unit(number)})

    said = moment(a, "speech", 0, start=0.0, end=2.0, labels=(Label("speaker", "Ada", 0.9, "v@1"),))
    store.put(
        [
            document("a", media="audio", moments=(turn(a, 0, 0, 2, "Ada"), turn(a, 1, 2, 9, "Bo"), said)),
            document("b", media="audio", moments=(turn(b, 0, 0, 3, "Ada"),)),
        ]
    )
    assert store.labelled("speaker", "turn") == [
        Labelled("Bo", 1, 1, 7.0, f"{a}-turn1"),
        Labelled("Ada", 2, 2, 5.0, f"{b}-turn0"),
    ]
    assert {found.value: found.moments for found in store.labelled("speaker")} == {"Ada": 3, "Bo": 1}
    assert store.labelled("face") == []
    assert store.relabel("speaker", "ada", "Ada Lovelace") == 3
    assert store.relabel("speaker", "nobody", "x") == 0
    assert store.relabel("scene", "Bo", "x") == 0
    assert store.relabel("speaker", "Bo", "Ada Lovelace") == 1
    assert [(found.value, found.moments, found.seconds) for found in store.labelled("speaker", "turn")] == [
        ("Ada Lovelace", 3, 12.0)
    ]
    named = Filters(labels=(LabelFilter("speaker", "ada lovelace"),))
    assert {n.moment for n in store.search_vectors("voice", "voice", unit(0), 9, named)} == {
        f"{a}-turn0",
        f"{a}-turn1",
        f"{b}-turn0",
    }


@pytest.fixture
def other(make_store: Callable[..., Store]) -> Store:
    """A second, empty store."""
    store = make_store("other")
    store.bind(SPACES)
    return store


def test_assets_are_listed_in_the_order_in_which_they_came(store: Store) -> None:
    names = [f"p{i}" for i in range(2500)]
    for start in range(0, len(names), 500):
        store.put([document(name) for name in names[start : start + 500]])
    store.put([document("p7", text="again")], replace=True)
    store.delete([asset_id("p1200")])
    assert list(store.asset_ids()) == [asset_id(name) for name in names if name != "p1200"]


def test_holdings_tell_everything_and_who_made_it(store: Store) -> None:
    eventful(store)
    clip, photo = store.stored_assets([asset_id("clip"), "unknown", asset_id("photo")])
    assert (clip.asset, photo.asset.title) == (store.asset(asset_id("clip")), "photo")
    assert [s.path for s in photo.sources] == ["copies/photo", "photos/photo"]
    assert dict(clip.attachments) == {"preview": b"webp", "motion": b"{}"}
    assert [(h.moment.id.rpartition("-")[2], h.maker) for h in clip.moments] == [
        ("shot0", None),
        ("shot1", None),
        ("speech0", "transcript"),
        ("turn0", "speakers"),
    ]
    for held in (*clip.moments, *photo.moments):
        known = store.load([held.moment.id])[held.moment.id]
        assert (known.labels, known.words, dict(known.fields)) == (
            held.moment.labels,
            held.moment.words,
            dict(held.moment.fields),
        )
        for space, vector in held.moment.vectors.items():
            np.testing.assert_array_equal(vector, store.vectors(space, [held.moment.id])[held.moment.id])
        assert held.moment.vectors.keys() == held.vectors.keys()
        assert held.moment.thumbnail == store.thumbnail(held.moment.id)
    [picture] = photo.moments
    assert dict(picture.vectors) == {"common": None, "picture": None, "text": "ocr"}
    assert {label.value: maker for label, maker in zip(picture.moment.labels, picture.labels, strict=True)} == {
        "harbour": None,
        "exit": "ocr",
    }
    assert {done.enricher: done for done in photo.done} == {
        "ocr": Done("ocr", "o@1", None, ("ocr",)),
        REVISION: Done(REVISION, "v2"),
    }
    assert {done.enricher: (done.model, done.error) for done in clip.done} == {
        "transcript": ("t@1", None),
        "speakers": ("s@1", None),
        "ocr": ("o@1", {"code": "x", "message": "y", "hint": ""}),
    }
    assert store.stored_assets([]) == []


def test_what_is_restored_is_what_was_held(store: Store, other: Store) -> None:
    eventful(store)
    held = store.stored_assets(list(store.asset_ids()))
    other.restore(held)
    assert list(other.asset_ids()) == list(store.asset_ids())
    back = other.stored_assets([stored_asset.asset.id for stored_asset in held])
    assert all(same(one, two) for one, two in zip(held, back, strict=True))
    for space, modality in store.counted():
        query = unit(77)
        assert [
            (n.moment, round(n.similarity, 5)) for n in other.search_vectors(space, modality, query, 10, Everything)
        ] == [(n.moment, round(n.similarity, 5)) for n in store.search_vectors(space, modality, query, 10, Everything)]
    for words in ("exit", "hello there", "photo", "nothing of it"):
        assert ids(other.search_text(words, 10, Everything)) == ids(store.search_text(words, 10, Everything))
    assert other.search_text("hello there", 10, Everything)
    for kind in ("speaker", "scene", "text"):
        assert other.labelled(kind) == store.labelled(kind) != []
    for enricher, model in (("ocr", "o@1"), ("ocr", "o@2"), ("transcript", "t@1"), (REVISION, "v2")):
        media = ["image", "video"]
        assert other.pending(enricher, model, media) == store.pending(enricher, model, media)
    assert other.statistics() == store.statistics()
    assert other.counted() == store.counted()
    assert other.located() == store.located()
    assert other.attachment(asset_id("clip"), "motion") == b"{}"
    assert other.verify() == []


def test_an_enricher_takes_back_in_another_store_what_it_made_in_the_first(store: Store, other: Store) -> None:
    eventful(store)
    other.restore(store.stored_assets([asset_id("photo"), asset_id("clip")]))
    for each in (store, other):
        each.enrich([Enrichment(asset_id("photo"), "ocr", "o@2"), Enrichment(asset_id("clip"), "transcript", "t@2")])
        assert each.search_text("exit", 5, Everything) == []
        assert each.search_text("hello there", 5, Everything) == []
        assert [label.value for m in each.moments(asset_id("photo")) for label in m.labels] == ["harbour"]
        assert each.vectors("text", [f"{asset_id('photo')}-picture0"]) == {}
        assert [m.kind for m in each.moments(asset_id("clip"))] == ["shot", "shot", "turn"]
    [one], [two] = store.stored_assets([asset_id("photo")]), other.stored_assets([asset_id("photo")])
    assert same(one, two)
    assert other.verify() == []


def test_restoring_takes_the_place_of_what_was_held_and_twice_changes_nothing(store: Store, other: Store) -> None:
    eventful(store)
    other.put(
        [
            document("before", vector=unit(5)),
            document("photo", folder="elsewhere", vector=unit(6), text="old words", attachments={"preview": b"old"}),
            document("after", vector=unit(7)),
        ]
    )
    other.enrich([Enrichment(asset_id("photo"), "captions", "c@1")])
    held = store.stored_assets(list(store.asset_ids()))
    for _ in range(2):
        other.restore(held)
        back = other.stored_assets([stored_asset.asset.id for stored_asset in held])
        assert all(same(one, two) for one, two in zip(held, back, strict=True))
        assert list(other.asset_ids())[:3] == [asset_id("before"), asset_id("photo"), asset_id("after")]
        assert other.search_text("old", 5, Everything) == []
        assert other.attachment(asset_id("photo"), "preview") is None
        assert [s.path for s in other.sources(asset_id("photo"))] == ["copies/photo", "photos/photo"]
        assert sum(other.statistics().assets.values()) == len(held) + 2
        assert (
            len(other.search_vectors("common", "picture", unit(6), 50, Everything))
            == other.counted()["common", "picture"]
        )
        assert other.verify() == []


def test_a_restored_asset_takes_its_paths_from_those_that_had_them(store: Store, other: Store) -> None:
    eventful(store)
    taken = Source("/disk/photos/photo", "photos/photo", "default", 9, 9)
    kept = Source("/disk/photos/other", "photos/other", "default", 9, 9)
    one, two = document("gone", vector=unit(1)), document("stays", vector=unit(2))
    other.put([type(one)(one.asset, taken, one.moments), type(two)(two.asset, kept, two.moments)])
    other.locate(asset_id("stays"), Source("/disk/copies/photo", "copies/photo", "default", 9, 9))
    other.restore(store.stored_assets([asset_id("photo")]))
    assert other.asset(asset_id("gone")) is None
    assert [s.location for s in other.sources(asset_id("stays"))] == ["/disk/photos/other"]
    assert [s.location for s in other.sources(asset_id("photo"))] == ["/disk/copies/photo", "/disk/photos/photo"]
    assert other.verify() == []


def test_a_restore_that_fails_leaves_no_part_of_an_asset(store: Store, other: Store) -> None:
    eventful(store)
    [photo] = store.stored_assets([asset_id("photo")])
    other.put([document("photo", vector=unit(6), text="old words")])
    before = other.stored_assets([asset_id("photo")])
    broken = StoredMoment(photo.moments[0].moment, None, {"common": None, "picture": None, "text": None}, (None,))
    with pytest.raises(ValueError):
        other.restore([StoredAsset(photo.asset, photo.sources, (broken,))])
    assert all(same(a, b) for a, b in zip(before, other.stored_assets([asset_id("photo")]), strict=True))
    assert ids(other.search_text("old", 5, Everything)) == [f"{asset_id('photo')}-picture0"]
    assert other.verify() == []


def test_what_was_removed_is_expunged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server takes half a minute until it lets go: `test_a_server_holds_nothing_of_what_was_removed` waits for it.
    monkeypatch.setattr("crossmedia.retrieval.elastic.expunge.left", lambda index: 0)
    store.bind([FACES])
    asset = asset_id("a")
    whole = f"{asset}-picture0"
    store.put([document("a", vector=unit(1), text="harbour"), document("b", vector=unit(2))])
    faces = tuple(
        moment_of_face(whole, number, vectors={"face": unit(30 + number)}, thumbnail=b"face%d" % number)
        for number in range(2)
    )
    store.enrich([Enrichment(asset, "faces", "m@1", moments=faces, spaces=(FACES,))])
    store.enrich([Enrichment(asset, "faces", "m@1", moments=faces[1:], spaces=(FACES,))])
    store.expunge()
    assert ids(store.search_vectors("face", "face", unit(30), 5, Everything)) == [faces[1].id]
    assert (store.thumbnail(faces[0].id), store.thumbnail(faces[1].id)) == (None, b"face1")
    assert ids(store.search_text("harbour", 5, Everything)) == [whole]
    assert len(store.search_vectors("common", "picture", unit(1), 5, Everything)) == 2
    assert store.verify() == []
    store.delete([asset, asset_id("b")])
    store.expunge()
    assert store.search_vectors("face", "face", unit(31), 5, Everything) == []
    store.put([document("c", vector=unit(3))])
    assert len(store.search_vectors("common", "picture", unit(3), 5, Everything)) == 1


def test_people_are_split_joined_and_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server takes half a minute until it lets go: `test_a_server_holds_nothing_of_what_was_removed` waits for it.
    monkeypatch.setattr("crossmedia.retrieval.elastic.expunge.left", lambda index: 0)
    store.bind([FACES])
    assets = [asset_id(name) for name in "abc"]
    store.put([document(name, vector=unit(number)) for number, name in enumerate("abc")])
    for number, asset in enumerate(assets):
        whole = store.moments(asset)[0]
        # Two faces in each picture: the first is always one person's, whom the enricher took for two.
        names = ("person 0000-1" if number < 2 else "person 0000-2", "Bob")
        faces = tuple(
            moment_of_face(
                whole.id,
                place,
                vectors={"face": unit(40 + place)},
                labels=(Label("person", name, 0.9, "m@1", (0.5 * place, 0.0, 0.5 * place + 0.4, 1.0)),),
            )
            for place, name in enumerate(names)
        )
        patches = tuple(Patch(key, labels=tuple(labels)) for key, labels in people.said([whole], faces).items())
        store.enrich([Enrichment(asset, "faces", "m@1", moments=faces, patches=patches, spaces=(FACES,))])

    def told(asset: str) -> list[list[str]]:
        return [sorted(label.value for label in m.labels if label.kind == "person") for m in store.moments(asset)]

    assert people.regroup(store, 0.9) == 1
    assert told(assets[2]) == [["Bob", "person 0000-1"], ["person 0000-1"], ["Bob"]]
    assert people.split(store, "person 0000-1", lambda face: face.asset == assets[0], "Ada") == 1
    assert told(assets[0]) == [["Ada", "Bob"], ["Ada"], ["Bob"]]
    assert people.forget(store, "bob") == 3
    assert told(assets[0]) == [["Ada"], ["Ada"]]
    marks = [label for label in store.moments(assets[0])[0].labels if label.kind == people.FORGOTTEN]
    assert [label.box for label in marks] == [(0.5, 0.0, 0.9, 1.0)]
    assert people.forget(store, "Ada") == 1
    assert told(assets[0]) == [[]]
    assert len([label for label in store.moments(assets[0])[0].labels if label.kind == people.FORGOTTEN]) == 2
    # What the enricher says later leaves what was forgotten as it is.
    store.enrich([Enrichment(assets[0], "faces", "m@2")])
    assert len([label for label in store.moments(assets[0])[0].labels if label.kind == people.FORGOTTEN]) == 2
    assert [found.value for found in store.labelled("person", "face")] == ["person 0000-1"]
    assert store.counted()["face", "face"] == 2


def moment_of_face(whole: str, number: int, **values: Any) -> Moment:
    return Moment(part_id(whole, "face", number), whole.split("-")[0], "face", **values)


@pytest.mark.slow
def test_a_server_holds_nothing_of_what_was_removed(make_store: Callable[[], Store]) -> None:
    store = make_store()
    if not isinstance(store, ElasticStore):
        pytest.skip("the local store's files are looked into by tests/api/test_people.py")
    store.bind([*SPACES, FACES])
    store.put([document("a", vector=unit(1)), document("b", vector=unit(2))])
    store.delete([asset_id("a")])
    store.expunge()
    assert expunge.left(store._index) == 0


def titles(store: Store, journal: Decided, **conditions: Any) -> set[str]:
    """What every kind of search finds of four photos that are all alike; they must agree."""
    filters = Filters(journal=journal.id, **conditions)
    everything = list(store.asset_ids())
    moments = [moment.id for asset in everything for moment in store.moments(asset)]
    found = [
        {m.moment for m in store.search_vectors("common", "picture", unit(1), 4, filters)},
        {m.moment for m in store.search_text("harbour", 4, filters)},
        {m.moment for m in store.search_labels(LabelQuery({"boat": 1}, 4, filters))},
        store.meeting(moments, filters),
        {m.id for asset in store.assets(filters, 10) for m in store.moments(asset.id)},
    ]
    assert all(one == found[0] for one in found), found
    placed = store.placed([m.rsplit("-", 1)[0] for m in found[0]])
    return {asset.title for asset, _ in placed.values()}


def alike(*names: str) -> list[Any]:
    boat = (Label("object", "boat", 0.9, "m@1"),)
    return [document(name, vector=unit(1), text="harbour", labels=boat) for name in names]


def test_what_is_blocked_is_left_out_of_every_search(store: Store) -> None:
    store.put(alike("a", "b", "c", "d"))
    journal = Decided()
    store.follow(journal)
    assert titles(store, journal) == {"a", "b", "c", "d"}
    journal.block("a", "b")
    store.follow(journal)
    assert titles(store, journal) == {"c", "d"}
    assert titles(store, journal, media=("image",), path="photos/c") == {"c"}
    assert len(store.search_vectors("common", "picture", unit(1), 4, Everything)) == 4, "only where it is asked for"
    [best] = store.search_vectors("common", "picture", unit(1), 1, Filters(journal=journal.id))
    assert best.moment[:64] in (asset_id("c"), asset_id("d"))
    journal.unblock("a")
    journal.block("c")
    journal.unblock("c")
    store.follow(journal)
    assert titles(store, journal) == {"a", "c", "d"}
    assert store.verify() == []


def test_what_was_blocked_before_it_came_is_blocked(store: Store, other: Store) -> None:
    journal = Decided()
    journal.block("a", "b", "c", "d", "elsewhere")
    store.follow(journal)
    store.put(alike("a", "b"))
    other.put(alike("c"))
    store.restore(other.stored_assets([asset_id("c")]))
    assert titles(store, journal) == set()
    store.put(alike("a"), replace=True)
    store.delete([asset_id("b")])
    store.put(alike("b", "free"))
    store.locate(asset_id("b"), Source("/disk/photos/new", "photos/new", "default", 1, 1), "/disk/photos/b")
    store.enrich(
        [Enrichment(asset_id("a"), "o", "1", patches=(Patch(f"{asset_id('a')}-picture0", {"ocr": "harbour"}),))]
    )
    store.relabel("object", "boat", "BOAT")
    assert titles(store, journal) == {"free"}
    journal.unblock("a", "b")
    store.follow(journal)
    assert titles(store, journal) == {"a", "new", "free"}


def test_a_collection_that_is_made_anew_knows_what_is_blocked(store: Store) -> None:
    store.put(alike("a", "b", "c"))
    journal = Decided()
    journal.block("a", "later")
    store.follow(journal)
    successor = store.successor()
    successor.revise([Revision(asset_id("a"), "v2", ("common",), {f"{asset_id('a')}-picture0": {"common": unit(1)}})])
    journal.block("b", "much later")
    store.follow(journal)
    while late := store.succeed(successor):
        successor.revise([Revision(asset, "v2", ("common",), {}) for asset in late])
    store.follow(journal)
    assert titles(store, journal) == {"c"}
    store.put(alike("later", "much later", "free"))
    assert titles(store, journal) == {"c", "free"}


def test_a_journal_is_followed_wherever_somebody_stopped(store: Store, make_store: Callable[[], Store]) -> None:
    """Another process decides and dies before the store knows; an older copy of the journal comes back."""
    store.put(alike("a", "b", "c"))
    journal = Decided()
    journal.block("a")
    store.follow(journal)
    journal.block("b")
    another = make_store()
    another.follow(journal)
    assert titles(store, journal) == {"c"}
    store.follow(journal)
    assert titles(store, journal) == {"c"}
    older = Decided(entries=[(asset_id("c"), True)])
    store.follow(older)
    assert titles(store, older) == {"a", "b"}


def test_journals_of_several_services_do_not_mix(store: Store) -> None:
    store.put(alike("a", "b", "c"))
    one, two = Decided("one"), Decided("two")
    one.block("a")
    two.block("a", "b")
    store.follow(one)
    store.follow(two)
    assert (titles(store, one), titles(store, two)) == ({"b", "c"}, {"c"})
    two.unblock("a")
    store.follow(two)
    assert (titles(store, one), titles(store, two)) == ({"b", "c"}, {"a", "c"})
    assert titles(store, Decided("three")) == {"a", "b", "c"}


def test_more_may_be_blocked_than_a_statement_takes(store: Store) -> None:
    store.put(alike("a", "b"))
    journal = Decided()
    journal.block("a", *(f"elsewhere {n}" for n in range(70_000)))
    store.follow(journal)
    assert titles(store, journal) == {"b"}


def light(stored_asset: StoredAsset) -> StoredAsset:
    """Without what `contents` leaves out."""
    return replace(
        stored_asset,
        attachments={},
        moments=tuple(
            replace(held, moment=replace(held.moment, vectors={}, thumbnail=None), vectors={})
            for held in stored_asset.moments
        ),
    )


def test_contents_are_holdings_without_what_is_large(store: Store) -> None:
    eventful(store)
    everything = list(store.asset_ids())
    contents = store.contents([*everything, "unknown"])
    assert list(contents) == everything
    for stored_asset in store.stored_assets(everything):
        assert same(contents[stored_asset.asset.id], light(stored_asset))


def test_what_a_result_makes_of_an_asset_is_known_before_it_is_written(store: Store) -> None:
    eventful(store)
    photo, clip = asset_id("photo"), asset_id("clip")
    sign = Patch(f"{photo}-picture0", {"ocr": "sorti\u0065\u0301"}, {}, seen("way out", score=0.95))
    nothing = Enrichment(clip, "transcript", "t@2")
    failed = Enrichment(photo, "ocr", "o@3", error={"code": "x", "message": "y", "hint": ""})
    spoken = moment(clip, "speech", 1, start=3.0, end=3.5, fields={"transcript": "bye"}, vectors={"text": unit(8)})
    named = Enrichment(clip, "speakers", "s@2", patches=(Patch(f"{clip}-speech1", labels=seen("Ada", score=0.3)),))
    for result in (
        Enrichment(photo, "ocr", "o@2", patches=(sign, Patch("nowhere", {"ocr": "lost"}))),
        Enrichment(photo, "objects", "y@1", patches=(Patch(f"{photo}-picture0", labels=seen("boat", "buoy")),)),
        failed,
        nothing,
        Enrichment(clip, "transcript", "t@3", moments=(spoken,), spaces=tuple(SPACES)),
        named,
    ):
        expected = enriched(store.contents([result.asset])[result.asset], result)
        store.enrich([result])
        assert same(store.contents([result.asset])[result.asset], expected), result
    assert store.verify() == []


def test_results_written_together_are_as_if_written_in_turn(store: Store, other: Store) -> None:
    """Several enrichers of several assets, of which one patches what another has just brought or takes back."""
    clip, photo = asset_id("clip"), asset_id("photo")
    for each in (store, other):
        eventful(each)
    spoken = [moment(clip, "speech", n, start=n, end=n + 1.0, fields={"transcript": f"word {n}"}) for n in (0, 2)]
    results = [
        Enrichment(clip, "transcript", "t@2", moments=tuple(spoken)),
        Enrichment(photo, "objects", "y@1", patches=(Patch(f"{photo}-picture0", labels=seen("boat")),)),
        Enrichment(clip, "speakers", "s@2", patches=tuple(Patch(m.id, labels=seen("Bob")) for m in spoken)),
        Enrichment(photo, "objects", "y@2", patches=(Patch(f"{photo}-picture0", labels=seen("ship")),)),
        Enrichment(asset_id("gone"), "objects", "y@2"),
        Enrichment(clip, "abuse", "a@1", patches=(Patch(spoken[1].id, labels=seen("rude")),)),
        Enrichment(clip, "transcript", "t@3", moments=(spoken[1],)),
    ]
    store.enrich(results)
    for result in results:
        other.enrich([result])
    for asset in (clip, photo):
        assert same(store.stored_assets([asset])[0], other.stored_assets([asset])[0])
    assert store.verify() == other.verify() == []
