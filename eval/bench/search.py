"""Warm text queries over HTTP, beside an exact scan of the same vectors with numpy in the same run.

python -m crossmedia.eval.bench.search [MOMENTS]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from crossmedia.embeddings.builtin import towers
from crossmedia.embeddings.catalog import Catalog
from crossmedia.embeddings.media import Picture
from crossmedia.eval.bench.common import (
    SHARED,
    BenchRow,
    fill,
    flickr_photos,
    measure_seconds,
    percentiles,
    serve,
    show,
)
from crossmedia.eval.datasets import flickr8k
from crossmedia.retrieval.local import LocalStore
from crossmedia.retrieval.query import Filters

QUERIES = 200


def main(count: int) -> None:
    text, picture, _ = towers(Catalog(), 2)
    captions = [c[0] for c in flickr8k(SHARED / "data" / "flickr8k", "dev").captions.values()][:QUERIES]
    photos = [Picture(np.asarray(Image.open(path).convert("RGB"))) for path in flickr_photos()[:2000]]
    seeds = np.concatenate([picture.encode(photos[i : i + 32]).vectors["common"] for i in range(0, len(photos), 32)])
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        store = LocalStore(data)
        store.bind({space.name: space for tower in (text, picture) for space in tower.spaces}.values())
        with measure_seconds() as filling:
            rows = fill(store, seeds, count)
        names = [x.asset for x in store.located()] if count <= 200_000 else None
        exact, found, direct = [], [], []
        queries = [text.encode([caption]).vectors["common"][0] for caption in captions]
        for query in queries:
            with measure_seconds() as took:
                best = np.argpartition(-(rows @ query), 10)[:10]
            exact.append(took[0])
            with measure_seconds() as took:
                near = store.search_vectors("common", "picture", query, 10, Filters())
            direct.append(took[0])
            tenth = np.sort(rows[best] @ query)[0]
            found.append(sum(n.similarity >= tenth - 1e-5 for n in near) / 10)
        del rows, names
        store.close()
        server, url = serve(data)
        try:
            with httpx.Client(base_url=url, timeout=60) as http:
                memory = _memory(server.pid)
                took_all = []
                for caption in captions:
                    with measure_seconds() as took:
                        http.post("/v1/search", json={"text": caption}).raise_for_status()
                    took_all.append(took[0])
                idle = []
                for _ in captions:
                    with measure_seconds() as took:
                        http.get("/healthz").raise_for_status()
                    idle.append(took[0])
        finally:
            server.terminate()
            server.wait(20)
    p50, p95 = percentiles(took_all[10:])
    scan = percentiles(exact)[0]
    budget = "15 / 40 ms" if count <= 100_000 else "40 / 100 ms"
    show(
        f"Search over {count:,} moments",
        [
            BenchRow(
                "text query over HTTP, p50 / p95",
                f"{p50:.1f} / {p95:.1f} ms",
                f"empty request {percentiles(idle)[0]:.1f} ms",
                p50 / percentiles(idle)[0],
                budget,
            ),
            BenchRow(
                "store.nearest alone, p50",
                f"{percentiles(direct)[0]:.1f} ms",
                f"exact numpy scan {scan:.1f} ms",
                percentiles(direct)[0] / scan,
            ),
            BenchRow(
                "recall@10 of store.nearest",
                f"{np.mean(found):.3f}",
                "exact scan 1.000",
                float(np.mean(found)),
                "≥ 0.95",
            ),
            BenchRow("filling the store", f"{count / filling[0]:.0f}/s", ""),
            BenchRow("server memory when ready", f"{memory / 1e6:.0f} MB", "", None, "500 MB without vectors"),
        ],
    )


def _memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
