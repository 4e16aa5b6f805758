"""Perform jobs and report their progress; a thread does those of the embedded queue, one after the other."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossmedia.embeddings.errors import CrossmediaError, DiskFull, NoRoom
from crossmedia.indexer.queue import Job, LeaseLost, Queue

log = logging.getLogger("crossmedia.worker")
IDLE_SECONDS = 1.0
BACK_OFF_SECONDS = 5.0
TELL_EVERY_SECONDS = 0.2
FULL_SECONDS = 10.0
"""Between tries while a disk is full."""
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Unfinished:
    """What a handler returns that stopped before its end: the job waits again, with the report so far; for room on a
    disk, where it found none."""

    report: Mapping[str, Any] | None = None
    error: NoRoom | None = None


@dataclass(frozen=True)
class Divided:
    """What a handler returns that gave its job away in parts (`SharedQueue.divide`)."""


Result = Mapping[str, Any] | Unfinished | Divided
Handler = Callable[[Job, "JobProgress", threading.Event], Result]


class JobFailed(CrossmediaError):
    """A job stopped on something that is not the input's fault; see the traceback in the log."""

    code = "job_failed"


class JobProgress:
    """Writes a job's progress, but not more often than anybody looks."""

    def __init__(self, jobs: Queue, job: str) -> None:
        self._jobs, self._job = jobs, job
        self._step, self._done, self._total, self._told = "", 0.0, 0, 0.0

    def start(self, step: str, total: int) -> None:
        self._step, self._done, self._total = step, 0, total
        self._jobs.progress(self._job, step, 0, total)

    def advance(self, by: float = 1.0) -> None:
        self._done += by
        if time.monotonic() - self._told >= TELL_EVERY_SECONDS or round(self._done) >= self._total:
            self._told = time.monotonic()
            self._jobs.progress(self._job, self._step, round(self._done), self._total)


def perform(jobs: Queue, handlers: Mapping[str, Handler], job: Job, stop: threading.Event) -> float:
    """Do a claimed job and tell the queue how it ended; returns for how many seconds the next one has to wait. Raises
    what the queue raises when it is told.

    A job that meets a full disk waits in the queue, and tells for what.
    """
    try:
        result = handlers[job.kind](job, JobProgress(jobs, job.id), stop)
    except LeaseLost as error:
        log.warning("job %s: %s", job.id, error.message)
    except NoRoom as error:
        return _put_back(jobs, job, Unfinished(job.report, error), stop)
    except CrossmediaError as error:
        problem = error  # the name of an exception ends with its block
        _tell(lambda: jobs.fail(job.id, problem), stop)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            return _put_back(jobs, job, Unfinished(job.report, DiskFull(f"the disk is full: {error}")), stop)
        log.exception("job %s failed", job.id)
        failed = JobFailed("the job stopped on an internal error", "see the traceback in the log of that process")
        _tell(lambda: jobs.fail(job.id, failed), stop)
    else:
        if isinstance(result, Unfinished):
            return _put_back(jobs, job, result, stop)
        if not isinstance(result, Divided):
            _tell(lambda: jobs.finish(job.id, result), stop)
    return 0.0


def _put_back(jobs: Queue, job: Job, left: Unfinished, stop: threading.Event) -> float:
    if left.error is not None:
        log.warning("job %s waits: %s", job.id, left.error.message)
    _tell(lambda: jobs.release(job.id, left.report, left.error), stop)
    return 0.0 if left.error is None else FULL_SECONDS


def _tell(change: Callable[[], None], stop: threading.Event) -> None:
    """Tell the queue, which may lie on the full disk itself: again until there is room. Giving up would count as a
    crash of the job."""
    while True:
        try:
            return change()
        except NoRoom as error:
            log.warning("%s; what became of a job is told later", error.message)
            if stop.wait(FULL_SECONDS):
                raise


class Worker(threading.Thread):
    """Runs until `stop`. A handler that is told to stop returns Unfinished; what a crash interrupted, `recover`
    finds."""

    def __init__(self, jobs: Queue, handlers: Mapping[str, Handler]) -> None:
        super().__init__(name="crossmedia-worker", daemon=True)
        self._jobs = jobs
        self._handlers = handlers
        self._stop_event = threading.Event()
        self._wake = threading.Event()

    def wake(self) -> None:
        """A job was submitted."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the batch at hand; blocks until the thread has ended."""
        self._stop_event.set()
        self._wake.set()
        self.join()

    def run(self) -> None:
        recovered = False
        while not self._stop_event.is_set():
            try:
                if not recovered:
                    self._jobs.recover()
                    recovered = True
                job = self._jobs.claim()
                if job is not None:
                    self._stop_event.wait(perform(self._jobs, self._handlers, job, self._stop_event))
                    continue
            except Exception:
                # The queue itself failed (a full disk, say): what was being done is found again by `recover`.
                log.exception("the queue cannot be used; trying again in %s s", BACK_OFF_SECONDS)
                recovered = False
                self._stop_event.wait(BACK_OFF_SECONDS)
                continue
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
