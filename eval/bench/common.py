"""What the benchmarks share: timing, percentiles, a table that names its command, collections of any size."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from crossmedia.embeddings.encoder import Vectors, normalise
from crossmedia.retrieval.documents import Asset, Document, Label, Moment, Source, moment_id
from crossmedia.retrieval.store import Store

SHARED = Path(__file__).resolve().parents[3] / "shared"
RANDOM_WORDS = tuple(
    "dog,beach,snow,mountain,child,bicycle,street,market,water,boat,tree,grass,ball,jump,run,red,blue,green,black,white,man,woman,"
    "group,stand,sit,hold,camera,road,city,night,crowd,stage,guitar,horse,field,river,rock,climb,wave,surf,helmet,race".split(
        ","
    )
)


@dataclass(frozen=True)
class BenchRow:
    """One figure: what, how much, what it is compared with, and the ratio of the two (measured / compared)."""

    what: str
    measured: str
    beside: str
    ratio: float | None = None
    budget: str = ""


def show(title: str, rows: Sequence[BenchRow]) -> None:
    """A table with the command and the machine under it."""
    table = Table(title=title, box=None, pad_edge=False, header_style="dim", title_justify="left")
    for heading in ("what", "measured", "beside", "ratio", "budget"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row.what, row.measured, row.beside, "" if row.ratio is None else f"{row.ratio:.2f}", row.budget)
    console = Console(width=140)
    console.print(table)
    console.print(
        f"[dim]python -m {_module()} {' '.join(sys.argv[1:])} on {_processor()}, {platform.python_version()}[/]"
    )


@contextmanager
def measure_seconds() -> Iterator[list[float]]:
    """`with timed() as took: …` leaves the seconds in `took[0]`."""
    took = [0.0]
    started = time.perf_counter()
    yield took
    took[0] = time.perf_counter() - started


@contextmanager
def watch_memory(every: float = 0.5) -> Iterator[list[int]]:
    """`with watched() as peak: …` leaves in `peak[0]` the most bytes that this process and its descendants held at
    once.

    Pages that several of them share count once (Linux's proportional set size); files they map count as far as they are
    in memory.
    """
    peak, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(every):
            peak[0] = max(peak[0], sum(_memory_of(pid) for pid in _family(os.getpid())))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _family(root: int) -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    processes = [root]
    for pid in processes:
        processes += [child for child, parent in parents.items() if parent == pid]
    return processes


def _memory_of(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0


def repeat(call: Callable[[], object], seconds: float) -> float:
    """Calls a second, over about this long, after one call that does not count."""
    call()
    count, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        call()
        count += 1
    return count / took


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    return float(np.percentile(seconds, 50) * 1000), float(np.percentile(seconds, 95) * 1000)


def flickr_photos() -> list[Path]:
    return sorted((SHARED / "data" / "flickr8k" / "images").glob("*.jpg"))


def serve(data: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A service of its own process over a data directory, and its address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "crossmedia.api.cli", "serve", "--data", str(data), "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, "CROSSMEDIA_PROFILE": "builtin"})
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return server, url
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    server.kill()
    raise SystemExit("the service did not get ready in two minutes")


def fill(store: Store, seeds: Vectors, count: int, space: str = "common", batch: int = 5_000) -> Vectors:
    """Add `count` picture moments whose vectors lie around real ones, with a few words and a label each (`scene: rare`
    on one of fifty); returns the vectors.

    Each is a real vector turned by noise of the same length, so that neighbourhoods stay as uneven as real ones are.
    """
    rng = np.random.default_rng(11)
    rows = np.empty((count, seeds.shape[1]), dtype=np.float32)
    for start in range(0, count, batch):
        size = min(batch, count - start)
        noise = normalise(rng.standard_normal((size, seeds.shape[1]), dtype=np.float32))
        rows[start : start + size] = normalise(seeds[rng.integers(0, len(seeds), size)] + 0.6 * noise)
        store.put([_document(start + i, space, rows[start + i], rng) for i in range(size)])
    store.optimise()
    return rows


def _document(number: int, space: str, vector: Vectors, rng: np.random.Generator) -> Document:
    name = f"synthetic-{number}"
    asset = hashlib.sha256(name.encode()).hexdigest()
    words = " ".join(RANDOM_WORDS[i] for i in rng.integers(0, len(RANDOM_WORDS), 6))
    label = Label("scene", "rare" if number % 50 == 0 else "common", 0.9, "synthetic")
    moment = Moment(
        moment_id(asset, "picture", 0),
        asset,
        "picture",
        fields={"ocr": words},
        vectors={space: vector},
        labels=(label,),
    )
    source = Source(f"/synthetic/{name}", name, "default", 0, 0)
    return Document(Asset(asset, "image", "image/jpeg", 0, name), source, (moment,))


def _module() -> str:
    return str(sys.modules["__main__"].__spec__.name) if sys.modules["__main__"].__spec__ else sys.argv[0]


def _processor() -> str:
    cpus = (
        Path("/proc/cpuinfo").read_text().split("model name")[1].split("\n")[0].strip(" :\t")
        if Path("/proc/cpuinfo").exists()
        else ""
    )
    return f"{os.cpu_count()} × {cpus or platform.processor()}"
