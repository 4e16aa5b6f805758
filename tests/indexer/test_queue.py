"""What every queue promises, the embedded one and the shared one alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.jobs import Jobs
from crossmedia.indexer.queue import MAX_ATTEMPTS, Job, Queue, QueueFull
from crossmedia.indexer.shared.redis_queue import PREFIX, RedisQueue
from crossmedia.retrieval.store import NotFound


class Broken(CrossmediaError):
    code = "broken"


@dataclass
class Room:
    """A queue, another process's view of it, and what makes everybody who runs a job count as dead."""

    queue: Queue
    other: Queue
    die: Callable[[], None]


@pytest.fixture(params=["embedded", pytest.param("shared", marks=pytest.mark.server)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    queue: Queue
    other: Queue
    if request.param == "embedded":
        queue, other = Jobs(tmp_path, limit=3), Jobs(tmp_path, limit=3)
        made = Room(queue, other, lambda: None)
    else:
        server = request.getfixturevalue("redis_server")
        queue, other = RedisQueue(server.url, limit=3), RedisQueue(server.url, limit=3)

        def die() -> None:
            client = server.client()
            for job in client.zrange(f"{PREFIX}leases", 0, -1):
                client.zadd(f"{PREFIX}leases", {job: 0})

        made = Room(queue, other, die)
    yield made
    queue.close()
    other.close()


def claimed(queue: Queue) -> Job:
    job = queue.claim()
    assert job is not None
    return job


def test_jobs_come_in_order_and_everybody_sees_them(room: Room) -> None:
    first, second = room.queue.submit("index", {"n": 1}), room.queue.submit("index", {"n": 2})
    assert (first.state, first.attempts, first.report, first.error) == ("queued", 0, None, None)
    job = claimed(room.queue)
    assert (job.id, job.state, job.payload, job.attempts) == (first.id, "running", {"n": 1}, 1)
    room.queue.progress(first.id, "indexing", 3, 7)
    seen = room.other.get(first.id)
    assert (seen.done, seen.total, seen.step, seen.state) == (3, 7, "indexing", "running")
    assert room.other.counts() == {"queued": 1, "running": 1}
    assert [job.id for job in room.other.unfinished()] == [first.id, second.id]
    room.die()
    assert room.other.recover() == 1
    assert [job.id for job in room.other.list("queued")] == [second.id, first.id]
    with pytest.raises(NotFound):
        room.queue.get("none")


def test_a_job_has_one_taker(room: Room) -> None:
    room.queue.submit("index", {})
    assert claimed(room.queue)
    assert room.other.claim() is None


def test_queue_is_bounded(room: Room) -> None:
    for _ in range(3):
        room.queue.submit("index", {})
    with pytest.raises(QueueFull):
        room.other.submit("index", {})
    claimed(room.queue)
    room.queue.submit("index", {})


def test_job_that_kills_whoever_runs_it_is_given_up(room: Room) -> None:
    job = room.queue.submit("index", {})
    for _ in range(MAX_ATTEMPTS):
        claimed(room.queue)
        room.die()
        room.queue.recover()
    failed = room.queue.get(job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "crashed"
    assert room.queue.claim() is None


def test_what_was_not_begun_comes_before_what_was_put_back(room: Room) -> None:
    first = room.queue.submit("index", {"n": 1})
    for _ in range(MAX_ATTEMPTS + 1):
        claimed(room.queue)
        room.queue.release(first.id, {"added": 1})
    assert not room.queue.fresh()
    assert room.queue.get(first.id).attempts == 0
    second = room.other.submit("index", {"n": 2})
    assert room.queue.fresh()
    jobs = [claimed(room.queue), claimed(room.queue)]
    assert [job.id for job in jobs] == [second.id, first.id]
    assert jobs[1].report == {"added": 1}


def test_a_job_tells_what_it_waits_for_until_it_is_claimed(room: Room) -> None:
    job = room.queue.submit("index", {})
    claimed(room.queue)
    room.queue.release(job.id, {"added": 1}, Broken("no room", "make some"))
    waiting = room.other.get(job.id)
    assert (waiting.state, waiting.attempts, waiting.report) == ("queued", 0, {"added": 1})
    told = {"code": "broken", "message": "no room", "hint": "make some"}
    assert waiting.error == told
    assert [seen.error for seen in room.other.list()] == [told]
    assert claimed(room.queue).error is None
    room.queue.release(job.id)
    assert room.other.get(job.id).error is None
    claimed(room.queue)
    room.queue.finish(job.id, {"added": 1})
    assert room.other.get(job.id).error is None


def test_ends_are_kept_and_lists_leave_out_what_is_long(room: Room) -> None:
    done = claimed_of(room.queue, {"n": 1})
    room.queue.finish(done.id, {"assets": {"a": "b"}})
    failed = claimed_of(room.queue, {"n": 2})
    room.queue.fail(failed.id, Broken("no", "do this"), {"added": 0})
    assert [(job.id, job.state, job.report) for job in room.other.list()] == [
        (failed.id, "failed", None),
        (done.id, "done", None),
    ]
    assert room.other.list()[0].error == {"code": "broken", "message": "no", "hint": "do this"}
    assert [job.id for job in room.other.list("done")] == [done.id]
    assert [job.id for job in room.other.list(limit=1)] == [failed.id]
    assert room.other.get(done.id).report == {"assets": {"a": "b"}}
    assert room.other.get(failed.id).report == {"added": 0}
    waiting = room.queue.submit("index", {"n": 3})
    assert room.other.unfinished() == [waiting]
    assert room.other.counts() == {"queued": 1, "done": 1, "failed": 1}


def claimed_of(queue: Queue, payload: dict[str, int]) -> Job:
    submitted = queue.submit("index", payload)
    job = claimed(queue)
    assert job.id == submitted.id
    return job


def test_short_jobs_are_claimed_beside_long_ones(room: Room) -> None:
    long = room.queue.submit("index", {"n": 1})
    first, second = (room.other.submit("index", {"n": n}, short=True) for n in (2, 3))
    assert (long.short, first.short) == (False, True)
    job = room.queue.claim(short=True)
    assert job is not None
    assert (job.id, job.short) == (first.id, True)
    assert [claimed(room.other).id, claimed(room.queue).id] == [
        long.id,
        second.id,
    ]  # whoever takes any keeps their order
    assert room.other.claim(short=True) is None


def test_what_was_put_back_is_short_no_more(room: Room) -> None:
    job = room.queue.submit("index", {}, short=True)
    assert room.queue.claim(short=True)
    room.queue.release(job.id, {"added": 1})
    assert room.queue.claim(short=True) is None
    again = claimed(room.queue)
    assert (again.id, again.short, again.report) == (job.id, False, {"added": 1})
    room.queue.finish(job.id, {})
    other = room.queue.submit("index", {}, short=True)
    assert room.queue.claim(short=True)
    room.die()
    assert room.queue.recover() == 1
    assert room.queue.claim(short=True) is None
    assert claimed(room.queue).id == other.id
