"""A queue whose records lie in Redis, so that every service and every worker sees the same."""

from __future__ import annotations

import json
import logging
import os
import socket
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import resources
from typing import Any, Final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.indexer.queue import (
    CRASHED,
    MAX_ATTEMPTS,
    Job,
    JobPart,
    JobState,
    LeaseLost,
    QueueFull,
    QueueUnreachable,
    QueueUnusable,
)
from crossmedia.indexer.shared.server import connect, reaching, without_password
from crossmedia.indexer.shared.sums import add_reports
from crossmedia.retrieval.store import NotFound

log = logging.getLogger("crossmedia.queue")
PREFIX: Final = "crossmedia:"
KEPT_SECONDS: Final = 7 * 24 * 3600.0
"""For so long it can be asked what became of a job."""
AGAIN_SECONDS: Final = 1.0
BELL: Final = f"{PREFIX}bell"
"""The list that whoever waits for work listens to. What is in it says nothing: a ring only shortens the wait."""
MAX_RINGS: Final = 1_000
"""Rings that are kept for workers that do not listen now."""
SHORT: Final = (
    "id",
    "kind",
    "state",
    "created",
    "updated",
    "attempts",
    "step",
    "done",
    "total",
    "error",
    "parts",
    "short",
)
"""The fields of a job that lists contain."""


_STATES: Final[dict[str, JobState]] = {"queued": "queued", "running": "running", "done": "done", "failed": "failed"}


class RedisQueue:
    """A `SharedQueue` in one Redis database, which holds nothing else of the kind. Not to be used across a fork.

    Records are changed by one script (`records.lua`). A bell only says that there is work: whoever hears it claims the
    oldest record, so a ring that is lost, doubled or not ours does no harm.
    """

    def __init__(self, url: str, limit: int = 1000, lease: float = 30.0) -> None:
        self.address = without_password(url)
        self.lease = lease
        self._limit = limit
        self._redis = connect(url)
        self._script = self._redis.register_script(
            resources.files("crossmedia.indexer.shared").joinpath("records.lua").read_text(encoding="utf-8")
        )
        self._held: dict[str, str] = {}
        """Token of each job that was claimed here."""

    def submit(self, kind: str, payload: Mapping[str, Any], *, short: bool = False) -> Job:
        name = uuid.uuid4().hex
        if not self._change("submit", name, kind, _text(payload), self._limit, int(short)):
            raise QueueFull(f"{self._limit} jobs are waiting", f"try again in {QueueFull.retry_after} s")
        job = self.get(name)
        self._ring(1)
        return job

    def claim(self, *, short: bool = False) -> Job | None:
        token = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
        while name := self._change("claim", token, self.lease, int(short)):
            self._held[name] = token
            try:
                return self.get(name)
            except QueueUnusable as error:
                self.fail(name, error)
        return None

    def renew(self, job: str) -> bool:
        return bool(self._change("renew", job, self._token(job), self.lease))

    def release(self, job: str, report: Mapping[str, Any] | None = None, error: CrossmediaError | None = None) -> None:
        problem = json.dumps(error.as_dict()) if error else ""
        self._insist(job, lambda: self._change("release", job, self._token(job), _text(report), problem))
        self._held.pop(job, None)
        self._ring(1)

    def recover(self, held: Collection[str] = ()) -> int:
        back, over = self._change("recover", MAX_ATTEMPTS, json.dumps(CRASHED), KEPT_SECONDS)
        for parent in over:
            self._reunite(parent)
        if back:
            self._ring(back)
        return int(back)

    def wait(self, seconds: int) -> None:
        with reaching(self.address):
            self._redis.blpop([BELL], timeout=seconds)

    def progress(self, job: str, step: str, done: int, total: int) -> None:
        """Raises LeaseLost. What cannot be told now is told with the next step: the lease decides, not this."""
        try:
            held = self._change("progress", job, self._token(job), step, done, total)
        except QueueUnreachable as error:
            log.warning("progress of job %s is not told: %s", job, error.message)
            return
        if not held:
            raise _lost(job)

    def finish(self, job: str, report: Mapping[str, Any]) -> None:
        self._conclude(job, "done", _text(report), "")

    def fail(self, job: str, error: CrossmediaError, report: Mapping[str, Any] | None = None) -> None:
        self._conclude(job, "failed", _text(report), json.dumps(error.as_dict()))

    def divide(self, job: str, parts: Sequence[JobPart], report: Mapping[str, Any]) -> None:
        token = self._token(job)
        self._insist(job, lambda: self._change("undivide", job, token))
        for part in parts:
            entry = (uuid.uuid4().hex, _text(part.payload), part.step, part.size)
            self._insist(job, lambda entry=entry: self._change("part", job, token, *entry))  # type: ignore[misc]
        self._insist(job, lambda: self._change("divide", job, token, _text(report)))
        self._held.pop(job, None)
        self._ring(len(parts))

    def get(self, job: str) -> Job:
        with reaching(self.address):
            record: Any = self._redis.hgetall(f"{PREFIX}job:{job}")
        if not record:
            raise NotFound(f"no job {job}", "GET /v1/jobs lists them")
        return _job(job, record)

    def list(self, state: JobState | None = None, limit: int = 100) -> list[Job]:
        with reaching(self.address):
            names: Any = (
                self._redis.zrevrange(f"{PREFIX}jobs", 0, limit - 1)
                if state is None
                else self._whole(state)[: -limit - 1 : -1]
            )
        return [*self._records(names, SHORT)]

    def unfinished(self) -> Sequence[Job]:
        """Whole jobs; their parts are among them."""
        with reaching(self.address):
            names = [*self._whole("queued"), *self._whole("running")]
            numbers: Any = self._redis.zmscore(f"{PREFIX}jobs", names) if names else []
        order = dict(zip(names, numbers, strict=True))
        return self._records(sorted(order, key=lambda name: order[name] or 0), (*SHORT, "payload", "report"))

    def fresh(self) -> bool:
        with reaching(self.address):
            return bool(self._redis.exists(f"{PREFIX}fresh"))

    def counts(self) -> dict[str, int]:
        """Parts that wait or run count as jobs."""
        with reaching(self.address), self._redis.pipeline(transaction=True) as pipe:
            for state in _STATES:
                pipe.zcard(f"{PREFIX}{state}")
            return {state: count for state, count in zip(_STATES, pipe.execute(), strict=True) if count}

    def present(self, worker: str) -> None:
        self._change("present", worker, self.lease)

    def leave(self, worker: str) -> None:
        with reaching(self.address):
            self._redis.zrem(f"{PREFIX}workers", worker)

    def workers(self) -> int:
        return int(self._change("workers"))

    def close(self) -> None:
        self._redis.close()

    def _whole(self, state: JobState) -> Any:
        """Names of the jobs in a state that are no parts, in their order."""
        return self._redis.zinter([f"{PREFIX}jobs", f"{PREFIX}{state}"], aggregate="MIN")

    def _change(self, name: str, *values: Any) -> Any:
        with reaching(self.address):
            return self._script(keys=[PREFIX], args=[name, *values])

    def _token(self, job: str) -> str:
        return self._held.get(job, "")

    def _insist(self, job: str, change: Callable[[], Any]) -> Any:
        """What ends a claim is worth waiting for: a server that restarts is asked again for as long as a lease
        holds."""
        attempts = Retrying(
            retry=retry_if_exception_type(QueueUnreachable),
            wait=wait_fixed(AGAIN_SECONDS),
            stop=stop_after_delay(self.lease),
            reraise=True,
        )
        done = attempts(change)
        if not done:
            self._held.pop(job, None)
            raise _lost(job)
        return done

    def _conclude(self, job: str, state: JobState, report: str, error: str) -> None:
        def change() -> Any:
            held, parent = self._change("conclude", job, self._token(job), state, report, error)
            return (parent,) if held else None

        (parent,) = self._insist(job, change)
        self._held.pop(job, None)
        if parent:
            self._reunite(parent)

    def _reunite(self, parent: str) -> None:
        """End a divided job; done by whoever ended its last part, or by the next `recover`."""
        with reaching(self.address):
            parts: Any = self._redis.lrange(f"{PREFIX}parts:{parent}", 0, -1)
            rest = self._redis.hget(f"{PREFIX}job:{parent}", "rest")
        jobs = self._records(parts, (*SHORT, "report"))
        report = add_reports([json.loads(rest or "{}"), *(job.report for job in jobs if job.report)])
        failed = [job.error for job in jobs if job.error]
        problem = ""
        if missing := len(failed) + len(parts) - len(jobs):
            first = failed[0] if failed else {"message": "its record cannot be read", "hint": ""}
            message = f"{missing} of {len(parts)} parts failed, the first because {first['message']}"
            problem = json.dumps({"code": "parts_failed", "message": message, "hint": first["hint"]})
        self._change("reunite", parent, "failed" if problem else "done", _text(report), problem)

    def _records(self, names: Sequence[str], fields: Sequence[str]) -> Sequence[Job]:
        """Jobs by name, those that are gone left out; one that cannot be read is logged and left out."""
        with reaching(self.address), self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hmget(f"{PREFIX}job:{name}", fields)
            records = pipe.execute(raise_on_error=False)
        jobs = []
        for name, values in zip(names, records, strict=True):
            try:
                if isinstance(values, Exception):
                    raise _unreadable(name)
                if any(value is not None for value in values):
                    jobs.append(_job(name, dict(zip(fields, values, strict=True))))
            except QueueUnusable as error:
                log.warning("%s", error.message)
        return jobs

    def _ring(self, times: int) -> None:
        """Records are accepted already: who does not hear of one now looks for it within a second."""
        try:
            with reaching(self.address), self._redis.pipeline(transaction=False) as pipe:
                pipe.rpush(BELL, *["work"] * times)
                pipe.ltrim(BELL, -MAX_RINGS, -1)
                pipe.execute()
        except CrossmediaError as error:
            log.warning("workers are not told of new work yet: %s", error.message)


def _lost(job: str) -> LeaseLost:
    return LeaseLost(
        f"job {job} no longer belongs to this worker",
        "another worker has it, or the queue was emptied: then submit it again",
    )


def _unreadable(job: str) -> QueueUnusable:
    return QueueUnusable(f"the record of job {job} cannot be read", "something else writes into the queue's database")


def _text(value: Mapping[str, Any] | None) -> str:
    return "" if value is None else json.dumps(dict(value))


def _job(name: str, record: Mapping[str, str | None]) -> Job:
    """Raises QueueUnusable for what is no record."""
    try:
        state = _STATES[record["state"] or ""]
        report, error = record.get("report"), record.get("error")
        return Job(
            name,
            record["kind"] or "",
            _object(record.get("payload") or "{}"),
            state,
            float(record["created"] or ""),
            float(record["updated"] or ""),
            int(record["attempts"] or ""),
            record["step"] or "",
            int(record["done"] or ""),
            int(record["total"] or ""),
            _object(report) if report else None,
            _object(error) if error else None,
            int(record["parts"] or ""),
            record.get("short") == "1",
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable(name) from error


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value
