"""Perform jobs and report their progress; two threads do those of the embedded queue, long and short ones."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossmedia.embeddings.errors import FULL_DISK, CrossmediaError, DiskFull, NoRoom
from crossmedia.indexer.queue import Job, LeaseLost, Queue

log = logging.getLogger("crossmedia.worker")
IDLE_SECONDS = 1.0
BACK_OFF_SECONDS = 5.0
TELL_EVERY_SECONDS = 0.2
FULL_SECONDS = 10.0
"""Between tries while a disk is full."""
SHORT_SECONDS = 20.0
"""After which a job that was expected to be short is told to stop, and goes on among the long ones."""
TICK_SECONDS = 0.2


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


def perform(
    jobs: Queue, handlers: Mapping[str, Handler], job: Job, stop: threading.Event, over: Callable[[], bool]
) -> float:
    """Do a claimed job and tell the queue how it ended; returns for how many seconds the next one has to wait. Raises
    what the queue raises when it is told.

    `stop` is this job's alone; a short one that takes too long is stopped by it as well. A job that meets a full disk
    waits in the queue, and tells for what. `over`: whether whoever does jobs has to end.
    """
    try:
        with _timed(job, stop):
            result = handlers[job.kind](job, JobProgress(jobs, job.id), stop)
    except LeaseLost as error:
        log.warning("job %s: %s", job.id, error.message)
    except NoRoom as error:
        return _put_back(jobs, job, Unfinished(job.report, error), over)
    except CrossmediaError as error:
        problem = error  # the name of an exception ends with its block
        _tell(lambda: jobs.fail(job.id, problem), over)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return _put_back(jobs, job, Unfinished(job.report, DiskFull(f"the disk is full: {error}")), over)
        log.exception("job %s failed", job.id)
        failed = JobFailed("the job stopped on an internal error", "see the traceback in the log of that process")
        _tell(lambda: jobs.fail(job.id, failed), over)
    else:
        if isinstance(result, Unfinished):
            return _put_back(jobs, job, result, over)
        if not isinstance(result, Divided):
            _tell(lambda: jobs.finish(job.id, result), over)
    return 0.0


def _put_back(jobs: Queue, job: Job, left: Unfinished, over: Callable[[], bool]) -> float:
    if left.error is not None:
        log.warning("job %s waits: %s", job.id, left.error.message)
    _tell(lambda: jobs.release(job.id, left.report, left.error), over)
    return 0.0 if left.error is None else FULL_SECONDS


def _tell(change: Callable[[], None], over: Callable[[], bool]) -> None:
    """Tell the queue, which may lie on the full disk itself: again until there is room. Giving up would count as a
    crash of the job."""
    while True:
        try:
            return change()
        except NoRoom as error:
            log.warning("%s; what became of a job is told later", error.message)
            rest(FULL_SECONDS, over)
            if over():
                raise


def rest(seconds: float, over: Callable[[], bool]) -> None:
    """Wait so long, or until it is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not over():
        time.sleep(min(TICK_SECONDS, seconds))


@contextmanager
def _timed(job: Job, stop: threading.Event) -> Iterator[None]:
    timer = threading.Timer(SHORT_SECONDS, stop.set)
    timer.daemon = True
    if job.short:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Worker:
    """Two threads that do the jobs of the embedded queue until `stop`: one takes any, the other only short ones, which
    so never wait for a long one.

    A handler that is told to stop returns Unfinished; what a crash interrupted, `recover` finds.
    """

    def __init__(self, jobs: Queue, handlers: Mapping[str, Handler]) -> None:
        self._jobs = jobs
        self._handlers = handlers
        self._stopping = threading.Event()
        self._claiming = threading.Lock()
        """Held while it changes what is in `_held`, so that no job is put back that the other thread has."""
        self._held: dict[str, threading.Event] = {}
        """What tells each job at hand to stop."""
        self._lanes = [_Lane(self, short) for short in (False, True)]

    def start(self) -> None:
        """Begin."""
        for lane in self._lanes:
            lane.start()

    def is_alive(self) -> bool:
        """Whether jobs are done."""
        return all(lane.is_alive() for lane in self._lanes)

    def wake(self) -> None:
        """A job was submitted."""
        for lane in self._lanes:
            lane.wake.set()

    def stop(self) -> None:
        """Finish the batches at hand; blocks until the threads have ended."""
        with self._claiming:
            self._stopping.set()
            for stop in self._held.values():
                stop.set()
        self.wake()
        for lane in self._lanes:
            lane.join()

    def work(self, short: bool, wake: threading.Event) -> None:
        """What a thread does: job after job."""
        recovered = False
        while not self._stopping.is_set():
            try:
                if not recovered:
                    with self._claiming:
                        self._jobs.recover(self._held)
                    recovered = True
                if self._do_one(short):
                    continue
            except Exception:
                # The queue itself failed (a full disk, say): what was being done is found again by `recover`.
                log.exception("the queue cannot be used; trying again in %s s", BACK_OFF_SECONDS)
                recovered = False
                self._stopping.wait(BACK_OFF_SECONDS)
                continue
            wake.wait(IDLE_SECONDS)
            wake.clear()

    def _do_one(self, short: bool) -> bool:
        """False if there is none to do."""
        stop = threading.Event()
        with self._claiming:
            job = None if self._stopping.is_set() else self._jobs.claim(short=short)
            if job is None:
                return False
            self._held[job.id] = stop
        try:
            pause = perform(self._jobs, self._handlers, job, stop, self._stopping.is_set)
        finally:
            with self._claiming:
                del self._held[job.id]
        self._stopping.wait(pause)
        return True


class _Lane(threading.Thread):
    def __init__(self, worker: Worker, short: bool) -> None:
        super().__init__(name=f"crossmedia-worker-{'short' if short else 'any'}", daemon=True)
        self.wake = threading.Event()
        self._worker = worker
        self._short = short

    def run(self) -> None:
        self._worker.work(self._short, self.wake)
