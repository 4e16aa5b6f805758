"""Tables of hashes: what is written is read again; each broken line is told by its number and nothing else is lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.retrieval.banks import table
from crossmedia.retrieval.banks.hashes import Hash, HashKind
from crossmedia.retrieval.banks.store import BankStore, HashEntry
from crossmedia.retrieval.banks.table import BankTable, BankUnreadable, write_csv, write_lists
from tests.retrieval.banks.makers import every_kind, fingerprint, pdq, tlsh

HEADER = "signal_type,signal_str,collab,category,tags\n"


def read(text: str | bytes, kind: HashKind | None = None, skip: bool = False) -> tuple[list[HashEntry], BankTable]:
    data = text.encode() if isinstance(text, str) else text
    reading = BankTable(io.BytesIO(data), kind, skip)
    return list(reading), reading


def fault_lines(text: str | bytes) -> list[int]:
    return [fault.line for fault in read(text, skip=True)[1].faults]


hashes = st.one_of(
    st.builds(Hash, st.just("pdq"), st.integers(0, 2**256 - 1).map("{:064x}".format), st.none() | st.integers(50, 100)),
    st.builds(Hash, st.just("sha256"), st.integers(0, 2**256 - 1).map("{:064x}".format)),
    st.builds(Hash, st.just("md5"), st.integers(0, 2**128 - 1).map("{:032x}".format)),
    st.builds(Hash, st.just("tlsh"), st.integers(0, 2**280 - 1).map("T1{:070X}".format)),
    st.builds(Hash, st.just("chromaprint"), st.integers(0, 99).map(fingerprint)),
)
tags = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=20).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(st.builds(HashEntry, hashes, tags)))
def test_what_is_written_is_read(entries: list[HashEntry]) -> None:
    found, reading = read("".join(write_csv("known", entries)))
    assert found == entries
    assert reading.entries == len(entries)


@given(st.builds(HashEntry, hashes, st.from_regex(r"'{0,2}[-=+@＝＋－＠][A-Z]{1,9}", fullmatch=True)))
def test_no_cell_is_a_formula_to_a_spreadsheet(entry: HashEntry) -> None:
    text = "".join(write_csv("known", [entry]))
    for row in csv.reader(io.StringIO(text)):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]
    assert read(text)[0] == [entry]


@given(st.lists(st.builds(HashEntry, hashes)))
def test_lists_are_read_too(entries: list[HashEntry]) -> None:
    assert [entry.hash.value for entry in read("".join(write_lists(entries)))[0]] == [
        entry.hash.value for entry in entries
    ]


def test_the_columns_are_those_of_threatexchange() -> None:
    (row,) = csv.DictReader(
        io.StringIO("".join(write_csv("B", [HashEntry(Hash("md5", "ab" * 16), 'two "tags", here')])))
    )
    assert row == {
        "signal_type": "video_md5",
        "signal_str": "ab" * 16,
        "collab": "B",
        "category": "POSITIVE_CLASS",
        "tags": 'two "tags", here',
        "quality": "",
    }


def test_what_the_tools_write_is_read() -> None:
    exported = (
        HEADER
        + f"pdq,{pdq(1)},Sample Data,POSITIVE_CLASS,cat dog\r\nvideo_md5,{'CD' * 16},Sample Data,POSITIVE_CLASS,\r\n"
    )
    assert read(exported)[0] == [HashEntry(Hash("pdq", pdq(1)), "cat dog"), HashEntry(Hash("md5", "cd" * 16))]
    queried = f"\ufeffid,indicator,type,tags\n1,{pdq(2)},HASH_PDQ,a b\n2,{tlsh(3)},HASH_TEXT_TLSH,\n"
    assert [str(entry.hash) for entry in read(queried)[0]] == [f"pdq:{pdq(2)}", f"tlsh:{tlsh(3)}"]
    local_file = f"pdq {pdq(4)}\n\nvideo_sha256 {pdq(5)}\n"
    assert [str(entry.hash) for entry in read(local_file)[0]] == [f"pdq:{pdq(4)}", f"sha256:{pdq(5)}"]
    bare = f"{pdq(6)}\n{pdq(7)}"
    assert [str(entry.hash) for entry in read(bare, "pdq")[0]] == [f"pdq:{pdq(6)}", f"pdq:{pdq(7)}"]
    assert [
        entry.hash.kind
        for entry in read("\n".join(v for k, v in every_kind().items() if k not in ("pdq", "sha256")))[0]
    ] == ["md5", "tlsh", "chromaprint"]


def test_opinions_against_are_no_entries() -> None:
    text = HEADER + "".join(
        f"pdq,{pdq(n)},x,{c},\n" for n, c in enumerate(("POSITIVE_CLASS", "NEGATIVE_CLASS", "INVESTIGATION_SEED", ""))
    )
    found, reading = read(text)
    assert [entry.hash.value for entry in found] == [pdq(0), pdq(3)]
    assert (reading.entries, reading.other) == (2, 2)


BROKEN = {
    "too short": f"pdq,{pdq(1)[:-1]},x,,",
    "too long": f"pdq,{pdq(1)}0,x,,",
    "another type": f"sha1,{'0' * 40},x,,",
    "no hash": "pdq,,x,,",
    "no columns": "pdq",
    "open quote": f'pdq,"{pdq(1)},x,,',
    "text after a quote": f'pdq,"{pdq(1)}"x,x,,',
    "control characters": f"pdq,{pdq(1)},x,,a\x07b",
    "nul": f"pdq,{pdq(1)[:-1]}\x00,x,,",
    "endless tags": f"pdq,{pdq(1)},x,,{'t' * 2000}",
    "formula": '=cmd|"/c calc"!A1,x,x,,',
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_line_is_told_by_its_number(line: str) -> None:
    text = f"{HEADER}pdq,{pdq(2)},x,,\n{line}\npdq,{pdq(3)},x,,\n"
    found, reading = read(text, skip=True)
    assert [entry.hash.value for entry in found] == [pdq(2), pdq(3)]
    assert [fault.line for fault in reading.faults] == [3]
    with pytest.raises(BankUnreadable, match="^line 3: "):
        read(text)


def test_bytes_that_are_no_text_and_lines_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LINE_BYTES", 1000)
    data = HEADER.encode() + b"pdq,\xff\xfe,x,,\n" + b"a" * 5000 + b"\n" + f"pdq,{pdq(1)},x,,".encode()
    found, reading = read(data, skip=True)
    assert [entry.hash.value for entry in found] == [pdq(1)]
    assert [fault.line for fault in reading.faults] == [2, 3]
    assert fault_lines(b"\x00" * 100_000) == [1]


def test_qualities() -> None:
    header = "signal_type,signal_str,quality\n"
    assert read(f"{header}pdq,{pdq(1)},50\n")[0] == [HashEntry(Hash("pdq", pdq(1), 50))]
    for wrong in ("49", "101", "-1", "x", "1e1", "٧٠", "99999"):
        assert fault_lines(f"{header}pdq,{pdq(1)},{wrong}\n") == [2]


def test_what_can_be_two_kinds_is_asked_for() -> None:
    with pytest.raises(BankUnreadable, match="pdq or sha256: say which"):
        read(pdq(1))


def test_many_faults_are_told_in_short() -> None:
    with pytest.raises(BankUnreadable) as raised:
        read(HEADER + "pdq,zz,x,,\n" * 1000)
    assert "line 21:" in raised.value.message
    assert raised.value.message.endswith("and 980 lines more")
    assert len(raised.value.message) < 4000


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    found, reading = read(data, skip=True)
    assert len(found) == reading.entries
    assert all(1 <= fault.line <= data.count(b"\n") + 1 for fault in reading.faults)


def test_an_import_with_a_broken_line_writes_nothing(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    store.create("known")
    text = HEADER + "".join(f"pdq,{pdq(n)},x,,\n" for n in range(5000)) + "pdq,broken,x,,\n"
    with pytest.raises(BankUnreadable, match="line 5002"):
        store.add("known", BankTable(io.BytesIO(text.encode())))
    assert (store.last(), store.banks()[0].hashes) == (0, {})
    assert store.add("known", BankTable(io.BytesIO(text.encode()), skip=True)) == 5000
