"""A server at 80 % of its capacity for as long as is wanted: as quick and as small in the end as at the beginning."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.attack.memory import held
from tests.attack.processes import PATIENCE, Server, served
from tests.attack.scale import OUT, SOAK_MINUTES, count, draw
from tests.media_makers import write_picture

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]

LOAD = 0.8
CLIENTS = 8
FILES = 120
WORDS = (
    "a boat|the red house|a dog on the beach|people at a table|snow on a mountain|an old car|children who play"
    "|the night|a bird in a tree|somebody with a hat|a street in the rain|a field of flowers|the sea|bread and cheese"
).split("|")
CHANGE = 1.10
"""How much slower or larger the end may be."""


def asked(rng: random.Random) -> tuple[str, str, dict[str, object] | None]:
    """A request as people and their pages make them: mostly searches, no two with the same words."""
    text = f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.randrange(100_000)}"
    kind = rng.random()
    if kind < 0.9:
        more: dict[str, object] = {"media": ["image"]} if kind < 0.3 else {}
        return "POST", "/v1/search", {"text": text, "k": 20, **more}
    return "GET", f"/v1/assets?limit=20&offset={rng.randrange(FILES)}", None


class Load:
    """Requests, and how long each took from when it was due: what waits for those before it counts as slow."""

    def __init__(self, server: Server) -> None:
        self.took: list[tuple[float, float]] = []
        self.statuses: Counter[int] = Counter()
        self._base = str(server.http.base_url)
        self._local = threading.local()
        self._numbers = itertools.count()

    def _connect(self) -> None:
        """Each thread has a connection and draws numbers of its own."""
        self._local.http = httpx.Client(base_url=self._base, timeout=PATIENCE)
        self._local.rng = draw(f"soak {next(self._numbers)}")

    def ask(self, due: float, started: float) -> None:
        method, path, body = asked(self._local.rng)
        answer = self._local.http.request(method, path, json=body)
        self.statuses[answer.status_code] += 1
        self.took.append((due - started, time.perf_counter() - due))

    def as_fast_as_it_goes(self, seconds: float) -> float:
        """Requests a second that it answers where as many clients as here never pause."""
        started, before = time.perf_counter(), len(self.took)

        def press() -> None:
            while (now := time.perf_counter()) < started + seconds:
                self.ask(now, started)

        with ThreadPoolExecutor(CLIENTS, initializer=self._connect) as clients:
            for client in [clients.submit(press) for _ in range(CLIENTS)]:
                client.result()
        return (len(self.took) - before) / seconds

    def steadily(self, rate: float, seconds: float) -> None:
        """So many requests a second, each when it is due, whether or not those before it are answered."""
        with ThreadPoolExecutor(4 * CLIENTS, initializer=self._connect) as clients:
            everyone = threading.Barrier(4 * CLIENTS)  # no request waits for its client to be made
            for client in [clients.submit(everyone.wait) for _ in range(4 * CLIENTS)]:
                client.result()
            started = time.perf_counter()
            asking = []
            for number in range(int(rate * seconds)):
                due = started + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                asking.append(clients.submit(self.ask, due, started))
                if len(asking) > 1000:
                    asking = [one for one in asking if not one.done() or one.result()]
            for one in asking:
                one.result()


def test_soak(tmp_path: Path) -> None:
    """With the built-in models, as people have it."""
    environment = {**os.environ, "CROSSMEDIA_WITHOUT": "objects,regions,areas,ocr,plates,descriptions"}
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(FILES):
        write_picture(pictures / f"{number}.jpg", number, 160, 120)
    environment["CROSSMEDIA_ROOTS"] = str(pictures)
    seconds = 60 * SOAK_MINUTES
    part = seconds / 6
    with served(environment, tmp_path / "data", tmp_path / "log.txt") as server:
        assert server.http.post("/v1/assets", json={"path": str(pictures)}).status_code == 202
        server.settled()
        load = Load(server)
        load.as_fast_as_it_goes(min(60.0, part))  # the first requests find nothing warm
        capacity = load.as_fast_as_it_goes(min(60.0, part))
        load.took.clear()
        resident: list[tuple[float, int]] = []
        stop = threading.Event()
        started = time.perf_counter()

        def look() -> None:
            while not stop.wait(min(5.0, part / 5)):
                resident.append((time.perf_counter() - started, held(server.process.pid)))

        watching = threading.Thread(target=look)
        watching.start()
        load.steadily(LOAD * capacity, seconds)
        stop.set()
        watching.join()
    took = np.array(load.took)
    p99 = [
        float(np.percentile(took[(took[:, 0] >= at) & (took[:, 0] < at + part), 1], 99)) for at in np.arange(6) * part
    ]
    memory = [np.median([size for at, size in resident if start <= at < start + part]) / 1e6 for start in (0, 5 * part)]
    count(
        "soak",
        minutes=SOAK_MINUTES,
        capacity_per_s=round(capacity, 1),
        requests=len(took),
        answers_500=load.statuses[500],
        other_answers=sum(n for status, n in load.statuses.items() if status != 200),
        p99_first_ms=round(1000 * p99[0], 1),
        p99_last_ms=round(1000 * p99[-1], 1),
        resident_first_mb=round(float(memory[0]), 1),
        resident_last_mb=round(float(memory[1]), 1),
    )
    np.save(OUT / "soak.npy", took)  # when each was due and how long it took, for whoever wonders why
    assert set(load.statuses) == {200}, load.statuses
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
    assert memory[1] < CHANGE * memory[0], "it grows"
