"""A server at 80 % of its capacity for as long as is wanted: as quick and as small in the end as at the beginning."""

from __future__ import annotations

import gc
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
PARTS = 6
"""The first and the last of so many are compared."""
ROUND, MEASURING = 120.0, 10.0
"""Seconds of load, the first of them to measure what the server can answer."""
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
    """Requests, and how long each took from when it was due: what waits for those before it counts as slow.

    `took`: when each was due and how long it took, s, and how many a second the server could answer then.
    """

    def __init__(self, server: Server) -> None:
        self.took: list[tuple[float, float, float]] = []
        self.statuses: Counter[int] = Counter()
        self._base = str(server.http.base_url)
        self._local = threading.local()
        self._numbers = itertools.count()

    def _connect(self) -> None:
        """Each thread has a connection and draws numbers of its own."""
        self._local.http = httpx.Client(base_url=self._base, timeout=PATIENCE)
        self._local.rng = draw(f"soak {next(self._numbers)}")

    def ask(self) -> None:
        method, path, body = asked(self._local.rng)
        answer = self._local.http.request(method, path, json=body)
        self.statuses[answer.status_code] += 1

    def as_fast_as_it_goes(self, seconds: float) -> float:
        """Requests a second that it answers where as many clients as here never pause."""
        until = time.perf_counter() + seconds

        def press() -> int:
            answered = 0
            while time.perf_counter() < until:
                self.ask()
                answered += 1
            return answered

        with ThreadPoolExecutor(CLIENTS, initializer=self._connect) as clients:
            return sum(client.result() for client in [clients.submit(press) for _ in range(CLIENTS)]) / seconds

    def steadily(self, capacity: float, seconds: float, since: float) -> None:
        """The load for so long, each request when it is due, whether or not those before it are answered."""

        def keep(due: float) -> None:
            self.ask()
            self.took.append((due - since, time.perf_counter() - due, capacity))

        rate = LOAD * capacity
        with ThreadPoolExecutor(4 * CLIENTS, initializer=self._connect) as clients:
            everyone = threading.Barrier(4 * CLIENTS)  # no request waits for its client to be made
            for client in [clients.submit(everyone.wait) for _ in range(4 * CLIENTS)]:
                client.result()
            started = time.perf_counter()
            asking = []
            for number in range(int(rate * seconds)):
                due = started + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                asking.append(clients.submit(keep, due))
                if len(asking) > 1000:
                    asking = [one for one in asking if not one.done() or one.result()]
            for one in asking:
                one.result()


def test_soak(tmp_path: Path) -> None:
    """With the built-in models, as people have it.

    A machine that others share is not equally quick for an hour, so what the server can answer is measured anew in
    every round, and how slow the slowest answers are is compared in numbers of answers that it gives meanwhile.
    """
    environment = {**os.environ, "CROSSMEDIA_WITHOUT": "objects,regions,areas,ocr,plates,descriptions"}
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(FILES):
        write_picture(pictures / f"{number}.jpg", number, 160, 120)
    environment["CROSSMEDIA_ROOTS"] = str(pictures)
    seconds = 60 * SOAK_MINUTES
    part = seconds / PARTS
    rounds = PARTS * max(1, round(part / ROUND))
    measuring = min(MEASURING, seconds / rounds / 6)
    # Tests and their libraries are much to look through for garbage, while answers wait to be read.
    gc.collect()
    gc.freeze()
    with served(environment, tmp_path / "data", tmp_path / "log.txt") as server:
        assert server.http.post("/v1/assets", json={"path": str(pictures)}).status_code == 202
        server.settled()
        load = Load(server)
        load.as_fast_as_it_goes(min(60.0, part))  # the first requests find nothing warm
        resident: list[tuple[float, int]] = []
        stop = threading.Event()
        started = time.perf_counter()

        def look() -> None:
            while not stop.wait(min(5.0, part / 5)):
                resident.append((time.perf_counter() - started, held(server.process.pid)))

        watching = threading.Thread(target=look)
        watching.start()
        for _ in range(rounds):
            load.steadily(load.as_fast_as_it_goes(measuring), seconds / rounds - measuring, started)
        stop.set()
        watching.join()
    gc.unfreeze()
    took = np.array(load.took)
    first, last = took[took[:, 0] < part], took[took[:, 0] >= took[-1, 0] - part]
    p99 = [float(np.percentile(some[:, 1], 99)) for some in (first, last)]
    in_answers = [float(np.percentile(some[:, 1] * some[:, 2], 99)) for some in (first, last)]
    ends = (0.0, resident[-1][0] - part)
    memory = [np.median([size for at, size in resident if start <= at < start + part]) / 1e6 for start in ends]
    count(
        "soak",
        minutes=SOAK_MINUTES,
        capacity_first_per_s=round(float(first[:, 2].mean()), 1),
        capacity_last_per_s=round(float(last[:, 2].mean()), 1),
        requests=len(took),
        answers_500=load.statuses[500],
        other_answers=sum(n for status, n in load.statuses.items() if status != 200),
        p99_first_ms=round(1000 * p99[0], 1),
        p99_last_ms=round(1000 * p99[1], 1),
        p99_change=round(in_answers[1] / in_answers[0], 3),
        resident_first_mb=round(float(memory[0]), 1),
        resident_last_mb=round(float(memory[1]), 1),
    )
    np.save(OUT / "soak.npy", took)  # for whoever wonders why
    assert set(load.statuses) == {200}, load.statuses
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
    assert memory[1] < CHANGE * memory[0], "it grows"
