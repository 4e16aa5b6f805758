"""What the shared queue promises beyond every queue: leases, parts, and what becomes of it when Redis or a record is
broken."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import JobPart, LeaseLost, QueueUnreachable, QueueUnusable
from crossmedia.indexer.shared.redis_queue import BELL, MAX_RINGS, PREFIX, RedisQueue
from crossmedia.indexer.shared.sums import add_reports
from tests.redis_server import RedisServer

MakeRedis = Callable[..., RedisServer]


class Broken(CrossmediaError):
    code = "broken"


@pytest.fixture
def queue(redis_server: RedisServer) -> Iterator[RedisQueue]:
    opened = RedisQueue(redis_server.url)
    yield opened
    opened.close()


@pytest.fixture
def other(redis_server: RedisServer) -> Iterator[RedisQueue]:
    opened = RedisQueue(redis_server.url)
    yield opened
    opened.close()


def expire(server: RedisServer) -> None:
    client = server.client()
    for job in client.zrange(f"{PREFIX}leases", 0, -1):
        client.zadd(f"{PREFIX}leases", {job: 0})


def test_who_lost_a_lease_writes_no_more(queue: RedisQueue, other: RedisQueue, redis_server: RedisServer) -> None:
    job = queue.submit("index", {})
    assert queue.claim()
    assert queue.renew(job.id)
    expire(redis_server)
    assert queue.renew(job.id), "nobody has taken it: whoever was only slow keeps it"
    expire(redis_server)
    assert other.recover() == 1
    assert other.claim()
    assert not queue.renew(job.id)
    for late in (
        lambda: queue.progress(job.id, "indexing", 1, 2),
        lambda: queue.release(job.id, {"late": True}),
        lambda: queue.finish(job.id, {"late": True}),
        lambda: queue.fail(job.id, Broken("late")),
        lambda: queue.divide(job.id, [JobPart({}, "indexing", 1)], {}),
    ):
        with pytest.raises(LeaseLost):
            late()
    other.finish(job.id, {"added": 1})
    ended = queue.get(job.id)
    assert (ended.state, ended.report, ended.attempts, ended.done) == ("done", {"added": 1}, 2, 0)
    assert queue.recover() == 0


def test_a_divided_job_is_the_sum_of_its_parts(queue: RedisQueue, other: RedisQueue) -> None:
    whole = queue.submit("index", {"paths": ["/media"]})
    assert queue.claim()
    queue.divide(whole.id, [JobPart({"n": n}, "indexing", size) for n, size in enumerate((3, 2))], {"gone": ["x"]})
    assert queue.counts() == {"queued": 2, "running": 1}
    first, second = queue.claim(), other.claim()
    assert first is not None
    assert second is not None
    assert (first.payload, first.kind, second.payload) == ({"n": 0}, "index", {"n": 1})
    assert queue.claim() is None
    seen = queue.get(whole.id)
    assert (seen.state, seen.step, seen.done, seen.total, seen.parts) == ("running", "indexing", 0, 5, 2)
    queue.progress(first.id, "indexing", 3, 3)
    queue.progress(first.id, "enriching", 4, 10)
    other.progress(second.id, "indexing", 1, 2)
    seen = queue.get(whole.id)
    assert (seen.step, seen.done, seen.total) == ("indexing", 4, 5)
    other.progress(second.id, "indexing", 2, 2)
    seen = queue.get(whole.id)
    assert (seen.step, seen.done, seen.total) == ("enriching", 4, 10)
    assert [job.id for job in queue.list()] == [whole.id], "parts are no jobs that anybody submitted"
    queue.finish(first.id, {"added": 3, "assets": {"a": "1"}, "notes": ["no OCR"], "gone": []})
    assert queue.get(whole.id).state == "running"
    other.finish(second.id, {"added": 2, "assets": {"b": "2"}, "notes": ["no OCR"], "gone": []})
    done = queue.get(whole.id)
    assert (done.state, done.parts) == ("done", 2)
    assert done.report == {"added": 5, "assets": {"a": "1", "b": "2"}, "notes": ["no OCR"], "gone": ["x"]}
    assert queue.counts() == {"done": 1}


def test_a_part_that_fails_fails_the_whole_and_keeps_the_rest(queue: RedisQueue) -> None:
    whole = queue.submit("index", {})
    assert queue.claim()
    queue.divide(whole.id, [JobPart({}, "indexing", 1), JobPart({}, "indexing", 1)], {})
    for end in ("finish", "fail"):
        part = queue.claim()
        assert part is not None
        queue.finish(part.id, {"added": 1}) if end == "finish" else queue.fail(part.id, Broken("it broke", "mend it"))
    failed = queue.get(whole.id)
    assert (failed.state, failed.report) == ("failed", {"added": 1})
    assert failed.error == {
        "code": "parts_failed",
        "message": "1 of 2 parts failed, the first because it broke",
        "hint": "mend it",
    }


def test_who_dies_while_dividing_leaves_no_parts_behind(
    queue: RedisQueue, other: RedisQueue, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = queue.submit("index", {})
    assert queue.claim()
    real = queue._change

    def dying(name: str, *values: object) -> object:
        if name == "divide":
            raise KeyboardInterrupt
        return real(name, *values)

    monkeypatch.setattr(queue, "_change", dying)
    with pytest.raises(KeyboardInterrupt):
        queue.divide(whole.id, [JobPart({"n": 0}, "indexing", 1)], {})
    assert other.claim() is None, "half a division is none"
    expire(redis_server)
    other.recover()
    again = other.claim()
    assert again is not None
    assert again.id == whole.id
    other.divide(whole.id, [JobPart({"n": 1}, "indexing", 1), JobPart({"n": 2}, "indexing", 1)], {})
    for n in (1, 2):
        part = other.claim()
        assert part is not None
        assert part.payload == {"n": n}
        other.finish(part.id, {"added": 1})
    assert other.get(whole.id).report == {"added": 2}
    assert len(redis_server.client().keys(f"{PREFIX}job:*")) == 1


def test_who_dies_between_the_last_part_and_the_sum_is_made_up_for(
    queue: RedisQueue, other: RedisQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = queue.submit("index", {})
    assert queue.claim()
    queue.divide(whole.id, [JobPart({}, "indexing", 1), JobPart({}, "indexing", 1)], {})
    monkeypatch.setattr(queue, "_reunite", lambda parent: None)
    for _ in range(2):
        part = queue.claim()
        assert part is not None
        queue.finish(part.id, {"added": 1})
    assert queue.get(whole.id).state == "running"
    other.recover()
    assert (queue.get(whole.id).state, queue.get(whole.id).report) == ("done", {"added": 2})


def test_the_end_of_a_part_counts_once(queue: RedisQueue) -> None:
    whole = queue.submit("index", {})
    assert queue.claim()
    queue.divide(whole.id, [JobPart({}, "indexing", 1), JobPart({}, "indexing", 1)], {})
    part = queue.claim()
    assert part is not None
    token = queue._held[part.id]
    for _ in range(2):  # the answer to the first was lost on the way, and it was said again
        assert queue._change("conclude", part.id, token, "done", '{"added": 1}', "") in ([1, ""], [1, ""])
    assert queue.get(whole.id).state == "running"


def test_whoever_waits_hears_of_new_work(queue: RedisQueue, other: RedisQueue, redis_server: RedisServer) -> None:
    began = time.monotonic()
    ringing = threading.Timer(0.2, lambda: other.submit("index", {}))
    ringing.start()
    queue.wait(60)
    assert time.monotonic() - began < 60, "heard, not waited for"
    ringing.join()
    assert queue.claim() is not None


def test_rings_do_not_pile_up_where_nobody_listens(queue: RedisQueue, redis_server: RedisServer) -> None:
    queue._ring(MAX_RINGS)
    queue.submit("index", {})
    assert redis_server.client().llen(BELL) == MAX_RINGS


def test_a_restart_of_redis_loses_nothing_accepted(own_redis: MakeRedis) -> None:
    server = own_redis()
    queue = RedisQueue(server.url, lease=30)
    kept, running = queue.submit("index", {"n": 1}), queue.submit("index", {"n": 2})
    claimed = queue.claim()
    assert claimed is not None
    assert claimed.id == kept.id
    server.stop()
    for ask in (queue.counts, lambda: queue.submit("index", {}), queue.claim, queue.recover):
        with pytest.raises(QueueUnreachable) as caught:
            ask()
        assert str(server.port) in caught.value.message
        assert "CROSSMEDIA_QUEUE" in caught.value.hint
    queue.progress(kept.id, "indexing", 1, 2)  # not told, and no reason to stop
    server.start()
    assert queue.counts() == {"queued": 1, "running": 1}
    assert queue.renew(kept.id)
    queue.finish(kept.id, {"added": 1})
    after = queue.claim()
    assert after is not None
    assert (after.id, after.payload) == (running.id, {"n": 2})
    queue.submit("index", {"n": 3})
    queue.close()


def test_a_short_outage_does_not_cost_the_end_of_a_job(own_redis: MakeRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    server = own_redis()
    queue = RedisQueue(server.url)
    job = queue.submit("index", {})
    assert queue.claim()
    server.stop()
    real = queue._change

    def change(*values: object) -> object:
        try:
            return real(*values)
        except QueueUnreachable:
            server.start()
            raise

    monkeypatch.setattr(queue, "_change", change)
    monkeypatch.setattr("crossmedia.indexer.shared.redis_queue.AGAIN_SECONDS", 0.01)
    queue.finish(job.id, {"added": 1})
    assert queue.get(job.id).state == "done"
    queue.close()


def test_a_password_is_asked_for_and_never_shown(own_redis: MakeRedis, caplog: pytest.LogCaptureFixture) -> None:
    server = own_redis(password="s3cret")
    with caplog.at_level(logging.DEBUG):
        good = RedisQueue(server.url)
        assert good.submit("index", {}).state == "queued"
        for url in (server.url.replace("s3cret", "wr0ng"), server.url.replace(":s3cret@", "")):
            with pytest.raises(QueueUnreachable) as caught:
                RedisQueue(url).submit("index", {})
            assert "refuses" in caught.value.message
            assert "wr0ng" not in caught.value.message + caught.value.hint
        good.close()
    assert "s3cret" not in good.address + caplog.text


@pytest.mark.parametrize(
    "garbage",
    [
        {"state": "queued"},
        {"id": "g", "kind": "index", "payload": "{", "state": "queued", "number": "0"},
        {"id": "g", "kind": "index", "payload": "[1]", "state": "queued", "number": "0", "attempts": "many"},
        "no hash at all",
    ],
)
def test_a_record_that_is_none_stops_nobody(
    garbage: dict[str, str] | str, queue: RedisQueue, redis_server: RedisServer
) -> None:
    client = redis_server.client()
    if isinstance(garbage, str):
        client.set(f"{PREFIX}job:g", garbage)
    else:
        client.hset(f"{PREFIX}job:g", mapping=garbage)
    for name in ("jobs", "queued", "fresh"):
        client.zadd(f"{PREFIX}{name}", {"g": 0})
    good = queue.submit("index", {"n": 1})
    with pytest.raises(QueueUnusable):
        queue.get("g")
    assert [job.id for job in queue.list()] == [good.id]
    assert [job.id for job in queue.unfinished()] == [good.id]
    claimed = queue.claim()
    assert claimed is not None
    assert claimed.id == good.id
    queue.finish(good.id, {})
    assert queue.recover() == 0
    assert queue.counts().get("queued") is None


def test_ended_jobs_are_forgotten_after_a_while(
    queue: RedisQueue, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = queue.submit("index", {})
    assert queue.claim()
    queue.finish(old.id, {})
    new = queue.submit("index", {})
    assert queue.claim()
    queue.finish(new.id, {})
    redis_server.client().zadd(f"{PREFIX}ended", {old.id: time.time() - 30 * 24 * 3600})
    queue.recover()
    assert [job.id for job in queue.list()] == [new.id]
    assert queue.counts() == {"done": 1}


def test_workers_are_counted_while_they_are_heard_of(queue: RedisQueue, redis_server: RedisServer) -> None:
    queue.present("a:1")
    queue.present("a:1")
    queue.present("b:1")
    assert queue.workers() == 2
    queue.leave("a:1")
    redis_server.client().zadd(f"{PREFIX}workers", {"b:1": 1})
    assert queue.workers() == 0


def test_sums() -> None:
    assert add_reports([]) == {}
    assert add_reports(
        [{"a": 1, "b": [{"x": 1}], "c": {"k": 1}, "d": False}, {"a": 2, "b": [{"x": 1}], "c": {"l": 2}, "d": True}]
    ) == {"a": 3, "b": [{"x": 1}, {"x": 1}], "c": {"k": 1, "l": 2}, "d": True}
    parts = [{"notes": ["n"]}]
    assert add_reports([*parts, {"notes": ["n", "m"]}]) == {"notes": ["n", "m"]}
    assert parts == [{"notes": ["n"]}], "what is summed stays as it was"
    assert json.loads(json.dumps(add_reports(parts))) == {"notes": ["n"]}
