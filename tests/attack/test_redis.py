"""A Redis that forgets, goes away, is full or lets nobody in: no upload is lost, jobs that are gone are told as
such, and workers live on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crossmedia.api.server import create_app
from crossmedia.api.settings import Settings
from crossmedia.indexer.queue import QueueUnreachable, QueueUnusable
from tests.api.helpers import command, ended, kept, png
from tests.api.test_workers import SLOW, Crew, stored, texts, until
from tests.redis_server import RedisServer

MakeRedis = Callable[..., RedisServer]
WRONG = "wr0ng-s3cret"


@pytest.fixture
def crew(redis_server: RedisServer, tmp_path: Path) -> Iterator[Crew]:
    made = Crew(redis_server, tmp_path)
    yield made
    made.close()


def send(http: TestClient, name: str, colour: str) -> str:
    """The id of an accepted job."""
    answer = http.post("/v1/assets", files=[("file", (name, png(colour)))])
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def require_gone(http: TestClient, job: str) -> None:
    """It is told as such by every way to ask for it."""
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/events"):
        gone = http.get(path)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found"), path
        assert gone.json()["error"]["hint"]
    assert http.get("/v1/jobs").json()["jobs"] == []


def test_a_flush_while_jobs_wait_loses_no_upload(
    crew: Crew, redis_server: RedisServer, tmp_path: Path, environment: dict[str, str]
) -> None:
    with TestClient(create_app(crew.settings)) as http:
        jobs = [send(http, "red.png", "red"), send(http, "blue.png", "blue")]
        redis_server.client().flushall()
        for job in jobs:
            require_gone(http, job)
        assert kept(tmp_path) == ["blue.png", "red.png"]
        # What was sent is not sent again: whoever looks is told of it, and how it is read.
        there = {**environment, "CROSSMEDIA_DATA": str(crew.settings.data), "CROSSMEDIA_QUEUE": redis_server.url}
        assert "uploads" in command(there, "doctor", code=1).stdout
        crew.start()
        assert ended(http, send(http, "red.png", "red"))["state"] == "done"
        command(there, "index", str(crew.settings.data / "uploads"))
    assert stored(crew) == ["blue.png", "red.png"]


def test_a_flush_while_a_job_runs_stops_no_worker(crew: Crew, redis_server: RedisServer, tmp_path: Path) -> None:
    worker = crew.start(program=SLOW)
    folder = texts(tmp_path / "media", 3)
    lost = crew.index(folder)
    until(lambda: (tmp_path / "begun").exists(), "its begin")
    redis_server.client().flushall()
    # It hears that the job is no more its own, and takes the next.
    until(lambda: crew.present(worker), "the worker, that tells again it is there")
    with TestClient(create_app(crew.settings)) as http:
        require_gone(http, lost.id)
        assert ended(http, send(http, "red.png", "red"))["state"] == "done"
    assert worker.poll() is None
    log = (tmp_path / "worker-0.log").read_text()
    assert lost.id in log
    assert "Traceback" not in log
    assert "red.png" in stored(crew)


def test_a_redis_that_keeps_nothing_is_stopped_and_started(own_redis: MakeRedis, tmp_path: Path) -> None:
    server = own_redis(durable=False)
    crew = Crew(server, tmp_path)
    try:
        with TestClient(create_app(crew.settings)) as http:
            job = send(http, "red.png", "red")
            server.stop()
            for path in (f"/v1/jobs/{job}", "/v1/jobs"):
                away = http.get(path)
                assert (away.status_code, away.json()["error"]["code"]) == (503, "queue_unreachable")
                assert away.headers["Retry-After"]
            server.start()
            require_gone(http, job)
            assert kept(tmp_path) == ["red.png"]
            crew.start()
            assert ended(http, send(http, "red.png", "red"))["state"] == "done"
        assert stored(crew) == ["red.png"]
    finally:
        crew.close()


def test_a_redis_that_keeps_all_is_stopped_and_started(own_redis: MakeRedis, tmp_path: Path) -> None:
    """In the middle of a job, with another behind it: both are done, and nothing is doubled."""
    server = own_redis()
    crew = Crew(server, tmp_path)
    try:
        worker = crew.start()
        jobs = [crew.index(texts(tmp_path / f"media-{number}", 40)) for number in range(3)]
        until(lambda: crew.queue.get(jobs[0].id).state != "queued", "its begin")
        server.stop()
        server.start()
        assert [crew.ended(job).state for job in jobs] == ["done"] * 3
        assert worker.poll() is None
        assert len(stored(crew)) == 120
    finally:
        crew.close()


@pytest.mark.parametrize("what", ["memory", "copies", "replica"])
def test_a_redis_that_takes_nothing_more(what: str, own_redis: MakeRedis, tmp_path: Path) -> None:
    """Its memory is full, its copies are gone, or it is one: uploads are refused and not kept; then all goes on."""
    server = own_redis()
    crew = Crew(server, tmp_path)
    try:
        with TestClient(create_app(crew.settings)) as http:
            until(lambda: http.get("/readyz").status_code == 200, "the models")
            waiting = send(http, "red.png", "red")
            client = server.client()
            if what == "memory":
                client.config_set("maxmemory-policy", "noeviction")
                client.config_set("maxmemory", "1")
            elif what == "copies":
                client.config_set("min-replicas-to-write", "1")  # a full disk is refused alike
            else:
                client.replicaof("127.0.0.1", "9")
            refused = http.post("/v1/assets", files=[("file", ("blue.png", png("blue")))])
            assert refused.status_code == 503, refused.text
            assert refused.json()["error"]["code"] in ("queue_unusable", "queue_unreachable")
            assert refused.json()["error"]["hint"]
            assert kept(tmp_path) == ["red.png"]
            with pytest.raises((QueueUnusable, QueueUnreachable)):
                crew.queue.claim()
            if what == "memory":
                client.config_set("maxmemory", "0")
            elif what == "copies":
                client.config_set("min-replicas-to-write", "0")
            else:
                client.replicaof("NO", "ONE")
            crew.start()
            assert ended(http, waiting)["state"] == "done"
            assert ended(http, send(http, "blue.png", "blue"))["state"] == "done"
    finally:
        crew.close()


def test_a_wrong_password(
    own_redis: MakeRedis, tmp_path: Path, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis("s3cret")
    wrong = server.url.replace("s3cret", WRONG)
    folder = texts(tmp_path / "media", 1)
    crew = Crew(server, tmp_path)
    try:
        given = Settings(**{**crew.settings.model_dump(), "queue": wrong})
        with TestClient(create_app(given)) as http:
            refused = http.post("/v1/assets", files=[("file", ("red.png", png("red")))])
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_unreachable")
            assert "refuses the user or password" in refused.json()["error"]["message"]
            assert kept(tmp_path) == []
            until(lambda: http.get("/readyz").status_code == 200, "the models")
            shown = refused.text + http.get("/readyz").text
        there = {**environment, "CROSSMEDIA_DATA": str(given.data), "CROSSMEDIA_QUEUE": wrong}
        for words in (("worker",), ("index", str(folder), "--enqueue")):
            failed = command(there, *words, code=1)
            assert "queue_unreachable" in failed.stderr
            assert "Traceback" not in failed.stderr
            shown += failed.stdout + failed.stderr
        shown += command(there, "doctor", code=1).stdout
        assert WRONG not in shown + caplog.text
        crew.start()
        with TestClient(create_app(crew.settings)) as http:
            assert ended(http, send(http, "red.png", "red"))["state"] == "done"
    finally:
        crew.close()
