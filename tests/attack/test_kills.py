"""Processes killed while they write: nothing that was reported as done is lost, and the next start goes on."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from crossmedia.api.use_cases.backing_up import restore
from crossmedia.retrieval.local import LocalStore
from tests.api.helpers import command, flag, png, write_flags
from tests.attack import processes
from tests.attack.processes import Server, kill, kill_at, rehearse, served, start
from tests.attack.scale import KILLS_AN_HOUR, count, draw, share
from tests.media_makers import write_picture

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.network]

OPERATIONS = ("index", "enrich", "reindex", "backup", "upload", "delete")
PICTURES = 120
PASSES = "hashes,trust,speakers,descriptions"


def wanted() -> int:
    """Kills that have to hit the work of one operation."""
    return share(KILLS_AN_HOUR / len(OPERATIONS) + 0.5)


@pytest.fixture
def crossmedia(environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Runs a command to its end in this process."""

    def run(*words: str, data: Path, code: int = 0) -> str:
        return command(environment, *words, "--data", str(data), code=code).stdout

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(PICTURES):
        write_picture(folder / f"{number}.jpg", number, 48, 32)
    return folder


def whole(data: Path) -> dict[str, str]:
    """Where files lie → their assets, of a store whose every vector is compared with the indexes."""
    with closing(LocalStore(data)) as store:
        assert store.verify(deep=True) == []
        return {each.source.location: each.asset for each in store.located()}


def labels(data: Path) -> set[tuple[str, str, str]]:
    with closing(LocalStore(data)) as store:
        return {
            (moment.id, label.kind, label.value)
            for asset in store.asset_ids()
            for moment in store.moments(asset)
            for label in moment.labels
        }


@contextmanager
def counted(operation: str) -> Iterator[dict[str, int]]:
    """Kills that hit work and what was lost, noted also where the test fails."""
    figures = {"kills": 0, "missed": 0, "lost": 0}
    try:
        yield figures
    finally:
        count("kills", **figures, **{f"kills_{operation}": figures["kills"]})


def test_index(tmp_path: Path, pictures: Path, environment: dict[str, str], crossmedia: Callable[..., str]) -> None:
    rng, data = draw("kill index"), tmp_path / "data"
    words = ("index", str(pictures), "--data")
    full = rehearse(start(environment, *words, str(tmp_path / "rehearsal")))
    idle = rehearse(start(environment, *words, str(tmp_path / "rehearsal")))
    held: dict[str, str] = {}
    with counted("index") as figures:
        while figures["kills"] < wanted():
            left = 1 - len(held) / PICTURES
            threshold = rng.uniform(idle, idle + (full - idle) * max(left, 0.1))
            hit = kill_at(start(environment, *words, str(data)), threshold, rng.random() < 0.5)
            figures["kills" if hit else "missed"] += 1
            assert figures["missed"] <= 5 * (wanted() + 1)
            now = whole(data)
            lost = held.items() - now.items()
            figures["lost"] += len(lost)
            assert not lost
            held = now
            if not hit or (len(held) == PICTURES and rng.random() < 0.5):
                assert len(held) == PICTURES
                shutil.rmtree(data)
                held = {}
    assert json.loads(crossmedia("index", str(pictures), "--json", data=data))["failed"] == 0
    assert sorted(whole(data)) == sorted(str(path.resolve()) for path in pictures.iterdir())
    assert "store and indexes agree" in crossmedia("doctor", "--deep", data=data)
    assert labels(data) == labels(tmp_path / "rehearsal")
    assert not list(data.rglob("*.partial"))


def test_enrich(tmp_path: Path, pictures: Path, environment: dict[str, str], crossmedia: Callable[..., str]) -> None:
    rng, data, template = draw("kill enrich"), tmp_path / "data", tmp_path / "template"
    crossmedia("index", str(pictures), *(w for name in PASSES.split(",") for w in ("--without", name)), data=template)
    shutil.copytree(template, tmp_path / "rehearsal")
    full = rehearse(start(environment, "enrich", "--data", str(tmp_path / "rehearsal")))
    idle = rehearse(start(environment, "enrich", "--data", str(tmp_path / "rehearsal")))
    goal, before = labels(tmp_path / "rehearsal"), whole(template)
    assert goal > labels(template)
    held: set[tuple[str, str, str]] = set()
    shutil.copytree(template, data)
    with counted("enrich") as figures:
        while figures["kills"] < wanted():
            threshold = rng.uniform(idle, idle + (full - idle) * max(0.1, 1 - len(held) / len(goal)))
            hit = kill_at(start(environment, "enrich", "--data", str(data)), threshold, rng.random() < 0.5)
            figures["kills" if hit else "missed"] += 1
            assert figures["missed"] <= 5 * (wanted() + 1)
            now = labels(data)
            figures["lost"] += len(held - now) + len(before.items() - whole(data).items())
            assert not held - now
            assert whole(data) == before
            held = now
            if held == goal:
                shutil.rmtree(data)
                shutil.copytree(template, data)
                held = set()
    crossmedia("enrich", data=data)
    assert labels(data) == goal
    assert "store and indexes agree" in crossmedia("doctor", "--deep", data=data)


def test_reindex(tmp_path: Path, environment: dict[str, str], crossmedia: Callable[..., str]) -> None:
    """With a head and without, by turns, so that each run has vectors to write."""
    rng, data = draw("kill reindex"), tmp_path / "data"
    flags = write_flags(tmp_path / "flags")
    for number in range(48, 400):
        flag(flags / f"{number}.png", ("northland", "southland", "westland", "eastland")[number % 4], number)
    crossmedia("index", str(flags), *(w for name in PASSES.split(",") for w in ("--without", name)), data=data)
    crossmedia("align", "train", str(flags / "flags.csv"), data=data)
    before = whole(data)

    def found() -> list[tuple[str, float]]:
        hits = json.loads(crossmedia("search", "southland", "--json", data=data))["hits"]
        return sorted((hit["asset"], round(hit["relevance"], 4)) for hit in hits)

    turns = (("--head", "flags"), ("--builtin",))
    full = max(rehearse(start(environment, "reindex", *turn, "--data", str(data))) for turn in turns)
    idle = rehearse(start(environment, "reindex", "--builtin", "--data", str(data)))
    goals = []
    for turn in turns:
        crossmedia("reindex", *turn, data=data)
        goals.append(found())
    assert goals[0] != goals[1]
    number = 0
    with counted("reindex") as figures:
        while figures["kills"] < wanted():
            turn, goal = turns[number % 2], goals[number % 2]
            hit = kill_at(
                start(environment, "reindex", *turn, "--data", str(data)), rng.uniform(idle, full), rng.random() < 0.5
            )
            figures["kills" if hit else "missed"] += 1
            assert figures["missed"] <= 5 * (wanted() + 1)
            figures["lost"] += len(before.items() - whole(data).items())
            assert whole(data) == before
            if not hit or rng.random() < 0.5:
                crossmedia("reindex", *turn, data=data)
                assert whole(data) == before
                assert found() == goal
                number += 1
    crossmedia("reindex", "--builtin", data=data)
    assert found() == goals[1]
    assert "store and indexes agree" in crossmedia("doctor", "--deep", data=data)


def test_backup(tmp_path: Path, pictures: Path, environment: dict[str, str], crossmedia: Callable[..., str]) -> None:
    rng, data = draw("kill backup"), tmp_path / "data"
    crossmedia("index", str(pictures), data=data)
    for number in range(60):
        content = rng.randbytes(100_000)
        place = data / "uploads" / hashlib.sha256(content).hexdigest() / f"{number}.bin"
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    before = {path.relative_to(data): path.read_bytes() for path in (data / "uploads").rglob("*") if path.is_file()}
    assets = whole(data)
    full = rehearse(start(environment, "backup", str(tmp_path / "rehearsal"), "--data", str(data)))
    idle = rehearse(start(environment, "status", "--data", str(data)))
    backup = tmp_path / "backup"
    with counted("backup") as figures:
        while figures["kills"] < wanted():
            process = start(environment, "backup", str(backup), "--data", str(data))
            hit = kill_at(process, rng.uniform(idle, full), rng.random() < 0.5)
            figures["kills" if hit else "missed"] += 1
            assert figures["missed"] <= 5 * (wanted() + 1)
            after = {
                path.relative_to(data): path.read_bytes() for path in (data / "uploads").rglob("*") if path.is_file()
            }
            figures["lost"] += len(before.keys() - after.keys())
            assert after == before
            assert whole(data) == assets
            if not backup.exists():
                crossmedia("backup", str(backup), data=data)
            there = tmp_path / "there"
            restore(there, backup)
            assert whole(there) == assets
            assert {path: (there / path).read_bytes() for path in before} == before
            shutil.rmtree(there)
            shutil.rmtree(backup)
    assert "store and indexes agree" in crossmedia("doctor", "--deep", data=data)


class Ledger:
    """What a service has reported as accepted and as deleted, and what was under way when it was killed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.accepted: dict[str, bytes] = {}
        self.under_way: set[str] = set()
        self.deleted: set[str] = set()
        self.working = threading.Event()
        self.inside = 0

    def upload(self, http: httpx.Client) -> None:
        """Some files in one request."""
        files = [self._content() for _ in range(self.rng.choice((1, 1, 3)))]
        parts = [("file", (f"{number}{suffix}", content)) for number, (suffix, content) in enumerate(files)]
        answer = http.post("/v1/assets", files=parts)
        assert answer.status_code in (202, 429, 507), answer.text
        if answer.status_code == 202:
            self.accepted |= {hashlib.sha256(content).hexdigest(): content for _, content in files}

    def _content(self) -> tuple[str, bytes]:
        if self.rng.random() < 0.5:
            return ".png", png(
                self.rng.choice(("red", "green", "blue")), self.rng.randint(8, 400)
            ) + self.rng.randbytes(8)
        return ".txt", f"A boat of number {self.rng.getrandbits(64)}. ".encode() * self.rng.randint(1, 3000)

    def delete(self, http: httpx.Client) -> None:
        """One of what was accepted, or some file more where there is nothing left."""
        there = sorted(self.accepted.keys() - self.under_way - self.deleted)
        if not there:
            self.upload(http)
            return
        asset = self.rng.choice(there)
        self.under_way.add(asset)
        answer = http.delete(f"/v1/assets/{asset}")
        if answer.status_code == 404:  # its job has not come to it yet
            self.under_way.discard(asset)
            return
        assert answer.status_code == 200, answer.text
        self.deleted.add(asset)
        self.under_way.discard(asset)

    def press(self, server: Server, act: Callable[[httpx.Client], None], stop: threading.Event) -> None:
        """Acts again and again until the service dies."""
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=processes.PATIENCE) as http:
            try:
                while not stop.is_set():
                    self.inside += 1
                    self.working.set()
                    act(http)
                    self.inside -= 1
            except httpx.TransportError:
                pass

    def check(self, http: httpx.Client, figures: dict[str, int]) -> None:
        """Everything that was accepted and not deleted is listed, and is what was sent; what was deleted is gone."""
        listed: dict[str, str] = {}
        while more := http.get("/v1/assets", params={"limit": 100, "offset": len(listed)}).json()["assets"]:
            listed |= {asset["asset"]: asset["media"] for asset in more}
        lost = []
        for asset, content in self.accepted.items():
            if asset in self.deleted or asset in self.under_way:
                continue
            answer = http.get(f"/v1/assets/{asset}/content")
            if asset not in listed or answer.status_code != 200 or answer.content != content:
                lost.append((asset, asset in listed, answer.status_code))
        figures["lost"] += len(lost)
        assert not lost
        assert not self.deleted & listed.keys()
        for asset in [*self.deleted, *(self.under_way - listed.keys())]:
            self.accepted.pop(asset, None)
        self.deleted.clear()
        self.under_way.clear()


@pytest.mark.parametrize("operation", ["upload", "delete"])
def test_server(tmp_path: Path, environment: dict[str, str], operation: str) -> None:
    rng = draw(f"kill {operation}")
    ledger, data, log = Ledger(rng), tmp_path / "data", tmp_path / "log.txt"
    act: Mapping[str, Callable[[httpx.Client], None]] = {"upload": ledger.upload, "delete": ledger.delete}
    with counted(operation) as figures:
        while figures["kills"] < wanted():
            with served(environment, data, log) as server:
                server.settled()
                ledger.check(server.http, figures)
                if operation == "delete":
                    for _ in range(10):
                        ledger.upload(server.http)
                    server.settled()
                stop = threading.Event()
                client = threading.Thread(target=ledger.press, args=(server, act[operation], stop))
                client.start()
                ledger.working.wait()
                stop.wait(float(np.exp(rng.uniform(np.log(0.01), np.log(1.5)))))
                hit = ledger.inside > 0
                kill(server.process, rng.random() < 0.5)
                stop.set()
                client.join()
                ledger.inside = 0
                ledger.working.clear()
                figures["kills" if hit else "missed"] += 1
        with served(environment, data, log) as server:
            server.settled()
            ledger.check(server.http, figures)
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]
    whole(data)
