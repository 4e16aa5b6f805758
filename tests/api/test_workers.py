"""`crossmedia worker` as people run it: processes of the program over a real Redis, killed and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.ingest import files_json
from crossmedia.api.server import create_app
from crossmedia.api.service import Service
from crossmedia.api.settings import Settings
from crossmedia.indexer.queue import Job
from crossmedia.indexer.scan import scan
from crossmedia.indexer.shared.redis_queue import BELL, PREFIX, RedisQueue
from tests.api.helpers import WEIGHTY, ended, kept, png, settings
from tests.elastic_servers import wipe
from tests.redis_server import RedisServer

DEADLINE = 60.0
LEASE = 2.0


def until(true: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + DEADLINE
    while not (found := true()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.05)
    return found


class Crew:
    """Worker processes over one data directory; all that were started are gone afterwards."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.settings: Settings = settings(folder, queue=server.url, queue_lease=LEASE)
        self.queue = RedisQueue(server.url, lease=LEASE)
        self._folder = folder
        self._all: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "CROSSMEDIA_PROFILE": "toy",
            "CROSSMEDIA_DATA": str(self.settings.data),
            "CROSSMEDIA_QUEUE": server.url,
            "CROSSMEDIA_QUEUE_LEASE": str(LEASE),
            "CROSSMEDIA_WITHOUT": ",".join(WEIGHTY),
            "CROSSMEDIA_DECODE_WORKERS": "1",
        }

    def start(
        self, *arguments: str, program: str = "from crossmedia.api.cli import app; app()", **settings: str
    ) -> subprocess.Popen[bytes]:
        environment = {**self._environment, **{f"CROSSMEDIA_{name.upper()}": value for name, value in settings.items()}}
        with (self._folder / f"worker-{len(self._all)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", program, "worker", *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._all.append(process)
        until(lambda: self.present(process) or process.poll() is not None, "a worker that tells it is there")
        return process

    def present(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether this very worker was heard of: another that is paused may be forgotten meanwhile."""
        names = self.queue._redis.zrange(f"{PREFIX}workers", 0, -1)
        return any(f":{process.pid}:" in name for name in names)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As the kernel does: the whole group, without a word."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ended(self, job: Job) -> Job:
        return until(
            lambda: found if (found := self.queue.get(job.id)).state in ("done", "failed") else None, "its end"
        )

    def index(self, folder: Path) -> Job:
        return self.queue.submit("index", {"paths": [str(folder)], "within": [], "collection": "default"})

    def close(self) -> None:
        for process in self._all:
            if process.poll() is None:
                self.kill(process)
        self.queue.close()


@pytest.fixture
def crew(redis_server: RedisServer, tmp_path: Path) -> Iterator[Crew]:
    made = Crew(redis_server, tmp_path)
    yield made
    made.close()


def texts(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04}.txt").write_text(f"Number {number} of the red boats comes home.")
    return folder


def stored(crew: Crew) -> list[str]:
    """The titles of what is in the store, which must be whole."""
    service = Service(crew.settings)
    try:
        assert service.runtime.store.verify() == []
        return sorted(located.source.path.rpartition("/")[2] for located in service.runtime.store.located())
    finally:
        service.close()


SLOW = """
import time
from pathlib import Path
from crossmedia.api.use_cases.indexing import Indexing
real = Indexing.index
def slow(self, paths, *given, stop=None, **named):
    (Path(paths[0]).parent / "begun").touch()
    while not stop.is_set():
        time.sleep(0.05)
    return real(self, paths, *given, stop=stop, **named)
Indexing.index = slow
from crossmedia.api.cli import app
app()
"""
"""A worker whose jobs last until they are told to stop."""
DEADLY = """
import os, signal
from crossmedia.api.use_cases.indexing import Indexing
def die(self, *given, **named):
    os.kill(os.getpid(), signal.SIGKILL)
Indexing.index = die
from crossmedia.api.cli import app
app()
"""
"""A worker whose processes do not survive a job."""


def test_a_killed_worker_s_job_is_done_by_another_exactly_once(crew: Crew, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 20)
    first = crew.start(program=SLOW)
    job = crew.index(folder)
    until((tmp_path / "begun").exists, "the job to begin")
    assert crew.queue.get(job.id).state == "running"
    second = crew.start("--concurrency", "2")
    time.sleep(LEASE)
    assert crew.queue.get(job.id).attempts == 1, "a job whose worker lives is nobody else's, however long it lasts"
    crew.kill(first)
    done = crew.ended(job)
    assert (done.state, done.attempts, done.error) == ("done", 2, None)
    assert done.report is not None
    assert done.report["added"] == 20
    assert stored(crew) == [f"{n:04}.txt" for n in range(20)]
    second.send_signal(signal.SIGTERM)
    assert second.wait(DEADLINE) == 0
    assert crew.queue.workers() <= 1  # the killed one is believed in for a lease at most
    until(lambda: crew.queue.workers() == 0, "the killed worker to be forgotten")


def test_a_worker_that_was_paused_too_long_gives_way(crew: Crew, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 3)
    first = crew.start(program=SLOW)
    job = crew.index(folder)
    until((tmp_path / "begun").exists, "the job to begin")
    os.killpg(first.pid, signal.SIGSTOP)
    crew.start()
    done = crew.ended(job)
    assert (done.state, done.attempts) == ("done", 2)
    os.killpg(first.pid, signal.SIGCONT)
    until(lambda: "no longer belongs to this worker" in (tmp_path / "worker-0.log").read_text(), "the first to see it")
    assert crew.queue.get(job.id) == done
    assert stored(crew) == [f"{n:04}.txt" for n in range(3)]
    assert first.poll() is None


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stopped_worker_puts_its_job_back(name: str, crew: Crew, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 3)
    worker = crew.start(program=SLOW)
    job = crew.index(folder)
    until((tmp_path / "begun").exists, "the job to begin")
    worker.send_signal(getattr(signal, name))
    assert worker.wait(DEADLINE) == 0
    waiting = crew.queue.get(job.id)
    assert (waiting.state, waiting.attempts, crew.queue.workers()) == ("queued", 0, 0)
    crew.start()
    assert crew.ended(job).report["added"] == 3  # type: ignore[index]


def test_a_short_job_is_done_by_a_worker_that_has_a_long_one(crew: Crew, tmp_path: Path) -> None:
    crew.start(program=SLOW)
    long = crew.index(texts(tmp_path / "media", 1))
    until((tmp_path / "begun").exists, "the job to begin")
    for number, file in enumerate(scan([texts(tmp_path / "small", 3)])):
        payload = {"files": files_json([file]), "within": [], "collection": "default"}
        done = crew.ended(crew.queue.submit("index", payload, short=True))
        assert (done.state, done.attempts) == ("done", 1), number
    assert crew.queue.get(long.id).state == "running"
    assert stored(crew) == ["0000.txt", "0001.txt", "0002.txt"]


def test_a_job_that_kills_its_workers_is_given_up(crew: Crew, tmp_path: Path) -> None:
    worker = crew.start(program=DEADLY)
    job = crew.index(texts(tmp_path / "media", 1))
    failed = crew.ended(job)
    assert (failed.state, failed.attempts) == ("failed", 3)
    assert failed.error is not None
    assert failed.error["code"] == "crashed"
    assert worker.poll() is None, "its processes died, not the worker"


def test_workers_share_a_folder(crew: Crew, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 900)
    (folder / "copy.txt").write_text((folder / "0000.txt").read_text())  # the same bytes, in another part
    crew.start()
    crew.start()
    job = crew.index(folder)
    takers: set[str] = set()
    client = crew.queue._redis

    def owners() -> bool:
        for part in client.zrange(f"{PREFIX}running", 0, -1):
            parent, owner = client.hmget(f"{PREFIX}job:{part}", "parent", "owner")
            if parent and owner:
                takers.add(owner.rpartition(":")[0])
        return crew.queue.get(job.id).state in ("done", "failed")

    until(owners, "its end")
    done = crew.queue.get(job.id)
    assert (done.state, done.error, done.parts) == ("done", None, 4)
    assert done.report is not None
    assert done.report["added"] + done.report["copied"] == 901 - done.report["failed"]
    assert (done.report["failed"], len(done.report["assets"])) == (0, 901)
    assert len(takers) == 2
    assert stored(crew) == [*(f"{n:04}.txt" for n in range(900)), "copy.txt"]


@pytest.mark.slow
def test_workers_with_folders_of_their_own_share_an_elasticsearch(crew: Crew, elastic_url: str, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 300)
    (folder / "copy.txt").write_text((folder / "0000.txt").read_text())
    store = f"{elastic_url.rstrip('/').replace('http', 'elasticsearch', 1)}/workers"
    for machine in ("one", "two"):
        crew.start(data=str(tmp_path / machine), store=store)
    job = crew.ended(crew.index(folder))
    assert (job.state, job.error, job.parts) == ("done", None, 2)
    assert job.report is not None
    # The same bytes are added by both if both begin before either ends; the store holds them once.
    assert (job.report["added"] + job.report["copied"], job.report["failed"]) == (301, 0)
    service = Service(settings(tmp_path / "three", store=store))
    try:
        assert service.runtime.store.verify() == []
        assert dict(service.runtime.store.statistics().assets) == {"text": 300}
        assert len({located.source.location for located in service.runtime.store.located()}) == 301
    finally:
        service.close()
        wipe(elastic_url, "workers")


def test_an_api_submits_and_tells_and_others_work(crew: Crew, tmp_path: Path) -> None:
    roots = texts(tmp_path / "roots", 2)
    given = crew.settings.model_copy(update={"roots": (str(roots),)})
    with TestClient(create_app(given)) as http, TestClient(create_app(given)) as another:
        until(lambda: http.get("/readyz").status_code == 200, "the models")
        ready = http.get("/readyz").json()
        assert (ready["workers"], ready["notes"][0]["code"]) == (0, "no_worker")
        upload = http.post("/v1/assets", files=[("file", ("red.png", png("red")))]).json()
        named = http.post("/v1/assets", json={"path": str(roots)}).json()
        assert another.get(f"/v1/jobs/{upload['id']}").json()["state"] == "queued"
        crew.start()
        assert ended(another, upload["id"])["report"]["added"] == 1
        assert ended(another, named["id"])["report"]["added"] == 2
        with another.stream("GET", f"/v1/jobs/{named['id']}/events") as stream:
            assert "event: job" in stream.read().decode()
        ready = another.get("/readyz").json()
        assert (ready["status"], ready["workers"], ready["notes"]) == ("ready", 1, [])
        assert "crossmedia_workers 1.0" in another.get("/metrics").text
        assert [hit["path"] for hit in another.post("/v1/search", json={"text": "red", "k": 1}).json()["hits"]]
    assert kept(tmp_path) == ["red.png"]


def test_a_file_that_a_worker_does_not_see_fails_alone(crew: Crew, tmp_path: Path) -> None:
    folder = texts(tmp_path / "media", 1)
    there = folder / "0000.txt"
    gone = {"location": str(folder / "gone.txt"), "path": "gone.txt", "size": 1, "mtime_ns": 1}
    status = there.stat()
    seen = {"location": str(there), "path": "0000.txt", "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    job = crew.queue.submit("index", {"files": [gone, seen], "within": [], "collection": "default"})
    crew.start()
    report = crew.ended(job).report
    assert report is not None
    assert (report["added"], report["failed"]) == (1, 1)
    assert report["failures"][0]["error"]["message"] == "gone.txt is not there"
    assert "every worker needs the same folders" in report["failures"][0]["error"]["hint"]


@pytest.mark.parametrize("garbage", ["in the list", "instead of the list"])
def test_garbage_in_the_queue_stops_no_worker(
    garbage: str, crew: Crew, redis_server: RedisServer, tmp_path: Path
) -> None:
    worker = crew.start()
    client = redis_server.client()
    if garbage == "in the list":
        client.lpush(BELL, "no json {", b"\x80\x04", "{}")
    else:
        client.set(BELL, "no list")
    client.hset(f"{PREFIX}job:x", mapping={"state": "queued", "kind": "unknown"})
    client.zadd(f"{PREFIX}queued", {"x": 0})
    strange = crew.queue.submit("nobody does this", {})
    broken = crew.queue.submit("index", {"paths": 7})
    good = crew.index(texts(tmp_path / "media", 2))
    assert crew.ended(good).state == "done"
    assert [crew.ended(job).error["code"] for job in (strange, broken)] == ["job_failed", "job_failed"]  # type: ignore[index]
    assert worker.poll() is None


def test_workers_outlive_a_restart_of_redis(own_redis: Callable[..., RedisServer], tmp_path: Path) -> None:
    server = own_redis("s3cret")
    crew = Crew(server, tmp_path)
    try:
        worker = crew.start()
        server.stop()
        with TestClient(create_app(crew.settings)) as http:
            until(lambda: http.get("/readyz").status_code == 200, "the models")
            assert http.get("/readyz").json()["notes"][0]["code"] == "queue_unreachable"
            refused = http.post("/v1/assets", files=[("file", ("red.png", png("red")))])
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "queue_unreachable"
            assert refused.json()["error"]["hint"]
            assert refused.headers["Retry-After"]
            assert kept(tmp_path) == [], "what was not accepted is not kept"
            assert http.post("/v1/search", json={"text": "red"}).status_code == 200
            assert "crossmedia_queue_up 0.0" in http.get("/metrics").text
            server.start()
            accepted = http.post("/v1/assets", files=[("file", ("red.png", png("red")))])
            assert accepted.status_code == 202
            assert ended(http, accepted.json()["id"])["state"] == "done"
        assert worker.poll() is None
        log = (tmp_path / "worker-0.log").read_text()
        assert "does not answer" in log
        assert "s3cret" not in log
    finally:
        crew.close()
