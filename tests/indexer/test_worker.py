"""The thread that works through the embedded queue."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crossmedia.embeddings.errors import CrossmediaError, DiskFull
from crossmedia.indexer.jobs import Jobs
from crossmedia.indexer.queue import MAX_ATTEMPTS, Job
from crossmedia.indexer.worker import JobProgress, Unfinished, Worker
from crossmedia.retrieval.store import StoreUnusable


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path, limit=3)


def test_worker_runs_reports_and_outlives_failures(jobs: Jobs) -> None:
    class Broken(CrossmediaError):
        code = "broken"

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Mapping[str, Any]:
        if job.payload.get("fail") == "ours":
            raise Broken("no", "do this")
        if job.payload.get("fail"):
            raise ValueError("a fault")
        progress.start("working", 2)
        progress.advance()
        progress.advance()
        return {"answer": 42}

    good, ours, fault = (jobs.submit("index", {"fail": f}) for f in (None, "ours", "theirs"))
    worker = Worker(jobs, {"index": handler})
    worker.start()
    until = time.monotonic() + 10
    while jobs.counts().get("queued") or jobs.counts().get("running"):
        assert time.monotonic() < until
        time.sleep(0.01)
    worker.stop()
    done = jobs.get(good.id)
    assert (done.state, done.report, done.done, done.total) == ("done", {"answer": 42}, 2, 2)
    assert jobs.get(ours.id).error == {"code": "broken", "message": "no", "hint": "do this"}
    failed = jobs.get(fault.id)
    assert failed.error is not None
    assert failed.error["code"] == "job_failed"


@pytest.mark.parametrize(
    "error", [DiskFull("no room"), OSError(errno.ENOSPC, "No space left on device", "/data/x")], ids=["ours", "theirs"]
)
def test_a_job_that_meets_a_full_disk_waits_for_room(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """As often as it takes, also where the queue itself lies on that disk."""
    monkeypatch.setattr("crossmedia.indexer.worker.FULL_SECONDS", 0.01)
    room, tries = threading.Event(), 0
    release = jobs.release

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Mapping[str, Any]:
        nonlocal tries
        tries += 1
        if not room.is_set():
            raise error
        return {"added": 1}

    def full_too(*values: Any) -> None:
        if tries % 2 and not refused.is_set():
            refused.set()
            raise DiskFull("no room for the queue")
        refused.clear()
        release(*values)

    refused = threading.Event()
    monkeypatch.setattr(jobs, "release", full_too)
    job = jobs.submit("index", {})
    worker = Worker(jobs, {"index": handler})
    worker.start()
    until = time.monotonic() + 30
    told: set[tuple[str, str]] = set()
    while tries < 3 * MAX_ATTEMPTS or not told:
        assert time.monotonic() < until
        seen = jobs.get(job.id)
        assert seen.state in ("queued", "running")
        if seen.error:
            told.add((seen.state, seen.error["code"]))
    assert told == {("queued", "disk_full")}
    room.set()
    while jobs.get(job.id).state != "done":
        assert time.monotonic() < until
        time.sleep(0.01)
    worker.stop()
    done = jobs.get(job.id)
    assert (done.report, done.error, done.attempts) == ({"added": 1}, None, 1)


def test_what_stops_on_request_is_no_crash(jobs: Jobs) -> None:
    job = jobs.submit("index", {})
    begun = threading.Event()

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Unfinished:
        begun.set()
        stop.wait()
        return Unfinished({"so": "far"})

    for _ in range(MAX_ATTEMPTS + 1):
        begun.clear()
        worker = Worker(jobs, {"index": handler})
        worker.start()
        assert begun.wait(10)
        worker.stop()
        waiting = jobs.get(job.id)
        assert (waiting.state, waiting.attempts, waiting.report) == ("queued", 0, {"so": "far"})


def test_worker_outlives_a_queue_that_cannot_be_written(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.BACK_OFF_SECONDS", 0.01)
    fails = {"claim": 2, "finish": 1}

    def failing(name: str) -> None:
        real = getattr(jobs, name)

        def call(*values: Any, **options: Any) -> Any:
            if fails[name]:
                fails[name] -= 1
                raise StoreUnusable("disk full")
            return real(*values, **options)

        monkeypatch.setattr(jobs, name, call)

    failing("claim")
    failing("finish")
    job = jobs.submit("index", {})
    worker = Worker(jobs, {"index": lambda job, progress, stop: {}})
    worker.start()
    until = time.monotonic() + 10
    while jobs.get(job.id).state != "done" and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.is_alive()
    worker.stop()
    assert jobs.get(job.id).state == "done"


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_short_job_is_done_while_a_long_one_runs(jobs: Jobs) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Mapping[str, Any]:
        if not job.short:
            begun.set()
            assert go_on.wait(30)
        return {}

    worker = Worker(jobs, {"index": handler})
    worker.start()
    long = jobs.submit("index", {})
    worker.wake()
    assert begun.wait(30)
    short = [jobs.submit("index", {}, short=True) for _ in range(3)]
    worker.wake()
    until(lambda: all(jobs.get(job.id).state == "done" for job in short))
    assert jobs.get(long.id).state == "running"
    go_on.set()
    until(lambda: jobs.get(long.id).state == "done")
    worker.stop()


def test_a_short_job_that_takes_long_goes_on_among_the_long_ones(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.SHORT_SECONDS", 0.05)
    seen: list[tuple[bool, Any]] = []

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Mapping[str, Any] | Unfinished:
        seen.append((job.short, job.report))
        if job.short:
            assert stop.wait(30)
            return Unfinished({"so": "far"})
        assert not stop.wait(0.2)
        return {"so": "good"}

    job = jobs.submit("index", {}, short=True)
    worker = Worker(jobs, {"index": handler})
    worker.start()
    until(lambda: jobs.get(job.id).state == "done")
    worker.stop()
    assert seen == [(True, None), (False, {"so": "far"})]
    assert jobs.get(job.id).report == {"so": "good"}


def test_a_failure_of_the_queue_leaves_the_other_thread_its_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossmedia.indexer.worker.BACK_OFF_SECONDS", 0.01)
    begun, go_on = threading.Event(), threading.Event()
    runs: list[str] = []

    def handler(job: Job, progress: JobProgress, stop: threading.Event) -> Mapping[str, Any]:
        runs.append(job.id)
        if not job.short:
            begun.set()
            assert go_on.wait(30)
        return {}

    real, broken = jobs.finish, [True]

    def finish(job: str, report: Mapping[str, Any]) -> None:
        if job == short.id and broken.pop():
            broken.append(False)
            raise StoreUnusable("disk full")
        real(job, report)

    monkeypatch.setattr(jobs, "finish", finish)
    long = jobs.submit("index", {})
    worker = Worker(jobs, {"index": handler})
    worker.start()
    assert begun.wait(30)
    short = jobs.submit("index", {}, short=True)
    worker.wake()
    until(lambda: jobs.get(short.id).state == "queued" and not jobs.get(short.id).short)
    assert jobs.get(long.id).state == "running"
    go_on.set()
    until(lambda: jobs.get(short.id).state == "done")
    worker.stop()
    assert (runs.count(long.id), runs.count(short.id)) == (1, 2)
