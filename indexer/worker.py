"""The process's one worker: takes jobs from the queue, one after the other, and tells how far they are."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from embeddings.errors import CrossmediaError
from indexer.jobs import Job, Jobs

log = logging.getLogger("crossmedia.worker")
IDLE_SECONDS = 1.0
TELL_EVERY_SECONDS = 0.2

Handler = Callable[[Job, "Progress", threading.Event], Mapping[str, Any]]


class JobFailed(CrossmediaError):
    """A job stopped on something that is not the input's fault; the log has the trace."""

    code = "job_failed"


class Progress:
    """Writes a job's progress, but not more often than anybody looks."""

    def __init__(self, jobs: Jobs, job: str) -> None:
        self._jobs, self._job = jobs, job
        self._step, self._done, self._total, self._told = "", 0, 0, 0.0

    def start(self, step: str, total: int) -> None:
        self._step, self._done, self._total = step, 0, total
        self._jobs.progress(self._job, step, 0, total)

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._told >= TELL_EVERY_SECONDS or self._done == self._total:
            self._told = time.monotonic()
            self._jobs.progress(self._job, self._step, self._done, self._total)


class Worker(threading.Thread):
    """Runs until `stop`; a job that was interrupted is found again by `Jobs.recover` at the next start."""

    def __init__(self, jobs: Jobs, handlers: Mapping[str, Handler]) -> None:
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
        self._jobs.recover()
        while not self._stop_event.is_set():
            job = self._jobs.claim()
            if job is None:
                self._wake.wait(IDLE_SECONDS)
                self._wake.clear()
                continue
            self._work(job)

    def _work(self, job: Job) -> None:
        try:
            report = self._handlers[job.kind](job, Progress(self._jobs, job.id), self._stop_event)
        except CrossmediaError as error:
            self._jobs.fail(job.id, error)
        except Exception:
            log.exception("job %s failed", job.id)
            self._jobs.fail(
                job.id, JobFailed("the job stopped on an internal error", "the service's log has the trace")
            )
        else:
            if not self._stop_event.is_set():
                self._jobs.finish(job.id, report)
