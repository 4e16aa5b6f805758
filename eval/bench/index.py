"""Where an approximate index begins to pay: one query against a flat scan and against IVF, by size.

python -m crossmedia.eval.bench.index
"""

from __future__ import annotations

import numpy as np

from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.eval.bench.common import BenchRow, measure_seconds, percentiles, show
from crossmedia.retrieval.local.vectors import Generation, VectorIndex

DIM, QUERIES, K = 386, 100, 90
SIZES = (10_000, 30_000, 100_000, 300_000)
NOTHING = np.empty(0, dtype=np.int64)


def main() -> None:
    rng = np.random.default_rng(3)
    # Uneven as real collections are: points around centres that differ in how many they gather.
    centres = normalise(rng.standard_normal((2_000, DIM), dtype=np.float32))
    weights = rng.pareto(1.5, len(centres)) + 0.1
    near = rng.choice(len(centres), max(SIZES) + QUERIES, p=weights / weights.sum())
    noise = normalise(rng.standard_normal((len(near), DIM), dtype=np.float32))
    rows = normalise(centres[near] + 0.6 * noise)
    queries = rows[-QUERIES:]
    shown = []
    for size in SIZES:
        flat = VectorIndex(DIM)
        flat.follow(np.arange(size), rows[:size], NOTHING, Generation(size))
        inverted = flat.train(rows[: min(size, 100_000)], size)
        inverted.follow(np.arange(size), rows[:size], NOTHING, Generation(size))
        exact, approximate = _median(flat, queries), _median(inverted, queries)
        recalls = [len(set(flat.search(q, 10)) & set(inverted.search(q, 10))) / 10 for q in queries]
        shown.append(
            BenchRow(
                f"IVF, {size:,} vectors, p50", f"{approximate:.2f} ms", f"flat {exact:.2f} ms", approximate / exact
            )
        )
        shown.append(
            BenchRow("  its candidates' recall@10", f"{np.mean(recalls):.3f}", "flat 1.000", float(np.mean(recalls)))
        )
    show("Flat scan or approximate index", shown)


def _median(index: VectorIndex, queries: Vectors) -> float:
    """Milliseconds for K candidates."""
    took = []
    for query in queries:
        with measure_seconds() as seconds:
            index.search(query, K)
        took.append(seconds[0])
    return percentiles(took)[0]


if __name__ == "__main__":
    main()
