"""Searching hashes of each kind: the same as comparing with every one."""

from __future__ import annotations

import base64
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmedia.retrieval.banks import hamming
from crossmedia.retrieval.banks.chromaprint import ChromaprintIndex, Malformed, differing_share, unpack
from crossmedia.retrieval.banks.hamming import REACH, Codes, HammingIndex
from crossmedia.retrieval.banks.hashes import NEAR, Hash, kind_of
from crossmedia.retrieval.banks.tlsh import TlshIndex
from tests.retrieval.banks.makers import every_kind, fingerprint, flipped, near_print


def brute(codes: Codes, code: Codes, most: int) -> dict[int, int]:
    apart = np.unpackbits(codes ^ code, axis=1).sum(axis=1)
    return {int(row): int(apart[row]) for row in np.flatnonzero(apart <= most)}


def packed(digest: str) -> bytes:
    return Hash("tlsh", digest).packed


def as_dict(found: tuple[np.ndarray, np.ndarray]) -> dict[int, int]:
    ids, distances = found
    assert len(set(ids.tolist())) == len(ids)
    assert distances.tolist() == sorted(distances.tolist())
    return dict(zip(ids.tolist(), distances.tolist(), strict=True))


@pytest.fixture
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are made of a hundred codes already, however many candidates they give."""
    monkeypatch.setattr(hamming, "SCANNED", 100)
    monkeypatch.setattr(hamming, "DENSE", 10.0)


@pytest.mark.usefixtures("small_tables")
@pytest.mark.parametrize("tabled", [False, True])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(0, 40), most=st.integers(0, 40), late=st.integers(0, 60))
def test_pdq_search_is_brute_force(tabled: bool, seed: int, bits: int, most: int, late: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (400, 32), dtype=np.uint8)
    query = codes[7].copy()
    # Around the query at every distance about the threshold, some twice, and with all differences in few blocks.
    for row in range(100, 180):
        codes[row] = flipped(query, rng.choice(256, row - 100, replace=False))
    codes[180:190] = codes[130:140]
    for row in range(190, 200):
        codes[row] = flipped(query, rng.choice(48, row - 170, replace=False))
    index = HammingIndex()
    early = len(codes) - late
    index.add_codes(np.arange(early), codes[:early])
    if tabled:
        index.search_code(query)
        index.search_code(query)
        assert index._held[2] is not None
    index.add_codes(np.arange(early, len(codes)), codes[early:])
    asked = flipped(query, rng.choice(256, bits, replace=False))
    assert as_dict(index.search_code(asked, most)) == brute(codes, asked, most)


@pytest.mark.usefixtures("small_tables")
def test_the_threshold_is_exact_however_differences_lie() -> None:
    rng = np.random.default_rng(5)
    query = rng.integers(0, 256, 32, dtype=np.uint8)
    # Two in each of 15 blocks and one in the last: the farthest that a block with one difference is certain for.
    spread = [16 * block + place for block in range(16) for place in (3, 11)]
    codes = np.concatenate(
        (
            [flipped(query, spread[:31]), flipped(query, spread), flipped(query, range(31)), flipped(query, range(32))],
            rng.integers(0, 256, (500, 32), dtype=np.uint8),
        )
    )
    index = HammingIndex()
    index.add_codes(np.arange(len(codes)), codes)
    for _ in range(3):
        assert as_dict(index.search_code(query, REACH)) == {0: 31, 2: 31}
    assert index._held[2] is not None


def test_codes_that_are_all_alike_are_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "SCANNED", 100)
    codes = np.zeros((1000, 32), dtype=np.uint8)
    codes[::2, 0] = 255
    index = HammingIndex()
    index.add_codes(np.arange(1000), codes)
    for _ in range(3):
        assert len(index.search_code(codes[0], 0)[0]) == 500
    tables = index._held[2]
    assert tables is not None
    assert tables.candidates(codes[0]) is None


def test_an_empty_index_finds_nothing() -> None:
    for index in (HammingIndex(), TlshIndex(), ChromaprintIndex()):
        value = {HammingIndex: bytes(32), TlshIndex: bytes(35)}.get(type(index), fingerprint(0).encode())
        assert index.search(value, 100) == []


def test_packed_keeps_every_digit() -> None:
    for kind, value in every_kind().items():
        hashed = Hash.of(kind_of(kind), value)
        assert Hash.of_packed(hashed.kind, hashed.packed) == hashed
    index = HammingIndex()
    index.add([3, 5], [Hash("pdq", "0f" * 32).packed, Hash("pdq", "a0" * 32).packed])
    assert index.search(bytes([0xA0] * 31 + [0xA1]), 2) == [(5, 1.0)]


def test_tlsh_distances_are_those_of_the_reference() -> None:
    tlsh = pytest.importorskip("tlsh", reason="crossmedia[banks] is not installed")
    rng = np.random.default_rng(2)
    words = [f"word{n}" for n in range(60)]
    texts = [" ".join(rng.choice(words, 120)) for _ in range(40)]
    texts += [text.replace("word1 ", "other ", 3) for text in texts]
    digests = [tlsh.hash(text.encode()) for text in texts]
    index = TlshIndex()
    index.add(range(30), [packed(digest) for digest in digests[:30]])
    index.add(range(30, len(digests)), [packed(digest) for digest in digests[30:]])
    for digest in digests[:10]:
        expected = {n: float(tlsh.diffxlen(digest, other)) for n, other in enumerate(digests)}
        assert dict(index.search(packed(digest), 10_000)) == expected
        near = {n: d for n, d in expected.items() if d <= 30}
        assert dict(index.search(packed(digest), 30)) == near
        assert [d for _, d in index.search(packed(digest), 30)] == sorted(near.values())


def test_tlsh_of_extreme_digests() -> None:
    tlsh = pytest.importorskip("tlsh", reason="crossmedia[banks] is not installed")
    rng = np.random.default_rng(3)
    digests = ["T1" + rng.bytes(35).hex().upper() for _ in range(200)]
    index = TlshIndex()
    index.add(range(200), [packed(digest) for digest in digests])
    for digest in digests[:20]:
        assert dict(index.search(packed(digest), 1e6)) == {
            n: tlsh.diffxlen(digest, other) for n, other in enumerate(digests)
        }


def test_unpacking_is_the_librarys() -> None:
    chromaprint = pytest.importorskip("chromaprint", reason="libchromaprint is not installed", exc_type=ImportError)
    rng = np.random.default_rng(4)
    for seconds in (6, 20, 130):
        printer = chromaprint.Fingerprinter()
        printer.start(16_000, 1)
        printer.feed((3000 * rng.standard_normal(16_000 * seconds)).astype("<i2").tobytes())
        printed = printer.finish()
        assert unpack(printed.decode()).tolist() == list(chromaprint.decode_fingerprint(printed)[0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_what_is_packed_is_unpacked(seed: int, count: int) -> None:
    numbers = np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32)
    numbers[count // 2 :] &= np.uint32(0x80000001)
    assert unpack(fingerprint(numbers)).tolist() == numbers.tolist()


@given(st.binary(max_size=60))
def test_no_bytes_break_the_unpacking(data: bytes) -> None:
    text = base64.urlsafe_b64encode(b"\x01\x00\x00\x04" + data).decode().rstrip("=")
    with suppress(Malformed):
        assert unpack(text).shape == (4,)


def test_recordings_are_found_where_they_overlap() -> None:
    rng = np.random.default_rng(6)
    prints = [rng.integers(1, 2**32 - 1, 200, dtype=np.uint32) for _ in range(50)]
    index = ChromaprintIndex()
    index.add(range(100, 150), [fingerprint(one).encode() for one in prints])
    most = NEAR["chromaprint"]
    assert index.search(fingerprint(prints[7]).encode(), most) == [(107, 0.0)]
    cut = prints[7][60:180]
    assert index.search(fingerprint(cut).encode(), most) == [(107, 0.0)]
    noisy = near_print(prints[7], 0.05, rng)
    ((found, distance),) = index.search(fingerprint(noisy).encode(), most)
    assert (found, distance) == (107, differing_share(prints[7], noisy, 0))
    assert index.search(fingerprint(near_print(prints[7], 0.2, rng)).encode(), most) == []
    assert index.search(fingerprint(rng.integers(1, 2**32 - 1, 200, dtype=np.uint32)).encode(), most) == []


def test_what_shares_a_moment_only_is_no_copy() -> None:
    rng = np.random.default_rng(8)
    one, other = rng.integers(1, 2**32 - 1, (2, 100), dtype=np.uint32)
    other[:20] = one[-20:]
    index = ChromaprintIndex()
    index.add([1], [fingerprint(one).encode()])
    assert index.search(fingerprint(other).encode(), 0.1) == []


def test_what_everything_begins_with_hides_nothing() -> None:
    """A thousand recordings begin with the same silence; a hostile look-up is nothing but that."""
    rng = np.random.default_rng(9)
    prints = rng.integers(1, 2**32 - 1, (1000, 60), dtype=np.uint32)
    prints[:, :30] = 627_964_279
    index = ChromaprintIndex()
    index.add(range(1000), [fingerprint(one).encode() for one in prints])
    (found, distance), *others = index.search(fingerprint(prints[777]).encode(), 0.1)
    assert (found, distance, others) == (777, 0.0, [])
    endless = np.full(100_000, 627_964_279, dtype=np.uint32)
    assert index.search(fingerprint(endless).encode(), 0.1) == []
