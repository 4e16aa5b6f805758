"""`crossmedia search` from a cold shell over 10,000 moments, beside starting Python with the same libraries.

python -m crossmedia.eval.bench.cold [MOMENTS]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.catalog import Catalog
from crossmedia.eval.bench.common import BenchRow, fill, measure_seconds, percentiles, show
from crossmedia.retrieval.local import LocalStore

RUNS = 7
LIBRARIES = "import numpy, onnxruntime, faiss, tokenizers, typer, rich.table, pydantic_settings"


def main(count: int) -> None:
    text, picture, _ = towers(Catalog(), 2)
    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        store.bind({space.name: space for tower in (text, picture) for space in tower.spaces}.values())
        dim = next(space.dim for space in text.spaces if space.name == "common")
        fill(store, np.eye(dim, dtype=np.float32), count)
        store.close()
        search = [
            sys.executable,
            "-m",
            "crossmedia.api.cli",
            "search",
            "a dog on the beach",
            "--data",
            folder,
            "--min-relevance",
            "0",
        ]
        whole = _times(search)
        libraries = _times([sys.executable, "-c", LIBRARIES])
    p50, start = percentiles(whole)[0], percentiles(libraries)[0]
    show(
        f"Cold search over {count:,} moments",
        [
            BenchRow(
                "crossmedia search, median",
                f"{p50:.0f} ms",
                f"python importing its libraries {start:.0f} ms",
                p50 / start,
                "1500 ms",
            )
        ],
    )


def _times(command: list[str]) -> list[float]:
    times = []
    for _ in range(RUNS):
        with measure_seconds() as took:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(took[0])
    return times


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
