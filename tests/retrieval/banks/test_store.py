"""Banks: what is put in stays, is found at once by everybody, and nothing is half written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crossmedia.retrieval.banks.hashes import BadHash, Hash, kind_of, readings
from crossmedia.retrieval.banks.matching import Matcher
from crossmedia.retrieval.banks.store import FILE, BadBank, BankStore, BankTaken, HashEntry
from crossmedia.retrieval.store import NotFound, StoreUnusable
from tests.retrieval.banks.makers import every_kind, fingerprint, near_pdq, pdq, tlsh


def entries(*values: str) -> list[HashEntry]:
    return [HashEntry(Hash("pdq", value)) for value in values]


def test_looking_makes_no_file(tmp_path: Path) -> None:
    store = BankStore(tmp_path / "data")
    assert (store.banks(), store.enabled(), store.last(), store.load([1])) == ([], {}, 0, {})
    assert Matcher(store).match([Hash("pdq", pdq(1)), Hash("md5", "0" * 32)]) == []
    with pytest.raises(NotFound):
        store.bank("known")
    with pytest.raises(NotFound):
        store.add("known", entries(pdq(1)))
    assert not (tmp_path / "data").exists()


def test_every_kind_is_kept_and_found(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("known", "block")
    kept = [
        HashEntry(Hash.of(kind_of(kind), value, 80 if kind == "pdq" else None), f"of {kind}")
        for kind, value in every_kind().items()
    ]
    assert store.add("known", kept) == 5
    assert list(store.entries("known")) == kept
    reopened = BankStore(tmp_path)
    assert reopened.banks()[0].hashes == {"chromaprint": 1, "md5": 1, "pdq": 1, "sha256": 1, "tlsh": 1}
    matcher = Matcher(reopened)
    for entry in kept:
        (found,) = matcher.match([entry.hash])
        assert (found.known, found.distance, found.bank, found.action, found.tags) == (
            entry.hash,
            0.0,
            "known",
            "block",
            entry.tags,
        )
        assert found.quality == entry.hash.quality
    # The same bytes as another kind are another hash.
    assert matcher.match([Hash("sha256", every_kind()["pdq"])]) == []


def test_the_threshold_and_the_order(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("a", "allow")
    store.create("b", "block")
    value = pdq(1)
    store.add("a", entries(near_pdq(value, 31), near_pdq(value, 32)))
    store.add("b", entries(near_pdq(value, 4)))
    found = Matcher(store).match([Hash("pdq", value, 70)])
    assert [(one.bank, one.action, one.distance, one.quality) for one in found] == [
        ("b", "block", 4.0, 70),
        ("a", "allow", 31.0, 70),
    ]
    assert Matcher(store).match([Hash("pdq", value, 49)]) == []
    assert len(Matcher(store).match([Hash("pdq", value, 50)])) == 2


def test_an_entry_matches_once_by_its_nearest_frame(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("films")
    store.add("films", entries(pdq(1)))
    frames = [Hash("pdq", near_pdq(pdq(1), bits), 90) for bits in (20, 3, 12)]
    (found,) = Matcher(store).match(frames)
    assert (found.looked_up, found.distance) == (frames[1], 3.0)


def test_what_another_process_adds_or_switches_is_seen(tmp_path: Path) -> None:
    one, other = BankStore(tmp_path), BankStore(tmp_path)
    matcher = Matcher(one)
    asked = [Hash("pdq", pdq(1), 90), Hash("tlsh", tlsh(1)), Hash("chromaprint", fingerprint(1))]
    assert matcher.match(asked) == []
    other.create("late")
    for place, entry in enumerate(asked, start=1):
        other.add("late", [HashEntry(entry)])
        assert len(matcher.match(asked)) == place
    other.switch("late", False)
    assert matcher.match(asked) == []
    assert not one.bank("late").enabled
    other.switch("late", True)
    assert len(matcher.match(asked)) == 3


def test_the_same_hash_in_two_banks_and_twice_in_one(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("a")
    store.create("b")
    assert store.add("a", entries(pdq(1), pdq(1))) == 1
    assert store.add("a", entries(pdq(1))) == 0
    assert store.add("b", entries(pdq(1))) == 1
    assert {one.bank for one in Matcher(store).match([Hash("pdq", pdq(1))])} == {"a", "b"}


def test_what_fails_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("known")
    with pytest.raises(BadHash):
        store.add("known", [HashEntry(Hash("pdq", pdq(1))), HashEntry(Hash("pdq", pdq(2), 49))])
    assert store.banks()[0].hashes == {}
    assert Matcher(store).match([Hash("pdq", pdq(1))]) == []


@pytest.mark.parametrize("tags", ["a\x07b", "x" * 1001])
def test_tags_that_are_none(tmp_path: Path, tags: str) -> None:
    store = BankStore(tmp_path)
    store.create("known")
    with pytest.raises(BadBank):
        store.add("known", [HashEntry(Hash("pdq", pdq(1)), tags)])
    assert store.last() == 0


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "-a", "ä", "a\n"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadBank):
        BankStore(tmp_path).create(name)
    assert not (tmp_path / FILE).exists()


def test_creating_twice_and_unknown_actions(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("KNOWN")
    with pytest.raises(BankTaken):
        store.create("known")
    with pytest.raises(BadBank):
        store.create("other", "destroy")
    with pytest.raises(NotFound):
        store.switch("other", False)
    assert [bank.name for bank in store.banks()] == ["KNOWN"]


def test_a_damaged_or_newer_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnusable):
        BankStore(tmp_path).banks()
    (tmp_path / FILE).unlink()
    BankStore(tmp_path).create("known")
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreUnusable, match="newer"):
        BankStore(tmp_path).banks()


def test_entries_of_many_pages_keep_their_order(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("many")
    values = [pdq(seed) for seed in range(1201)]
    assert store.add("many", entries(*values)) == 1201
    assert [entry.hash.value for entry in store.entries("many")] == values


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pdq", "0" * 63),
        ("pdq", "0" * 65),
        ("pdq", "g" * 64),
        ("pdq", ""),
        ("sha256", "0" * 32),
        ("md5", "0" * 64),
        ("md5", "٠" * 32),
        ("tlsh", "T1" + "0" * 69),
        ("tlsh", "T2" + "0" * 70),
        ("chromaprint", ""),
        ("chromaprint", "AQAAAA"),
        ("chromaprint", "not base64!"),
        ("chromaprint", "A" * 400),
        ("chromaprint", "ä" * 40),
    ],
)
def test_hashes_that_are_none(kind: str, text: str) -> None:
    with pytest.raises(BadHash):
        Hash.of(kind_of(kind), text)


def test_ways_of_writing() -> None:
    assert Hash.of("pdq", " " + "AB" * 32).value == "ab" * 32
    assert Hash.of("tlsh", "ab" * 35).value == "T1" + "AB" * 35
    for kind, value in every_kind().items():
        assert str(Hash.parse(f"{kind}:{value}")) == f"{kind}:{value}"
    assert [one.kind for one in readings("ab" * 32)] == ["pdq", "sha256"]
    assert [one.kind for one in readings("ab" * 16)] == ["md5"]
    assert [one.kind for one in readings(every_kind()["tlsh"])] == ["tlsh"]
    assert readings("a cat") == []
    with pytest.raises(BadHash):
        readings("sha1:" + "0" * 40)
    with pytest.raises(BadHash):
        Hash.of("pdq", "0" * 64, 101)
