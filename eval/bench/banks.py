"""Banks of a million hashes: how long a look-up takes, beside comparing with every one, in the same run.

    python -m crossmedia.eval.bench.banks [HASHES]

The hashes lie around those of real photographs where the data is there (a quarter of the bits turned over, so that
blocks are as uneven as real ones are), else they are random.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from PIL import Image

from crossmedia.embeddings.media import Picture
from crossmedia.eval.bench.common import BenchRow, flickr_photos, measure_seconds, percentiles, show
from crossmedia.indexer.hashes.pdq import PdqHasher
from crossmedia.retrieval.banks import hamming
from crossmedia.retrieval.banks.hamming import REACH, Codes, HammingIndex
from crossmedia.retrieval.banks.hashes import Hash
from crossmedia.retrieval.banks.matching import Matcher
from crossmedia.retrieval.banks.store import BankStore, HashEntry
from crossmedia.retrieval.banks.table import BankTable

QUERIES, PHOTOS = 200, 500


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(1)
    codes = _codes(count, rng)
    # Half of the queries are near something: 20 bits of a banked hash are turned over.
    queries = np.concatenate((codes[: QUERIES // 2], _codes(QUERIES // 2, rng)))
    for query in queries[: QUERIES // 2]:
        query ^= np.packbits(np.isin(np.arange(256), rng.choice(256, 20, replace=False)))
    rows = [*_indexes(codes, queries), *_whole(codes, queries)]
    show(f"{count:,} PDQ hashes, distance ≤ {REACH}; load {os.getloadavg()[0]:.1f}", rows)


def _indexes(codes: Codes, queries: Codes) -> list[BenchRow]:
    """The index against other ways of being exact; all must find the same."""
    words = codes.view(np.uint64)
    truth = [
        set(np.flatnonzero(np.bitwise_count(words ^ q.view(np.uint64)).sum(axis=1) <= REACH).tolist()) for q in queries
    ]
    index = HammingIndex()
    index.add_codes(np.arange(len(codes)), codes)
    index.search_code(queries[0])
    with measure_seconds() as built:
        index.search_code(queries[0])
    multi = faiss.IndexBinaryMultiHash(256, 16, 16)
    multi.nflip = 1
    with measure_seconds() as multi_built:
        multi.add(codes)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(codes)
    faiss.omp_set_num_threads(1)

    def by_faiss(search: faiss.IndexBinary) -> Callable[[Codes], set[int]]:
        return lambda q: set(search.range_search(q[None], REACH + 1)[2].tolist())

    def by_numpy(q: Codes) -> set[int]:
        return set(np.flatnonzero(np.bitwise_count(words ^ q.view(np.uint64)).sum(axis=1) <= REACH).tolist())

    ours = _measure(lambda q: set(index.search_code(q)[0].tolist()), queries, truth)
    scanned = _measure(lambda q: set(hamming._scan(codes, q, REACH)[0].tolist()), queries, truth)
    rows = [
        BenchRow(
            "multi-index hashing, p50 / p95",
            _describe(ours),
            f"FAISS scan {_describe(scanned)}",
            ours[0] / scanned[0],
            "5 ms",
        )
    ]
    for name, search, some in (
        ("numpy, comparing with every one", by_numpy, 20),
        ("FAISS IndexBinaryFlat", by_faiss(flat), QUERIES),
        ("FAISS IndexBinaryMultiHash, 16 × 16, 1 flip", by_faiss(multi), QUERIES),
    ):
        other = _measure(search, queries[:some], truth)
        rows.append(BenchRow(f"  beside {name}", _describe(ours), _describe(other), ours[0] / other[0]))
    rows.append(
        BenchRow(
            "its tables are made",
            f"{built[0]:.2f} s",
            f"IndexBinaryMultiHash {multi_built[0]:.2f} s",
            built[0] / multi_built[0],
        )
    )
    return rows


def _whole(codes: Codes, queries: Codes) -> list[BenchRow]:
    """From a table on disk to matches with their bank."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "bank.txt"
        with table.open("w") as file:
            file.writelines(f"pdq {code.tobytes().hex()}\n" for code in codes)
        store = BankStore(Path(folder))
        store.create("known", "block")
        with measure_seconds() as read, table.open("rb") as stream:
            added = store.add("known", BankTable(stream))
        hashes = [Hash("pdq", query.tobytes().hex(), 100) for query in queries]
        matcher = Matcher(store)
        with measure_seconds() as cold:
            matcher.match(hashes[:1])
        matcher.match(hashes[:1])
        took = []
        for one in hashes:
            with measure_seconds() as seconds:
                matches = matcher.match([one])
            took.append(seconds[0])
        assert not matches or matches[0].bank == "known"
        p50, p95 = percentiles(took)
        with measure_seconds() as late:
            store.add("known", [HashEntry(Hash("pdq", "0f" * 32))])
            assert matcher.match([Hash("pdq", "0f" * 32)])
        store.close()
    return [
        BenchRow("look-up with bank and action, p50 / p95", f"{p50:.2f} / {p95:.2f} ms", "", None, "5 ms"),
        BenchRow("import of a table", f"{added / read[0]:,.0f} hashes/s", f"{read[0]:.1f} s in all"),
        BenchRow("first look-up of a process, the banks read", f"{cold[0]:.2f} s", ""),
        BenchRow("one more hash is added and found", f"{1000 * late[0]:.0f} ms", ""),
    ]


def _codes(count: int, rng: np.random.Generator) -> Codes:
    photos = flickr_photos()[:PHOTOS]
    if not photos:
        return rng.integers(0, 256, (count, hamming.BYTES), dtype=np.uint8)
    hasher = PdqHasher()
    real = np.stack([_code(hasher, path) for path in photos])
    codes = np.empty((count, hamming.BYTES), dtype=np.uint8)
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        turned = np.packbits(rng.random((size, 256), dtype=np.float32) < 0.25, axis=1)
        codes[start : start + size] = real[rng.integers(0, len(real), size)] ^ turned
    return codes


def _code(hasher: PdqHasher, path: Path) -> Codes:
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.uint8)
    return np.frombuffer(bytes.fromhex(hasher(Picture(pixels)).value), dtype=np.uint8)


def _measure(search: Callable[[Codes], set[int]], queries: Codes, truth: list[set[int]]) -> tuple[float, float]:
    """p50 and p95 in ms; what is found must be what there is."""
    took = []
    for query, expected in zip(queries, truth, strict=False):
        with measure_seconds() as seconds:
            result = search(query)
        assert result == expected
        took.append(seconds[0])
    return percentiles(took)


def _describe(measured: tuple[float, float]) -> str:
    return f"{measured[0]:.2f} / {measured[1]:.2f} ms"


if __name__ == "__main__":
    main()
